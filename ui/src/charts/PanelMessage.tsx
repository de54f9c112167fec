/** What stands in a panel instead of lines: each state says what happened and what can be done. */
import type { ReactNode } from "react";
import type { XAxis } from "../series/series";
import { xFormat } from "./numbers";
import { MOST_LINES, type PanelState } from "./panel-state";

interface Props {
  readonly state: Exclude<PanelState, { kind: "lines" }>;
  readonly axis: XAxis;
  readonly onRetry: () => void;
  readonly onHide: (() => void) | undefined;
}

export function PanelMessage({ state, axis, onRetry, onHide }: Props) {
  const hide = onHide === undefined ? null : (
    <button type="button" className="quiet" onClick={onHide}>
      Hide panel
    </button>
  );
  switch (state.kind) {
    case "loading":
      return (
        <div className="panel-loading" role="img" aria-label="Loading">
          <i />
        </div>
      );
    case "error":
      return (
        <Message title="Couldn’t read this metric" isBad text={state.message}>
          <button type="button" className="button" onClick={onRetry}>
            Try again
          </button>
        </Message>
      );
    case "no-runs":
      return <Message title="No run is shown" text="Switch runs on in the table to draw them here." />;
    case "none":
      return (
        <Message
          title={state.shown === 1 ? "The shown run did not log this" : `None of the ${state.shown} shown runs logged this`}
          text="Show other runs, or hide the panel."
        >
          {hide}
        </Message>
      );
    case "waiting":
      return <Message title="Waiting for the first point" text={`${state.run} is running and has not logged this yet.`} />;
    case "all-nan": {
      const from = state.from === null ? "" : ` from ${xFormat(axis).exact(state.from)}`;
      return (
        <Message title={`All values are NaN or infinite${from}`} text={`${state.run} logged no finite value here.`}>
          {hide}
        </Message>
      );
    }
    case "too-many":
      return (
        <Message
          title={`${state.count} lines are too many to tell apart`}
          text={`Up to ${MOST_LINES} are drawn. Group the runs, or show fewer of them.`}
        >
          {hide}
        </Message>
      );
  }
}

interface MessageProps {
  readonly title: string;
  readonly text: string;
  readonly isBad?: boolean;
  readonly children?: ReactNode;
}

function Message({ title, text, isBad, children }: MessageProps) {
  return (
    <div className="panel-message" role={isBad === true ? "alert" : undefined}>
      <div>
        <b className={isBad === true ? "is-bad" : undefined}>{title}</b>
        <p>{text}</p>
        <div className="panel-actions">{children}</div>
      </div>
    </div>
  );
}

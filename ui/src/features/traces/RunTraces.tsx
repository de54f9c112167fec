/** The traces of a run at the left, the newest first; the spans of the chosen one at the right. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { MOST_TRACES, PAGE_OF_TRACES, tracesQuery, type TraceSummary } from "../../api/traces";
import type { Run } from "../../api/runs";
import { fullTime } from "../../lib/time";
import { ErrorMessage, Loading, Message } from "../../ui/Message";
import { nameOf, TraceState } from "./TraceState";
import { spanTime } from "./span-text";
import { TraceView } from "./TraceView";
import "./traces.css";

interface Props {
  readonly run: Run;
  readonly traceId: string | null;
  readonly onOpen: (traceId: string) => void;
}

const REFRESH_MS = 3_000;

export function RunTraces({ run, traceId, onOpen }: Props) {
  const [limit, setLimit] = useState(PAGE_OF_TRACES);
  const { data, error, refetch } = useQuery({
    ...tracesQuery(run.id, limit),
    refetchInterval: run.status === "running" ? REFRESH_MS : false,
  });
  if (error !== null && data === undefined) {
    return <ErrorMessage title="The traces could not be read" error={error} onRetry={() => void refetch()} />;
  }
  if (data === undefined) return <Loading label="Reading the traces" />;
  const first = data.traces[0];
  if (first === undefined) {
    return (
      <Message title="This run has no traces">
        Traces come from mlflow.trace and from OpenTelemetry exporters; those made within a run are shown here.
      </Message>
    );
  }
  // A link may name a trace that is further down than what was read.
  const chosen = traceId ?? first.id;
  return (
    <div className="traces">
      <nav className="trace-list thin-scroll" aria-label="Traces">
        <ul>
          {data.traces.map((trace) => (
            <li key={trace.id}>
              <TraceButton trace={trace} isChosen={trace.id === chosen} onOpen={onOpen} />
            </li>
          ))}
        </ul>
        <p className="trace-note">
          {data.traces.length === data.total ? `${data.total} in all` : `The newest ${data.traces.length} of ${data.total.toLocaleString("en-US")}`}
        </p>
        {data.traces.length < data.total && limit < MOST_TRACES && (
          <button type="button" className="button" onClick={() => setLimit(Math.min(limit * 4, MOST_TRACES))}>
            More
          </button>
        )}
      </nav>
      <TraceView key={chosen} traceId={chosen} />
    </div>
  );
}

interface ButtonProps {
  readonly trace: TraceSummary;
  readonly isChosen: boolean;
  readonly onOpen: (traceId: string) => void;
}

function TraceButton({ trace, isChosen, onOpen }: ButtonProps) {
  return (
    <button type="button" className="trace-button" aria-pressed={isChosen} onClick={() => onOpen(trace.id)}>
      <span className="trace-name">{nameOf(trace)}</span>
      <span className="trace-time">{trace.duration_ms === null ? "" : spanTime(trace.duration_ms * 1e6)}</span>
      <span className="trace-when">{fullTime(Date.parse(trace.started_at))}</span>
      <TraceState state={trace.state} />
    </button>
  );
}

/**
 * One panel: a metric over x for all shown lines, with its header, states and keyboard cursor.
 *
 * The canvas is drawn by PanelPlot; React renders only what stands around it, and not while the pointer moves: the value in
 * the header and the spoken read-out are written to their elements directly.
 */
import { useCallback, useId, useLayoutEffect, useMemo, useRef, type DragEvent, type KeyboardEvent, type ReactNode } from "react";
import { useCharts } from "./context";
import type { Line } from "./curves";
import { describeReading, moveCursor } from "./keyboard";
import { formatValue, xFormat } from "./numbers";
import { PanelMessage } from "./PanelMessage";
import type { Reading } from "./panel-plot";
import type { BrokenLine } from "./panel-state";
import { lineColor } from "./style";
import { useInView } from "./use-in-view";
import { usePanel, type Panel, type PanelHooks, type PanelSettings } from "./use-panel";

export interface ChartProps {
  readonly metric: string;
  readonly lines: readonly Line[];
  readonly settings: PanelSettings;
  readonly onInView: (metric: string, isInView: boolean) => void;
  readonly onDrawn: () => void;
  /** The panel's menu, told what the panel holds when it opens. */
  readonly menu?: (panel: Panel) => ReactNode;
  readonly onHide?: () => void;
  /** Given: the header can be dragged to another place. */
  readonly onDragStart?: (event: DragEvent) => void;
}

const IN_VIEW_MARGIN = 96;

export function Chart({ metric, lines, settings, onInView, onDrawn, menu, onHide, onDragStart }: ChartProps) {
  const { style, loader, bus } = useCharts();
  const article = useRef<HTMLElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const value = useRef<HTMLSpanElement>(null);
  const spoken = useRef<HTMLDivElement>(null);
  const isInView = useInView(article, IN_VIEW_MARGIN);
  const titleId = useId();

  const write = useCallback(
    (lead: Reading | null) => {
      const element = value.current;
      if (element === null) return;
      element.textContent = lead === null ? "" : formatValue(lead.value);
      element.style.color = lead === null ? "" : lineColor(style, lead.curve.line.slot);
    },
    [style],
  );
  const hooks = useMemo<PanelHooks>(() => ({ onReading: write, onDrawn }), [write, onDrawn]);
  const panel = usePanel(host, metric, lines, settings, hooks, isInView);
  const { state, isLog, plot, curves } = panel;
  useInViewReport(metric, isInView, onInView);

  const onKeyDown = (event: KeyboardEvent): void => {
    const moved = moveCursor(event.key, event.shiftKey, plot.current, curves.current);
    if (moved === null || plot.current === null) return;
    event.preventDefault();
    // At once for this panel, so that a held key walks on from here; the others follow with the frame.
    plot.current.setCursor(moved);
    bus.moveCursor(moved, plot.current.id);
    const words = describeReading(xFormat(settings.axis).exact(moved), plot.current.readAt(moved));
    if (spoken.current !== null) spoken.current.textContent = words;
  };
  const onBlur = (): void => {
    if (plot.current !== null) bus.moveCursor(null, plot.current.id);
  };

  const slash = metric.lastIndexOf("/") + 1;
  return (
    <article ref={article} className="panel" aria-labelledby={titleId} data-metric={metric}>
      <header draggable={onDragStart !== undefined} onDragStart={onDragStart}>
        <h3 id={titleId} title={metric}>
          <span>{metric.slice(0, slash)}</span>
          {metric.slice(slash)}
        </h3>
        {isLog && <abbr title="Logarithmic y axis">log</abbr>}
        {state.kind === "lines" && state.broken.length > 0 && <BrokenMark broken={state.broken} axis={settings.axis} />}
        {state.kind === "lines" && state.problem !== null && (
          <button type="button" className="panel-problem" title={state.problem} onClick={() => loader.retry(metric)}>
            Some runs are missing, try again
          </button>
        )}
        <span className="panel-value" ref={value} />
        {menu?.(panel)}
      </header>
      <div
        className="plot"
        ref={host}
        role="group"
        aria-roledescription="chart"
        aria-label={describe(metric, lines.length, settings)}
        tabIndex={state.kind === "lines" ? 0 : -1}
        onKeyDown={onKeyDown}
        onBlur={onBlur}
      />
      <div className="sr-only" role="status" ref={spoken} />
      {state.kind !== "lines" && (
        <PanelMessage state={state} axis={settings.axis} onRetry={() => loader.retry(metric)} onHide={onHide} />
      )}
    </article>
  );
}

function describe(metric: string, count: number, { axis, extent, window }: PanelSettings): string {
  const format = xFormat(axis);
  const [lo, hi] = window ?? extent;
  const kind = typeof axis === "string" ? axis : axis.metric;
  return `${metric}, ${count} lines, ${kind} ${format.exact(lo)} to ${format.exact(hi)}. Arrow keys read values.`;
}

function BrokenMark({ broken, axis }: { broken: readonly BrokenLine[]; axis: PanelSettings["axis"] }) {
  const format = xFormat(axis);
  const known = broken.flatMap(({ from }) => (from === null ? [] : [from]));
  const title = broken
    .map(({ label, count, from }) => `${label}: ${count} not finite${from === null ? "" : ` from ${format.exact(from)}`}`)
    .join("\n");
  return (
    <abbr className="panel-broken" title={title}>
      {known.length > 0 ? `NaN from ${format.exact(Math.min(...known))}` : "NaN"}
    </abbr>
  );
}

/** Tell the page which panels are on screen, so that it fetches those. */
function useInViewReport(metric: string, isInView: boolean, report: (metric: string, isInView: boolean) => void): void {
  useLayoutEffect(() => {
    if (!isInView) return;
    report(metric, true);
    return () => report(metric, false);
  }, [metric, isInView, report]);
}

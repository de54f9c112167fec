/** Parallel coordinates: an axis for each parameter and one for the target; marked stretches of axes choose runs. */
import { useCallback, useMemo, useRef, type KeyboardEvent, type MouseEvent, type PointerEvent } from "react";
import type { PlotStyle } from "../../charts/style";
import type { Brushes } from "./brush";
import { goodness, layoutOf, paintAxes, paintLines, paintRun, runAt, type ParallelLayout } from "./parallel-paint";
import type { Dimension, Sweep } from "./sweep-data";
import { useCanvas, useSize } from "./use-canvas";

interface Props {
  readonly sweep: Sweep;
  readonly dimensions: readonly Dimension[];
  readonly style: PlotStyle;
  readonly brushes: Brushes;
  readonly within: readonly boolean[];
  readonly focus: number | null;
  readonly onFocus: (run: number | null) => void;
  readonly onBrush: (key: string, brush: readonly [number, number] | null) => void;
  readonly onOpen: (run: number) => void;
}

export function ParallelCoordinates(props: Props) {
  const { sweep, dimensions, style, brushes, within, focus, onFocus, onBrush, onOpen } = props;
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const layout = useMemo(() => layoutOf(dimensions, size), [dimensions, size]);
  const { order, share } = useMemo(() => goodness(sweep), [sweep]);
  const lines = useCanvas(
    size,
    useCallback(
      (context) => {
        paintLines(context, { layout, style, order, share, within });
        paintAxes(context, layout, style);
      },
      [layout, style, order, share, within],
    ),
  );
  const lifted = useCanvas(
    size,
    useCallback(
      (context) => {
        if (focus !== null) paintRun(context, layout, style, focus);
      },
      [layout, style, focus],
    ),
  );
  const runUnder = (event: PointerEvent | MouseEvent): number | null => {
    const bounds = event.currentTarget.getBoundingClientRect();
    return runAt(layout, within, event.clientX - bounds.left, event.clientY - bounds.top);
  };
  const count = within.filter(Boolean).length;
  return (
    <div
      className="parallel"
      ref={box}
      onPointerMove={(event) => onFocus(runUnder(event))}
      onPointerLeave={() => onFocus(null)}
      onClick={(event) => {
        const run = runUnder(event);
        if (run !== null) onOpen(run);
      }}
    >
      <canvas
        ref={lines}
        role="img"
        aria-label={`Parallel coordinates: ${count} of ${sweep.runs.length} runs over ${dimensions.map(({ key }) => key).join(", ")}`}
      />
      <canvas ref={lifted} aria-hidden="true" />
      {layout.axes.map(({ dimension, x }, i) => (
        <AxisHandle
          key={dimension.key}
          dimension={dimension}
          x={x}
          layout={layout}
          isTarget={i === layout.axes.length - 1}
          brush={brushes.get(dimension.key) ?? null}
          onBrush={(brush) => onBrush(dimension.key, brush)}
        />
      ))}
    </div>
  );
}

interface AxisProps {
  readonly dimension: Dimension;
  readonly x: number;
  readonly layout: ParallelLayout;
  readonly isTarget: boolean;
  readonly brush: readonly [number, number] | null;
  readonly onBrush: (brush: readonly [number, number] | null) => void;
}

const LEAST = 0.01;
const KEY_STEP = 0.1;

/** The part of an axis that can be marked: by dragging, or with the arrow keys. */
function AxisHandle({ dimension, x, layout, isTarget, brush, onBrush }: AxisProps) {
  const start = useRef<number | null>(null);
  const height = layout.bottom - layout.top;
  const placeOf = (event: PointerEvent<HTMLDivElement>): number => {
    const bounds = event.currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(1, 1 - (event.clientY - bounds.top) / bounds.height));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = brushAfter(event.key, event.shiftKey, brush);
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onBrush(next);
  };
  const [from, to] = brush ?? [0, 1];
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return (
    <div className="axis" style={{ left: x }}>
      <span className={isTarget ? "is-target" : undefined} title={dimension.key}>
        {dimension.key}
      </span>
      <div
        className="axis-track"
        style={{ top: layout.top, height }}
        role="slider"
        tabIndex={0}
        aria-label={`${dimension.key}, marked stretch`}
        aria-orientation="vertical"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(from * 100)}
        aria-valuetext={brush === null ? "everything" : `${percent(from)} to ${percent(to)} of the axis`}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          start.current = placeOf(event);
        }}
        onPointerMove={(event) => {
          if (start.current === null) return;
          const here = placeOf(event);
          if (Math.abs(here - start.current) > LEAST) onBrush([Math.min(here, start.current), Math.max(here, start.current)]);
        }}
        onPointerUp={(event) => {
          if (start.current !== null && Math.abs(placeOf(event) - start.current) <= LEAST) onBrush(null);
          start.current = null;
        }}
        onClick={(event) => event.stopPropagation()}
      >
        {brush !== null && <i style={{ bottom: `${from * 100}%`, height: `${(to - from) * 100}%` }} />}
      </div>
    </div>
  );
}

/** undefined: the key means nothing here; null: nothing is marked any more. */
export function brushAfter(
  key: string,
  isResize: boolean,
  brush: readonly [number, number] | null,
): readonly [number, number] | null | undefined {
  const step = key === "ArrowUp" ? KEY_STEP : key === "ArrowDown" ? -KEY_STEP : null;
  if (key === "Escape") return brush === null ? undefined : null;
  if (step === null) return undefined;
  const [from, to] = brush ?? (step > 0 ? [0.5, 1] : [0, 0.5]);
  if (brush === null) return [from, to];
  if (isResize) return [from, Math.max(from + KEY_STEP, Math.min(1, to + step))];
  const shift = Math.max(-from, Math.min(1 - to, step));
  return [from + shift, to + shift];
}

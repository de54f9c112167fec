/** Lines over parallel axes: where they run, which one is under the pointer, and how they are painted. */
import { rampColor, withAlpha } from "../../charts/palette";
import type { PlotStyle } from "../../charts/style";
import { at } from "../../series/series";
import { axisScale, type AxisScale } from "./axis-scale";
import type { Size } from "./use-canvas";
import type { Dimension, Sweep } from "./sweep-data";

export interface ParallelLayout {
  readonly axes: readonly { readonly dimension: Dimension; readonly scale: AxisScale; readonly x: number }[];
  readonly top: number;
  readonly bottom: number;
  /** Height on each axis by run, axis after axis; NaN where a run has no value. */
  readonly heights: readonly Float64Array[];
}

const SIDE = 70;
const TOP = 36;
const BOTTOM = 18;
const TICK_PIXELS = 34;
const HIT_PIXELS = 7;

export function layoutOf(dimensions: readonly Dimension[], { width, height }: Size): ParallelLayout {
  const [top, bottom] = [TOP, height - BOTTOM];
  const gap = dimensions.length > 1 ? (width - 2 * SIDE) / (dimensions.length - 1) : 0;
  const axes = dimensions.map((dimension, i) => ({
    dimension,
    scale: axisScale(dimension, Math.max(2, Math.floor((bottom - top) / TICK_PIXELS))),
    x: Math.round(SIDE + i * gap) + 0.5,
  }));
  const heights = axes.map(({ dimension, scale }) =>
    Float64Array.from(dimension.values, (value) => bottom - scale.place(value) * (bottom - top)),
  );
  return { axes, top, bottom, heights };
}

/** The order in which lines are painted: the best on top; and each run's place in it, 0 to 1. */
export function goodness({ target, direction }: Sweep): { readonly order: readonly number[]; readonly share: Float64Array } {
  const sign = direction === "min" ? -1 : 1;
  const order = Array.from(target.values, (_, i) => i)
    .filter((i) => Number.isFinite(at(target.values, i)))
    .toSorted((a, b) => sign * (at(target.values, a) - at(target.values, b)));
  const share = new Float64Array(target.values.length).fill(Number.NaN);
  order.forEach((run, place) => {
    share[run] = order.length > 1 ? place / (order.length - 1) : 1;
  });
  return { order, share };
}

export interface ParallelPaint {
  readonly layout: ParallelLayout;
  readonly style: PlotStyle;
  readonly order: readonly number[];
  readonly share: Float64Array;
  readonly within: readonly boolean[];
}

export function paintLines(context: CanvasRenderingContext2D, { layout, style, order, share, within }: ParallelPaint): void {
  const count = within.filter(Boolean).length;
  const alpha = count > 400 ? 0.25 : count > 120 ? 0.5 : 0.85;
  context.lineJoin = "round";
  for (const isIn of [false, true]) {
    context.lineWidth = isIn ? 1.4 : 1;
    for (const run of order) {
      if (within[run] !== isIn) continue;
      context.strokeStyle = isIn ? rampColor(at(share, run), style.theme) : withAlpha(style.axis, 0.13);
      context.globalAlpha = isIn ? alpha : 1;
      traceRun(context, layout, run);
    }
  }
  context.globalAlpha = 1;
}

export function paintAxes(context: CanvasRenderingContext2D, { axes, top, bottom }: ParallelLayout, style: PlotStyle): void {
  context.font = `500 10px ${style.family}`;
  context.textBaseline = "middle";
  for (const { x, scale } of axes) {
    context.strokeStyle = style.axis;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, bottom);
    context.stroke();
    for (const { place, label } of scale.ticks) {
      const y = bottom - place * (bottom - top);
      const text = label.length > 14 ? `${label.slice(0, 13)}…` : label;
      const width = context.measureText(text).width;
      // A plate of the panel's colour: labels stay readable over lines.
      context.fillStyle = withAlpha(style.surface, 0.82);
      context.fillRect(x + 3, y - 7, width + 6, 14);
      context.fillStyle = style.axis;
      context.fillRect(x - 2, y - 0.5, 4, 1);
      context.fillText(text, x + 6, y + 0.5);
    }
  }
}

/** One run in ink, above all others. */
export function paintRun(context: CanvasRenderingContext2D, layout: ParallelLayout, style: PlotStyle, run: number): void {
  context.lineJoin = "round";
  context.strokeStyle = style.surface;
  context.lineWidth = 5;
  traceRun(context, layout, run);
  context.strokeStyle = style.ink;
  context.lineWidth = 2;
  traceRun(context, layout, run);
  layout.axes.forEach(({ x }, i) => {
    const y = at(layout.heights[i] ?? [], run);
    if (Number.isNaN(y)) return;
    context.fillStyle = style.ink;
    context.beginPath();
    context.arc(x, y, 3, 0, Math.PI * 2);
    context.fill();
  });
}

function traceRun(context: CanvasRenderingContext2D, { axes, heights }: ParallelLayout, run: number): void {
  context.beginPath();
  let isDown = false;
  axes.forEach(({ x }, i) => {
    const y = at(heights[i] ?? [], run);
    if (Number.isNaN(y)) isDown = false;
    else if (isDown) context.lineTo(x, y);
    else {
      context.moveTo(x, y);
      isDown = true;
    }
  });
  context.stroke();
}

/** The line under the pointer, of those that are within the brushes. */
export function runAt({ axes, heights }: ParallelLayout, within: readonly boolean[], px: number, py: number): number | null {
  const right = axes.findIndex(({ x }) => x >= px);
  const [a, b] = [axes[right - 1], axes[right]];
  const [from, to] = [heights[right - 1], heights[right]];
  if (a === undefined || b === undefined || from === undefined || to === undefined) return null;
  const share = (px - a.x) / (b.x - a.x);
  let best: number | null = null;
  let distance = HIT_PIXELS;
  within.forEach((isIn, run) => {
    if (!isIn) return;
    const away = Math.abs(at(from, run) + share * (at(to, run) - at(from, run)) - py);
    if (away < distance) [best, distance] = [run, away];
  });
  return best;
}

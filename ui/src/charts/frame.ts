/** Positions on the canvas, without uPlot's general path, which is too slow for every bucket of every line. */
import type uPlot from "uplot";
import { indexAtOrBefore } from "../series/series";

export interface Frame {
  readonly ctx: CanvasRenderingContext2D;
  /** Canvas pixels to a CSS pixel. */
  readonly ratio: number;
  readonly px: (x: number) => number;
  readonly py: (y: number) => number;
  readonly top: number;
  readonly bottom: number;
  readonly from: number;
  readonly to: number;
}

export function frameOf(u: uPlot, isLog: boolean): Frame | null {
  const { min: x0, max: x1 } = u.scales["x"] ?? {};
  const { min: y0, max: y1 } = u.scales["y"] ?? {};
  if (x0 == null || x1 == null || y0 == null || y1 == null) return null;
  const { left, top, width, height } = u.bbox;
  const sx = width / (x1 - x0);
  const lo = isLog ? Math.log10(y0) : y0;
  const sy = height / ((isLog ? Math.log10(y1) : y1) - lo);
  return {
    ctx: u.ctx,
    ratio: devicePixelRatio,
    px: (x) => left + (x - x0) * sx,
    py: isLog
      ? (y) => top + height - (Math.log10(Math.max(y, y0 / 10)) - lo) * sy
      : (y) => top + height - (y - lo) * sy,
    top,
    bottom: top + height,
    from: x0,
    to: x1,
  };
}

/** The indices to draw: the window, and one bucket beyond it on both sides. */
export function visibleSlice({ from, to }: Frame, x: Float64Array): [first: number, last: number] {
  return [Math.max(0, indexAtOrBefore(x, from)), Math.min(x.length - 1, indexAtOrBefore(x, to) + 1)];
}

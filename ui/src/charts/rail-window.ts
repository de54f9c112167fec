/** How dragging and keys change the visible window. A window is never empty, and lies within the extent. */
import type { Range } from "../series/series";

export type Grab = "new" | "move" | "start" | "end";

const EDGE_PIXELS = 6;
/** The smallest window, as a share of the extent: below it doubles run out of digits. */
const LEAST_SHARE = 1e-6;

/** What the pointer takes hold of at x. */
export function grabAt(x: number, window: Range | null, perPixel: number): Grab {
  if (window === null) return "new";
  const reach = EDGE_PIXELS * perPixel;
  if (Math.abs(x - window[0]) <= reach) return "start";
  if (Math.abs(x - window[1]) <= reach) return "end";
  return x > window[0] && x < window[1] ? "move" : "new";
}

export function dragWindow(grab: Grab, from: Range | null, startX: number, x: number, extent: Range): Range | null {
  const shift = x - startX;
  switch (grab) {
    case "new":
      return within(startX, x, extent);
    case "move": {
      if (from === null) return null;
      const bounded = Math.max(extent[0] - from[0], Math.min(extent[1] - from[1], shift));
      return [from[0] + bounded, from[1] + bounded];
    }
    case "start":
      return from === null ? null : within(from[0] + shift, from[1], extent);
    case "end":
      return from === null ? null : within(from[0], from[1] + shift, extent);
  }
}

/**
 * Arrows move the window by a tenth of its width, with Shift they move its end; plus and minus zoom around its middle.
 * null shows everything; undefined: the key means nothing here.
 */
export function keyWindow(key: string, isResize: boolean, window: Range | null, extent: Range): Range | null | undefined {
  const [lo, hi] = window ?? extent;
  const width = hi - lo;
  const step = width / 10;
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return isResize ? within(lo, hi - step, extent) : dragWindow("move", [lo, hi], 0, -step, extent);
    case "ArrowRight":
    case "ArrowUp":
      return isResize ? within(lo, hi + step, extent) : dragWindow("move", [lo, hi], 0, step, extent);
    case "+":
    case "=":
      return within(lo + width / 4, hi - width / 4, extent);
    case "-":
      return width * 2 >= extent[1] - extent[0] ? null : within(lo - width / 2, hi + width / 2, extent);
    case "Home":
      return dragWindow("move", [lo, hi], lo, extent[0], extent);
    case "End":
      return dragWindow("move", [lo, hi], hi, extent[1], extent);
    case "Escape":
      return window === null ? undefined : null;
    default:
      return undefined;
  }
}

/** To a thousandth of the window or finer, in round decimals. */
export function roundWindow([lo, hi]: Range): Range {
  const step = 10 ** Math.floor(Math.log10((hi - lo) / 1000));
  const round = (x: number): number => Number((Math.round(x / step) * step).toPrecision(15));
  return Number.isFinite(step) && step > 0 ? [round(lo), round(hi)] : [lo, hi];
}

function within(a: number, b: number, [lo, hi]: Range): Range {
  const least = (hi - lo) * LEAST_SHARE;
  const from = Math.max(lo, Math.min(a, b));
  const to = Math.min(hi, Math.max(a, b));
  return to - from >= least ? [from, to] : [Math.max(lo, Math.min(from, hi - least)), Math.min(hi, from + least)];
}

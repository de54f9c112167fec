/** Reading a chart without a pointer: where an arrow key puts the cursor, and what is said there. */
import type { Range } from "../series/series";
import { nearestX, nextX, type Curve } from "./curves";
import { formatValue } from "./numbers";
import type { PanelPlot, Reading } from "./panel-plot";

const STRIDE = 10;
const SPOKEN_ROWS = 5;

/** The x that a key moves the cursor to, or null when the key means nothing here. */
export function moveCursor(
  key: string,
  isWide: boolean,
  plot: PanelPlot | null,
  curves: readonly Curve[],
): number | null {
  if (plot === null || curves.length === 0) return null;
  const [lo, hi] = plot.visibleRange;
  const target = targetOf(key, isWide ? STRIDE : 1, plot.cursor, [lo, hi], curves);
  return target === null ? null : nearestX(curves, Math.max(lo, Math.min(hi, target)));
}

function targetOf(
  key: string,
  stride: number,
  cursor: number | null,
  [lo, hi]: Range,
  curves: readonly Curve[],
): number | null {
  switch (key) {
    case "ArrowLeft":
      return cursor === null ? hi : walk(curves, cursor, -1, stride);
    case "ArrowRight":
      return cursor === null ? lo : walk(curves, cursor, 1, stride);
    case "Home":
      return lo;
    case "End":
      return hi;
    default:
      return null;
  }
}

function walk(curves: readonly Curve[], from: number, direction: -1 | 1, steps: number): number {
  let x = from;
  for (let i = 0; i < steps; i++) x = nextX(curves, x, direction) ?? x;
  return x;
}

export function describeReading(x: string, readings: readonly Reading[]): string {
  if (readings.length === 0) return `${x}: no values`;
  const rows = readings.slice(0, SPOKEN_ROWS).map(({ curve, value }) => `${curve.line.label} ${formatValue(value)}`);
  const left = readings.length - rows.length;
  return `${x}: ${rows.join(", ")}${left > 0 ? `, ${left} more` : ""}`;
}

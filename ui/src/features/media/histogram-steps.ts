/** Distributions with edges of their own, brought onto one grid of values. */
import type { Histogram } from "./table";

/** Steps drawn at most: each is a file. */
export const MOST_STEPS = 48;

export interface StepGrid {
  readonly lo: number;
  readonly hi: number;
  /** For each step, for each row from below: its density in parts of the greatest of all. */
  readonly shares: readonly (readonly number[])[];
}

export type ValueRange = readonly [number, number];

/** The values that the distributions span; null while none has a finite value. */
export function rangeOf(histograms: readonly (Histogram | null)[]): ValueRange | null {
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const one of histograms) {
    if (one === null || one.counts.length === 0) continue;
    lo = Math.min(lo, one.edges[0] ?? 0);
    hi = Math.max(hi, one.edges.at(-1) ?? 0);
  }
  return lo > hi ? null : [lo, hi];
}

/** A bin's values are spread evenly over the rows that it covers; a row is an even part of the range. */
export function columnsOf(histograms: readonly (Histogram | null)[], rows: number, [lo, top]: ValueRange): StepGrid {
  const hi = top > lo ? top : lo + 1;
  const height = (hi - lo) / rows;
  const densities = histograms.map((one) => (one === null ? [] : densityOf(one, lo, height, rows)));
  const most = Math.max(Number.MIN_VALUE, ...densities.flat());
  return { lo, hi: top, shares: densities.map((column) => column.map((value) => value / most)) };
}

function densityOf({ edges, counts }: Histogram, lo: number, height: number, rows: number): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const column = Array.from({ length: rows }, () => 0);
  counts.forEach((count, i) => {
    const [from, to] = [edges[i] ?? 0, edges[i + 1] ?? 0];
    const width = Math.max(to - from, height / 1e6);
    const first = Math.max(0, Math.floor((from - lo) / height));
    for (let row = first; row < rows && lo + row * height <= from + width; row++) {
      const covered = Math.min(from + width, lo + (row + 1) * height) - Math.max(from, lo + row * height);
      if (covered > 0 && all > 0) column[row] = (column[row] ?? 0) + (count * covered) / width / all;
    }
  });
  return column;
}

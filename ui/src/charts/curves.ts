/**
 * From fetched series to what a panel draws: one curve for each line, smoothed where smoothing tells the truth.
 *
 * A line is a run, or a group of runs whose mean is drawn. Results are remembered by series and setting, so that showing
 * one more run costs one curve and not all of them.
 */
import { at, indexAtOrBefore, lastFinite, nearestIndex, type Series } from "../series/series";
import { isNoiseFree as judgeNoiseFree, smooth, type Smoothing } from "../series/smoothing";
import { groupSeries } from "./groups";

/** Something the page draws: a run, or several as one. */
export interface Line {
  readonly id: string;
  readonly label: string;
  /** What sets it apart from the other lines: the parameters that differ. */
  readonly detail: string;
  readonly runIds: readonly string[];
  readonly slot: number;
  readonly isRunning: boolean;
}

export interface Curve {
  readonly line: Line;
  readonly series: Series;
  /** What the line shows: smoothed, or the bucket means themselves. */
  readonly values: Float64Array;
  /** Whether `values` differ from the means, so that the raw line belongs behind them. */
  readonly isSmoothed: boolean;
  /** A schedule, a counter, a constant: drawn as it is. */
  readonly isNoiseFree: boolean;
  /** Index of the last finite bucket, -1 when the curve has none. */
  readonly last: number;
  /** Members of a group that have data; 1 for a run. */
  readonly memberCount: number;
}

interface Remembered {
  readonly how: Smoothing;
  readonly span: number;
  readonly values: Float64Array;
}

const noiseFree = new WeakMap<Series, boolean>();
const remembered = new WeakMap<Series, Remembered>();

export function makeCurve(line: Line, members: readonly Series[], how: Smoothing, span: number): Curve | null {
  const [only] = members;
  if (only === undefined) return null;
  const series = line.runIds.length === 1 ? only : groupSeries(members);
  const isNoiseFree = members.every(isQuiet);
  const isSmoothed = how.kind !== "none" && how.weight > 0 && !isNoiseFree;
  return {
    line,
    series,
    values: isSmoothed ? smoothed(series, how, span) : Float64Array.from(series.mean),
    isSmoothed,
    isNoiseFree,
    last: lastFinite(series)?.index ?? -1,
    memberCount: members.length,
  };
}

function isQuiet(series: Series): boolean {
  let answer = noiseFree.get(series);
  if (answer === undefined) {
    answer = judgeNoiseFree(series);
    noiseFree.set(series, answer);
  }
  return answer;
}

function smoothed(series: Series, how: Smoothing, span: number): Float64Array {
  const known = remembered.get(series);
  if (known !== undefined && known.how.kind === how.kind && known.how.weight === how.weight && known.span === span) {
    return known.values;
  }
  const values = smooth(series, how, span);
  remembered.set(series, { how, span, values });
  return values;
}

/** What a curve reads at x: the nearest bucket, or null where the run has no point near. */
export function readCurve(curve: Curve, x: number): { index: number; value: number } | null {
  const axis = curve.series.x;
  const n = axis.length;
  if (n === 0 || curve.last < 0) return null;
  const index = nearestIndex(axis, x);
  // Past its ends a run says nothing; half a bucket of slack keeps the last point readable.
  const slack = n > 1 ? (at(axis, n - 1) - at(axis, 0)) / (n - 1) : 0;
  if (x < at(axis, 0) - slack || x > at(axis, curve.last) + slack) return null;
  for (const i of [index, index - 1, index + 1]) {
    const value = curve.values[i];
    if (value !== undefined && Number.isFinite(value)) return { index: i, value };
  }
  return null;
}

/** The x of the bucket nearest to x, of any curve; null when there is none. */
export function nearestX(curves: readonly Curve[], x: number): number | null {
  let best: number | null = null;
  for (const { series } of curves) {
    const index = nearestIndex(series.x, x);
    if (index < 0) continue;
    const here = at(series.x, index);
    if (best === null || Math.abs(here - x) < Math.abs(best - x)) best = here;
  }
  return best;
}

/** The next x beyond x in one direction, of any curve; null when there is none. */
export function nextX(curves: readonly Curve[], x: number, direction: -1 | 1): number | null {
  let best: number | null = null;
  for (const { series } of curves) {
    const before = indexAtOrBefore(series.x, x);
    const index = direction > 0 ? before + 1 : series.x[before] === x ? before - 1 : before;
    const here = series.x[index];
    if (here !== undefined && (best === null || direction * (here - best) < 0)) best = here;
  }
  return best;
}

/** Where a NaN or an infinity begins: the last finite bucket before it. */
export function breakOf(curve: Curve): { index: number; x: number; from: number | null } | null {
  const { series } = curve;
  // A group goes on without the member that broke.
  if (series.nonfinite === 0 || curve.last < 0 || curve.line.runIds.length > 1) return null;
  const from = series.nonfiniteFirst;
  let index = from === null ? curve.last : indexAtOrBefore(series.x, from);
  while (index > 0 && !Number.isFinite(at(series.mean, index))) index--;
  return index < 0 ? null : { index, x: at(series.x, index), from };
}

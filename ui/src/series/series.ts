/**
 * One metric of one run, reduced to buckets: the unit that is fetched, cached, smoothed and drawn.
 *
 * Invariants: all columns have the length of `x`; `x` ascends strictly and is finite. A bucket has at least one point;
 * where none of them is finite `count` is 0 and `mean`, `min`, `max` are NaN, and the line breaks. Columns are views on
 * received buffers: never write to them.
 */

/** A column of doubles that may have come as f32. */
export type Column = Float32Array | Float64Array;

export interface Series {
  readonly runId: string;
  readonly key: string;
  /** Points in the requested range, non-finite ones included. */
  readonly n: number;
  readonly nonfinite: number;
  /** x of the first NaN or infinity; null when there is none, or when the server did not say. */
  readonly nonfiniteFirst: number | null;
  readonly x: Float64Array;
  readonly mean: Column;
  readonly min: Column;
  readonly max: Column;
  /** Finite points in each bucket. */
  readonly count: Uint32Array | Float64Array;
}

/** What x means: three kinds of its own, or the key of a metric. */
export type XAxis = "step" | "relative" | "time" | { readonly metric: string };

/** The word for an axis in a request and in a cache key. */
export function axisName(x: XAxis): string {
  return typeof x === "string" ? x : x.metric;
}

export type Range = readonly [lo: number, hi: number];

export interface SeriesRequest {
  readonly runIds: readonly string[];
  readonly keys: readonly string[];
  readonly x: XAxis;
  readonly range: Range | null;
  readonly buckets: number;
}

/** First and last x of a series, or null when it has no bucket. */
export function extentOf(series: Series): Range | null {
  const n = series.x.length;
  return n === 0 ? null : [at(series.x, 0), at(series.x, n - 1)];
}

/** A value inside the bounds of a column; reading past the end is a mistake of the caller, not a gap. */
export function at(column: ArrayLike<number>, i: number): number {
  const value = column[i];
  if (value === undefined) throw new RangeError(`index ${i} is outside a column of ${column.length}`);
  return value;
}

/** Index of the last x that is <= value, or -1. */
export function indexAtOrBefore(x: ArrayLike<number>, value: number): number {
  let lo = 0;
  let hi = x.length - 1;
  let found = -1;
  while (lo <= hi) {
    const mid = (lo + hi) >> 1;
    if (at(x, mid) <= value) {
      found = mid;
      lo = mid + 1;
    } else {
      hi = mid - 1;
    }
  }
  return found;
}

/** Index of the x nearest to value, or -1 in an empty column. */
export function nearestIndex(x: ArrayLike<number>, value: number): number {
  const before = indexAtOrBefore(x, value);
  if (before < 0) return x.length > 0 ? 0 : -1;
  if (before + 1 >= x.length) return before;
  return value - at(x, before) <= at(x, before + 1) - value ? before : before + 1;
}

/** x of the last bucket that holds a finite point, with its mean; null when there is none. */
export function lastFinite(series: Series): { x: number; mean: number; index: number } | null {
  for (let i = series.x.length - 1; i >= 0; i--) {
    const mean = at(series.mean, i);
    if (Number.isFinite(mean)) return { x: at(series.x, i), mean, index: i };
  }
  return null;
}

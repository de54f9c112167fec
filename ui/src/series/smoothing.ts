/**
 * Smoothing of bucketed series.
 *
 * The strength is a length along x, not a number of samples: weight w means that an average forgets the share 1 - w
 * over 1/480 of the whole extent. Buckets enter with the number of points behind them. So the line stays where it is
 * when the panel is resized, zoomed, or the server sends another bucket width.
 *
 * All functions return a new array as long as `x`; an empty bucket (NaN) stays NaN and weighs nothing.
 */
import { at, type Series } from "./series";

export const SMOOTHING_KINDS = ["ema", "gaussian", "mean", "none"] as const;
export type SmoothingKind = (typeof SMOOTHING_KINDS)[number];

export interface Smoothing {
  readonly kind: SmoothingKind;
  /** 0 (nothing) to 0.99. */
  readonly weight: number;
}

/** One "sample" of the slider: about a bucket of a panel, fixed so that a weight means the same everywhere. */
const REFERENCE_SAMPLES = 480;

type Weighted = Pick<Series, "x" | "mean" | "count">;

/** The decay length in units of x; 0 means no smoothing. */
export function decayLength(weight: number, span: number): number {
  if (!(weight > 0) || !(span > 0)) return 0;
  return span / REFERENCE_SAMPLES / -Math.log(Math.min(weight, 0.999));
}

/** Smooth a series, `span` being the extent of x over all lines of the panel. */
export function smooth(series: Series, how: Smoothing, span: number): Float64Array {
  const length = decayLength(how.weight, span);
  if (how.kind === "none" || length === 0) return Float64Array.from(series.mean);
  switch (how.kind) {
    case "ema":
      return timeWeightedEma(series, length);
    case "gaussian":
      return gaussian(series, length);
    case "mean":
      // A box of this width has the spread of a Gaussian with sigma = length.
      return runningMean(series, length * Math.sqrt(3));
  }
}

/**
 * Exponential average that decays with the distance in x. Dividing by the decayed sum of weights removes the pull
 * of the starting value, so the first point of the line is the first point of the data.
 */
export function timeWeightedEma({ x, mean, count }: Weighted, length: number): Float64Array {
  const out = new Float64Array(x.length);
  let sum = 0;
  let weight = 0;
  let previous = x.length > 0 ? at(x, 0) : 0;
  for (let i = 0; i < x.length; i++) {
    const value = at(mean, i);
    const points = at(count, i);
    if (points === 0 || Number.isNaN(value)) {
      out[i] = Number.NaN;
      continue;
    }
    const here = at(x, i);
    const decay = Math.exp((previous - here) / length);
    previous = here;
    sum = sum * decay + points * value;
    weight = weight * decay + points;
    out[i] = sum / weight;
  }
  return out;
}

const KERNEL_STEPS = 512;
const KERNEL_REACH = 3;
/** exp(-z²/2) for z in 0..3: the table keeps wide kernels within a frame. */
const KERNEL = Float64Array.from({ length: KERNEL_STEPS + 1 }, (_, i) =>
  Math.exp(-0.5 * ((i / KERNEL_STEPS) * KERNEL_REACH) ** 2),
);

/** Average under a Gaussian of width sigma, cut at three sigma; looks both ways, so it does not lag. */
export function gaussian({ x, mean, count }: Weighted, sigma: number): Float64Array {
  const out = new Float64Array(x.length);
  const reach = sigma * KERNEL_REACH;
  const scale = KERNEL_STEPS / reach;
  let from = 0;
  for (let i = 0; i < x.length; i++) {
    const here = at(x, i);
    if (Number.isNaN(at(mean, i))) {
      out[i] = Number.NaN;
      continue;
    }
    while (here - at(x, from) > reach) from++;
    let sum = 0;
    let weight = 0;
    for (let j = from; j < x.length; j++) {
      const distance = Math.abs(at(x, j) - here);
      if (distance > reach) break;
      const value = at(mean, j);
      if (Number.isNaN(value)) continue;
      const w = at(KERNEL, Math.round(distance * scale)) * at(count, j);
      sum += w * value;
      weight += w;
    }
    out[i] = sum / weight;
  }
  return out;
}

/** Plain average over half a width to both sides. */
export function runningMean({ x, mean, count }: Weighted, halfWidth: number): Float64Array {
  const n = x.length;
  const out = new Float64Array(n);
  let from = 0;
  let to = 0;
  let sum = 0;
  let weight = 0;
  for (let i = 0; i < n; i++) {
    const here = at(x, i);
    while (to < n && at(x, to) - here <= halfWidth) {
      const value = at(mean, to);
      if (!Number.isNaN(value)) {
        sum += value * at(count, to);
        weight += at(count, to);
      }
      to++;
    }
    while (here - at(x, from) > halfWidth) {
      const value = at(mean, from);
      if (!Number.isNaN(value)) {
        sum -= value * at(count, from);
        weight -= at(count, from);
      }
      from++;
    }
    out[i] = Number.isNaN(at(mean, i)) ? Number.NaN : sum / weight;
  }
  return out;
}

/** Above these shares a line has noise: noise overlaps nearly always, and turns at about two triples of three. */
const MOST_OVERLAPS = 0.1;
const MOST_TURNS = 0.12;
/** Differences below this share of the values are rounding of f32. */
const ROUNDING = 4e-7;

/**
 * Whether a series has no noise to remove: a schedule, a counter, a constant. Averaging such a line would only move it,
 * and a learning rate that lags is a lie.
 *
 * Buckets of several points tell by their ranges: where a formula rises or falls, a bucket ends before the next begins;
 * with noise they overlap. Buckets of one point tell by the curvature, which noise turns at nearly every point.
 */
export function isNoiseFree(series: Series): boolean {
  const { x, min, max, count } = series;
  const kept: number[] = [];
  let size = 0;
  for (let i = 0; i < x.length; i++) {
    if (at(count, i) === 0) continue;
    kept.push(i);
    size = Math.max(size, Math.abs(at(min, i)), Math.abs(at(max, i)));
  }
  if (kept.length < 4) return true;
  const rounding = size * ROUNDING;
  return !overlaps(series, kept, rounding) && !turns(series, kept, rounding);
}

function overlaps({ min, max, count }: Series, kept: readonly number[], rounding: number): boolean {
  let pairs = 0;
  let found = 0;
  for (let k = 1; k < kept.length; k++) {
    const [a, b] = [at(kept, k - 1), at(kept, k)];
    if (at(count, a) < 2 && at(count, b) < 2) continue;
    pairs++;
    const isApart = at(max, a) <= at(min, b) + rounding || at(max, b) <= at(min, a) + rounding;
    if (!isApart) found++;
  }
  return found > pairs * MOST_OVERLAPS;
}

function turns({ x, mean, count }: Series, kept: readonly number[], rounding: number): boolean {
  let triples = 0;
  let bends = 0;
  let found = 0;
  let before = 0;
  for (let k = 2; k < kept.length; k++) {
    const [a, b, c] = [at(kept, k - 2), at(kept, k - 1), at(kept, k)];
    if (at(count, a) + at(count, b) + at(count, c) > 3) continue;
    triples++;
    const left = (at(mean, b) - at(mean, a)) / (at(x, b) - at(x, a));
    const right = (at(mean, c) - at(mean, b)) / (at(x, c) - at(x, b));
    if (Math.abs(right - left) * (at(x, c) - at(x, a)) <= 8 * rounding) continue;
    bends++;
    if (before !== 0 && Math.sign(right - left) !== before) found++;
    before = Math.sign(right - left);
  }
  // Few bends are the corners of a piecewise line: a staircase, a warm-up and a decay.
  return bends > triples * 0.05 && found > bends * MOST_TURNS;
}

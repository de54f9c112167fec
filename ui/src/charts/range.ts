/**
 * The y range of a panel, from the curves within the visible window.
 *
 * Clipping leaves out isolated spikes only: the range is that of a running median with room for the usual noise around
 * it, so the high start of a loss stays in view and one bad batch does not flatten the rest. A curve that grows beyond all
 * measure and ends in NaN leaves the panel rather than flatten the others. What is left out is marked at the edge where it
 * would be.
 */
import { at, indexAtOrBefore, type Range, type Series } from "../series/series";
import type { Curve } from "./curves";

export type ScaleChoice = "auto" | "linear" | "log";

export interface RangeChoice {
  readonly isClipped: boolean;
  readonly isLog: boolean;
  readonly hasBand: boolean;
}

const MEDIAN_REACH = 2;
/** How far a smoothed line may pull the clipped range beyond the medians, as a share of their spread. */
const LINE_ALLOWANCE = 0.35;
/** Values spread over more than this factor are easier to read on a log axis. */
const LOG_FACTOR = 12;

/** How far below its line the band of a group is followed on a log axis; what is lower runs out of the plot. */
const BAND_FACTOR = 10;

/** Room for noise, in median deviations from the running median: about three and a half standard deviations. */
const NOISE_ROOM = 4;

/** A curve that broke and goes further beyond the others than this many times what they span is a runaway. */
const RUNAWAY = 3;
/** How far a runaway is followed, as a share of what the others span. */
const RUNAWAY_ROOM = 0.35;

const medians = new WeakMap<Series, Float64Array>();

/** Median of five neighbouring bucket means. */
export function runningMedian(series: Series): Float64Array {
  const known = medians.get(series);
  if (known !== undefined) return known;
  const { mean } = series;
  const out = new Float64Array(mean.length);
  const near = new Float64Array(2 * MEDIAN_REACH + 1);
  for (let i = 0; i < mean.length; i++) {
    // At the ends the reach shrinks on both sides, so that a steep start is not taken for a spike.
    const reach = Math.min(MEDIAN_REACH, i, mean.length - 1 - i);
    let found = 0;
    for (let j = i - reach; j <= i + reach; j++) {
      const value = at(mean, j);
      if (!Number.isFinite(value)) continue;
      // Sorted as it goes in: for five values this is many times faster than sorting afterwards.
      let place = found++;
      while (place > 0 && at(near, place - 1) > value) {
        near[place] = at(near, place - 1);
        place--;
      }
      near[place] = value;
    }
    out[i] = found > 0 ? at(near, found >> 1) : Number.NaN;
  }
  medians.set(series, out);
  return out;
}

const noises = new WeakMap<Series, number>();

/** The median distance of bucket means from the running median. */
function noiseOf(series: Series): number {
  const known = noises.get(series);
  if (known !== undefined) return known;
  const median = runningMedian(series);
  const distances = series.mean.map((value, i) => Math.abs(value - at(median, i))).filter(Number.isFinite);
  const noise = distances.toSorted()[distances.length >> 1] ?? 0;
  noises.set(series, noise);
  return noise;
}

class Extent {
  lo = Number.POSITIVE_INFINITY;
  hi = Number.NEGATIVE_INFINITY;

  constructor(private readonly isPositive: boolean) {}

  add(values: ArrayLike<number>, from: number, to: number): void {
    for (let i = from; i <= to; i++) {
      const value = values[i];
      if (value === undefined || !Number.isFinite(value) || (this.isPositive && value <= 0)) continue;
      if (value < this.lo) this.lo = value;
      if (value > this.hi) this.hi = value;
    }
  }

  /** Wider by `room`, but not beyond what there is. */
  widen(room: number, limit: Extent): void {
    this.lo = Math.max(limit.lo, this.lo - room);
    this.hi = Math.min(limit.hi, this.hi + room);
  }

  include({ lo, hi }: Extent): void {
    this.lo = Math.min(this.lo, lo);
    this.hi = Math.max(this.hi, hi);
  }

  /** Not further than a little beyond `usual`, if it goes beyond all measure. */
  limit(usual: Extent): void {
    const far = usual.beyond(RUNAWAY);
    const near = usual.beyond(RUNAWAY_ROOM);
    if (this.lo < far.lo) this.lo = near.lo;
    if (this.hi > far.hi) this.hi = near.hi;
  }

  /** This range and so many times its span on either side; on a log axis the span is a factor. */
  private beyond(spans: number): { lo: number; hi: number } {
    if (this.isPositive) {
      const factor = (this.hi / this.lo) ** spans;
      return { lo: this.lo / factor, hi: this.hi * factor };
    }
    const room = (this.hi - this.lo) * spans;
    return { lo: this.lo - room, hi: this.hi + room };
  }

  get isEmpty(): boolean {
    return this.lo > this.hi;
  }
}

function within(curve: Curve, window: Range | null): [number, number] {
  const { x } = curve.series;
  if (window === null) return [0, x.length - 1];
  return [Math.max(0, indexAtOrBefore(x, window[0])), Math.min(x.length - 1, indexAtOrBefore(x, window[1]) + 1)];
}

function plainExtent({ mean }: Series, from: number, to: number, isLog: boolean): Extent {
  const extent = new Extent(isLog);
  extent.add(mean, from, to);
  return extent;
}

function clippedExtent(series: Series, from: number, to: number, isLog: boolean): Extent {
  const extent = new Extent(isLog);
  extent.add(runningMedian(series), from, to);
  if (!extent.isEmpty) extent.widen(NOISE_ROOM * noiseOf(series), plainExtent(series, from, to, isLog));
  return extent;
}

/** What a curve asks for by itself. */
function firmExtent(curve: Curve, window: Range | null, choice: RangeChoice): { extent: Extent; from: number; to: number } {
  const [from, to] = within(curve, window);
  const { series } = curve;
  const extent = choice.isClipped ? clippedExtent(series, from, to, choice.isLog) : plainExtent(series, from, to, choice.isLog);
  const isGroup = curve.line.runIds.length > 1;
  // A group's band is half of what its line says.
  if (isGroup || (choice.hasBand && !choice.isClipped)) {
    const least = extent.lo;
    extent.add(series.min, from, to);
    extent.add(series.max, from, to);
    // Mean less deviation may come as near to zero as it likes, and each step there is a decade of a log axis.
    if (isGroup && choice.isLog && Number.isFinite(least)) extent.lo = Math.max(extent.lo, least / BAND_FACTOR);
  }
  return { extent, from, to };
}

function hasBroken({ series }: Curve): boolean {
  return series.nonfinite > 0;
}

export function yRange(curves: readonly Curve[], window: Range | null, choice: RangeChoice): Range {
  const extents = curves.map((curve) => ({ curve, ...firmExtent(curve, window, choice) }));
  const firm = new Extent(choice.isLog);
  const loose = new Extent(choice.isLog);
  // Those that broke come last, when it is known what the others span.
  for (const isBroken of [false, true]) {
    const usual = new Extent(choice.isLog);
    usual.include(firm);
    for (const { curve, extent, from, to } of extents) {
      if (hasBroken(curve) !== isBroken) continue;
      if (isBroken && choice.isClipped && usual.hi > usual.lo) extent.limit(usual);
      firm.include(extent);
      loose.add(curve.values, from, to);
    }
  }
  if (firm.isEmpty) return choice.isLog ? [0.1, 10] : [0, 1];
  let { lo, hi } = firm;
  if (!loose.isEmpty) {
    const allowance = choice.isClipped ? (hi - lo) * LINE_ALLOWANCE : Number.POSITIVE_INFINITY;
    hi = Math.max(hi, Math.min(loose.hi, hi + allowance));
    if (choice.isLog) lo = Math.min(lo, loose.lo);
    else lo = Math.min(lo, Math.max(loose.lo, lo - allowance));
  }
  return padded(lo, hi, choice.isLog);
}

function padded(lo: number, hi: number, isLog: boolean): Range {
  if (isLog) {
    const room = hi / lo < 1.05 ? 1.5 : Math.max(1.06, (hi / lo) ** 0.04);
    return [lo / room, hi * room];
  }
  if (hi === lo) {
    const room = Math.abs(hi) * 0.1 || 1;
    return [lo - room, hi + room];
  }
  const room = (hi - lo) * 0.06;
  return [lo - room, hi + room];
}

/**
 * Whether a log axis is asked for, or suits the curves: positive throughout, over more than a decade or so. A schedule
 * is read on a linear axis, where its shape is the one that was programmed, and so are shares that rise towards 1. Curves
 * that broke have no say as long as there are others.
 */
export function wantsLog(choice: ScaleChoice, curves: readonly Curve[]): boolean {
  if (choice === "linear" || (choice === "auto" && curves.every((curve) => curve.isNoiseFree))) return false;
  const whole = curves.filter((curve) => !hasBroken(curve));
  const judged = choice === "auto" && whole.length > 0 ? whole : curves;
  const all = new Extent(false);
  for (const { series } of judged) all.add(runningMedian(series), 0, series.x.length - 1);
  if (all.isEmpty) return false;
  if (choice === "log") return all.hi > 0;
  return all.lo > 0 && all.hi / all.lo > LOG_FACTOR && !(all.hi <= 1 && doMostRise(judged));
}

function doMostRise(curves: readonly Curve[]): boolean {
  const rising = curves.filter(({ series }) => {
    const median = runningMedian(series);
    return at(median, median.length - 1) > at(median, 0);
  });
  return rising.length * 2 > curves.length;
}

/** Where ticks go: round numbers, round durations, whole hours and days, and 1-2-5 on a log axis. */
import { at, type Range, type XAxis } from "../series/series";

/** Ticks of a linear axis, at most about `most` of them. */
export function linearTicks([lo, hi]: Range, most: number): number[] {
  const gap = roundGap((hi - lo) / Math.max(1, most));
  return multiples(lo, hi, gap);
}

/** The gap of 1, 2 or 5 times a power of ten that is not smaller than `least`. */
export function roundGap(least: number): number {
  if (!(least > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(least));
  for (const factor of [1, 2, 5]) if (factor * unit >= least * 0.999999) return factor * unit;
  return 10 * unit;
}

const SECOND = 1000;
const TIME_GAPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  60 * SECOND, 120 * SECOND, 300 * SECOND, 600 * SECOND, 900 * SECOND, 1800 * SECOND, 3600 * SECOND,
  7200 * SECOND, 10_800 * SECOND, 21_600 * SECOND, 43_200 * SECOND, 86_400 * SECOND,
];
const DAY_MS = 86_400 * SECOND;

/** Ticks of an axis in milliseconds; `isClock` lays them on whole local hours. */
export function timeTicks([lo, hi]: Range, most: number, isClock: boolean): number[] {
  const least = (hi - lo) / Math.max(1, most);
  const gap = TIME_GAPS.find((candidate) => candidate >= least) ?? DAY_MS * roundGap(least / DAY_MS);
  const shift = isClock ? new Date(lo).getTimezoneOffset() * 60 * SECOND : 0;
  return multiples(lo - shift, hi - shift, gap).map((tick) => tick + shift);
}

export function xTicks(axis: XAxis, range: Range, most: number): number[] {
  if (axis === "relative") return timeTicks(range, most, false);
  if (axis === "time") return timeTicks(range, most, true);
  return linearTicks(range, most);
}

export function logTicks([lo, hi]: Range, most: number): number[] {
  const decades = Math.log10(hi / lo);
  const factors = decades > most ? [1] : decades * 2 > most ? [1] : decades * 3 > most ? [1, 3] : [1, 2, 5];
  const skip = Math.max(1, Math.ceil(decades / Math.max(1, most)));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(lo)); power <= Math.ceil(Math.log10(hi)); power++) {
    if (factors.length === 1 && power % skip !== 0) continue;
    for (const factor of factors) {
      const tick = Number(`${factor}e${power}`);
      if (tick >= lo && tick <= hi) ticks.push(tick);
    }
  }
  // Less than a decade may hold no such number: linear ticks then read better than none.
  return ticks.length >= 2 ? ticks : linearTicks([lo, hi], most).filter((tick) => tick > 0);
}

export function gapOf(ticks: readonly number[]): number {
  return ticks.length > 1 ? at(ticks, 1) - at(ticks, 0) : 0;
}

function multiples(lo: number, hi: number, gap: number): number[] {
  const ticks: number[] = [];
  const last = Math.floor(hi / gap + 1e-9);
  for (let k = Math.ceil(lo / gap - 1e-9); k <= last; k++) {
    // Through text, so that 3 x 0.1 is 0.3.
    ticks.push(Number((k * gap).toPrecision(12)));
  }
  return ticks;
}

/** Which part of x to ask for when the page is zoomed, and how the finer part is set into the overview. */
import { at, indexAtOrBefore, type Column, type Range, type Series } from "./series";

/**
 * The range to fetch for a visible window: wider on both sides and cut at multiples of a power of two, so that a
 * small pan finds its data in the cache. Never wider than twice the window, which is why a fine
 * request asks for twice as many buckets as the panel has pixels.
 */
export function fetchRange([lo, hi]: Range): Range {
  const span = hi - lo;
  if (!(span > 0)) return [lo, hi];
  const cut = 2 ** Math.floor(Math.log2(span)) / 4;
  return [(Math.floor(lo / cut) - 1) * cut, (Math.ceil(hi / cut) + 1) * cut];
}

/** Whether the overview already shows each point inside the range by itself: then there is nothing finer to fetch. */
export function showsEveryPoint({ x, count }: Series, [lo, hi]: Range): boolean {
  for (let i = Math.max(0, indexAtOrBefore(x, lo)); i < x.length && at(x, i) <= hi; i++) {
    if (at(count, i) > 1) return false;
  }
  return true;
}

/**
 * The overview outside of `range`, the finer series inside: lines run on past the edges of the window, and an average
 * that looks back has its history.
 */
export function splice(overview: Series, fine: Series, [lo, hi]: Range): Series {
  const head = lowerBound(overview.x, lo);
  const tail = lowerBound(overview.x, hi, true);
  // A bucket of the overview that straddles `lo` holds points which the finer series holds too: it is left out.
  const keepHead = head > 0 && overview.x.length > head && at(overview.count, head - 1) > 1 ? head - 1 : head;
  const join = (a: Column, b: Column): Float64Array => {
    const out = new Float64Array(keepHead + b.length + (a.length - tail));
    out.set(a.subarray(0, keepHead));
    out.set(b, keepHead);
    out.set(a.subarray(tail), keepHead + b.length);
    return out;
  };
  const count = new Float64Array(keepHead + fine.x.length + (overview.x.length - tail));
  count.set(overview.count.subarray(0, keepHead));
  count.set(fine.count, keepHead);
  count.set(overview.count.subarray(tail), keepHead + fine.x.length);
  return {
    ...overview,
    x: join(overview.x, fine.x),
    mean: join(overview.mean, fine.mean),
    min: join(overview.min, fine.min),
    max: join(overview.max, fine.max),
    count,
  };
}

/** First index whose x is >= value (or > value). */
function lowerBound(x: Float64Array, value: number, isStrict = false): number {
  let lo = 0;
  let hi = x.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    const here = at(x, mid);
    if (isStrict ? here <= value : here < value) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

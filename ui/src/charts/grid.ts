/** Axes of several series as one. Series of one answer mostly share theirs, and then nothing is copied. */
import { at } from "../series/series";

/** The union of ascending axes. */
export function sharedGrid(axes: readonly Float64Array[]): Float64Array {
  let longest: Float64Array = new Float64Array(0);
  for (const axis of axes) if (axis.length > longest.length) longest = axis;
  if (axes.every((axis) => startsAt(longest, axis) !== null)) return longest;
  const all = new Float64Array(axes.reduce((sum, axis) => sum + axis.length, 0));
  let place = 0;
  for (const axis of axes) {
    all.set(axis, place);
    place += axis.length;
  }
  all.sort();
  let kept = 0;
  for (let i = 0; i < all.length; i++) {
    const x = at(all, i);
    if (kept === 0 || x !== at(all, kept - 1)) all[kept++] = x;
  }
  return all.subarray(0, kept);
}

/** Where `axis` lies as a contiguous slice of `grid`; null when it does not. */
function startsAt(grid: Float64Array, axis: Float64Array): number | null {
  if (axis.length === 0) return 0;
  let lo = 0;
  let hi = grid.length;
  const first = at(axis, 0);
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (at(grid, mid) < first) lo = mid + 1;
    else hi = mid;
  }
  if (lo + axis.length > grid.length) return null;
  for (let i = 0; i < axis.length; i++) if (grid[lo + i] !== axis[i]) return null;
  return lo;
}

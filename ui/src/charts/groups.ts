/**
 * The mean of several runs as one series. Each run counts once, however densely it logged, and holds its last value
 * until its next bucket; after its last point it is out, and the number of members falls. The band is the
 * sample standard deviation around the mean.
 */
import { at, indexAtOrBefore, type Series } from "../series/series";
import { sharedGrid } from "./grid";

const merged = new WeakMap<Series, { members: readonly Series[]; series: Series }>();

export function groupSeries(members: readonly Series[]): Series {
  const [first] = members;
  if (first === undefined) throw new RangeError("a group needs a member");
  const known = merged.get(first);
  if (known !== undefined && known.members.length === members.length && known.members.every((m, i) => m === members[i])) {
    return known.series;
  }
  const series = mergeMembers(first, members);
  merged.set(first, { members, series });
  return series;
}

function mergeMembers(first: Series, members: readonly Series[]): Series {
  const x = sharedGrid(members.map((member) => member.x));
  const mean = new Float64Array(x.length);
  const min = new Float64Array(x.length);
  const max = new Float64Array(x.length);
  const count = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    let n = 0;
    let average = 0;
    let spread = 0;
    for (const member of members) {
      const value = heldValue(member, at(x, i));
      if (value === null) continue;
      n++;
      const step = value - average;
      average += step / n;
      spread += step * (value - average);
    }
    const deviation = n > 1 ? Math.sqrt(spread / (n - 1)) : 0;
    count[i] = n;
    mean[i] = n > 0 ? average : Number.NaN;
    min[i] = n > 0 ? average - deviation : Number.NaN;
    max[i] = n > 0 ? average + deviation : Number.NaN;
  }
  return {
    ...first,
    n: members.reduce((sum, member) => sum + member.n, 0),
    nonfinite: members.reduce((sum, member) => sum + member.nonfinite, 0),
    nonfiniteFirst: null,
    x, mean, min, max, count,
  };
}

function heldValue(series: Series, x: number): number | null {
  const n = series.x.length;
  if (n === 0 || x < at(series.x, 0) || x > at(series.x, n - 1)) return null;
  for (let i = indexAtOrBefore(series.x, x); i >= 0; i--) {
    const value = at(series.mean, i);
    if (!Number.isNaN(value)) return value;
  }
  return null;
}

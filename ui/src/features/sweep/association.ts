/**
 * How much each parameter alone has to do with the target: association, not cause, and not a model.
 *
 * Both sides are ranked, so a diverged run or a log-spaced parameter does not rule the figure. The runs are put into groups
 * by the parameter (its categories, or up to five quantile bins), and the share of the variance of the ranks between the
 * groups is corrected for chance (epsilon squared, 0 to 1). It sees a best value in the middle, which a correlation misses.
 * Spearman's rho tells the direction where there is one. The p-value comes from shuffling the target.
 */
import { at } from "../../series/series";
import type { Dimension } from "./sweep-data";

export interface Association {
  readonly key: string;
  /** Corrected share of rank variance explained, 0 to 1. */
  readonly share: number;
  /** Spearman's rank correlation; null for categories. */
  readonly rho: number | null;
  /** How often a shuffled target explains as much. */
  readonly p: number;
  /** Runs that have both the parameter and a finite target. */
  readonly n: number;
}

/** With fewer runs every figure is chance. */
export const LEAST_RUNS = 8;
const MOST_BINS = 5;
const SHUFFLES = 200;
/** A numeric parameter with so few values is not binned. */
const MOST_VALUES = 8;

export function associations(params: readonly Dimension[], target: Dimension): Association[] {
  return params
    .flatMap((param) => {
      const found = associate(param, target);
      return found === null ? [] : [found];
    })
    .toSorted((a, b) => b.share - a.share || a.p - b.p);
}

export function associate(param: Dimension, target: Dimension): Association | null {
  const xs: number[] = [];
  const ys: number[] = [];
  param.values.forEach((x, i) => {
    const y = at(target.values, i);
    if (Number.isNaN(x) || !Number.isFinite(y)) return;
    xs.push(x);
    ys.push(y);
  });
  if (xs.length < LEAST_RUNS) return null;
  const group = groupsOf(xs, param.kind);
  const groups = Math.max(...group) + 1;
  if (groups < 2 || groups >= xs.length) return null;
  const ranks = rank(ys);
  const share = explained(group, groups, ranks);
  return {
    key: param.key,
    share: Math.max(0, share),
    rho: param.kind === "number" ? correlation(rank(xs), ranks) : null,
    p: chance(group, groups, ranks, share),
    n: xs.length,
  };
}

/** Ranks from 1; equal values share the middle of theirs. */
export function rank(values: readonly number[]): Float64Array {
  const order = values.map((_, i) => i).toSorted((a, b) => at(values, a) - at(values, b));
  const ranks = new Float64Array(values.length);
  for (let i = 0; i < order.length; ) {
    let end = i;
    while (end + 1 < order.length && at(values, at(order, end + 1)) === at(values, at(order, i))) end++;
    for (let k = i; k <= end; k++) ranks[at(order, k)] = (i + end) / 2 + 1;
    i = end + 1;
  }
  return ranks;
}

function groupsOf(xs: readonly number[], kind: Dimension["kind"]): number[] {
  const distinct = [...new Set(xs)].toSorted((a, b) => a - b);
  if (kind === "category" || distinct.length <= MOST_VALUES) {
    const place = new Map(distinct.map((value, i) => [value, i]));
    return xs.map((x) => place.get(x) ?? 0);
  }
  const sorted = xs.toSorted((a, b) => a - b);
  const bins = Math.max(2, Math.min(MOST_BINS, Math.floor(xs.length / 4)));
  const cuts = Array.from({ length: bins - 1 }, (_, i) => at(sorted, Math.floor(((i + 1) * sorted.length) / bins)));
  const raw = xs.map((x) => cuts.filter((cut) => x >= cut).length);
  // Many equal values may leave a bin empty.
  const used = new Map([...new Set(raw)].toSorted((a, b) => a - b).map((bin, i) => [bin, i]));
  return raw.map((bin) => used.get(bin) ?? 0);
}

/** Epsilon squared: what groups explain, less what as many groups would explain by chance. */
function explained(group: readonly number[], groups: number, ranks: Float64Array): number {
  const n = ranks.length;
  const mean = (n + 1) / 2;
  const sums = new Float64Array(groups);
  const counts = new Float64Array(groups);
  let total = 0;
  for (let i = 0; i < n; i++) {
    const g = at(group, i);
    sums[g] = at(sums, g) + at(ranks, i);
    counts[g] = at(counts, g) + 1;
    total += (at(ranks, i) - mean) ** 2;
  }
  if (total === 0) return 0;
  let between = 0;
  for (let g = 0; g < groups; g++) between += at(counts, g) * (at(sums, g) / at(counts, g) - mean) ** 2;
  const noise = (total - between) / (n - groups);
  return (between - (groups - 1) * noise) / total;
}

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (a.length + 1) / 2;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [at(a, i) - mean, at(b, i) - mean];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

function chance(group: readonly number[], groups: number, ranks: Float64Array, share: number): number {
  const shuffled = ranks.slice();
  // Always the same shuffles: a figure that changes on its own is no figure.
  let state = 0x9e3779b9;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  let asMuch = 0;
  for (let k = 0; k < SHUFFLES; k++) {
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      const held = at(shuffled, i);
      shuffled[i] = at(shuffled, j);
      shuffled[j] = held;
    }
    if (explained(group, groups, shuffled) >= share) asMuch++;
  }
  return (asMuch + 1) / (SHUFFLES + 1);
}

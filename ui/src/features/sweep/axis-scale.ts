/** Where a value of a dimension lies on its axis, 0 to 1, and what the axis says there. */
import { formatTick } from "../../charts/numbers";
import { linearTicks, logTicks } from "../../charts/ticks";
import type { Dimension } from "./sweep-data";

export interface AxisScale {
  /** 0 to 1; NaN for a missing value. */
  readonly place: (value: number) => number;
  readonly ticks: readonly { readonly place: number; readonly label: string }[];
}

/** A value that was given, as it was given: 1024 and not 1.024k, 3e−4 and not 0.0003. */
export function formatGiven(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return formatTick(value);
  return String(Number(value.toPrecision(7))).replace("-", "−");
}

/** More categories than this get no label each. */
const MOST_LABELS = 24;

export function axisScale({ kind, values, labels, isLog }: Dimension, mostTicks: number): AxisScale {
  if (kind === "category") {
    const last = Math.max(1, labels.length - 1);
    const place = (value: number): number => (labels.length === 1 ? 0.5 : value / last);
    const skip = Math.ceil(labels.length / Math.min(MOST_LABELS, Math.max(2, mostTicks * 2)));
    return { place, ticks: labels.flatMap((label, i) => (i % skip === 0 ? [{ place: place(i), label }] : [])) };
  }
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    lo = Math.min(lo, value);
    hi = Math.max(hi, value);
  }
  if (lo > hi) return { place: () => Number.NaN, ticks: [] };
  if (lo === hi) return { place: (value) => (Number.isFinite(value) ? 0.5 : Number.NaN), ticks: [{ place: 0.5, label: formatGiven(lo) }] };
  const measure = isLog ? Math.log10 : (value: number): number => value;
  const [from, to] = [measure(lo), measure(hi)];
  const place = (value: number): number => (Number.isFinite(value) ? (measure(value) - from) / (to - from) : Number.NaN);
  const given = new Set(values);
  // A grid search has few values: the axis names those and no others.
  const distinct = given.size <= mostTicks ? [...given].filter(Number.isFinite).toSorted((a, b) => a - b) : null;
  const at = distinct ?? (isLog ? logTicks([lo, hi], mostTicks) : linearTicks([lo, hi], mostTicks));
  return { place, ticks: at.map((value) => ({ place: place(value), label: distinct === null ? formatTick(value) : formatGiven(value) })) };
}

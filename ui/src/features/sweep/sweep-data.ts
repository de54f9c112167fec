/**
 * The runs of an experiment as points: their parameters and one number to judge them by. A parameter is a number where every
 * value that is given reads as one; else its values are categories. Pure; what fetches it is in SweepPage.
 */
import { directionOf, type Direction } from "../../charts/direction";
import { naturalOrder } from "../../lib/intl";

export interface SweepRun {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  /** Milliseconds since 1970; null when the server did not say. */
  readonly startedAt: number | null;
}

export interface Dimension {
  readonly key: string;
  /** The name in the query language. */
  readonly column: string;
  readonly kind: "number" | "category";
  /** Numbers, or places in `labels`; NaN where a run has none. */
  readonly values: Float64Array;
  /** Of categories, in the order of the axis. */
  readonly labels: readonly string[];
  /** Spread over more than two decades, all positive: a log axis reads better. */
  readonly isLog: boolean;
}

export interface Sweep {
  readonly runs: readonly SweepRun[];
  readonly params: readonly Dimension[];
  readonly target: Dimension;
  readonly direction: Direction;
}

type Text = string | number | null;

/** Log axes from this ratio on. */
const LOG_RATIO = 50;

export function makeDimension(key: string, column: string, cells: readonly Text[]): Dimension {
  const numbers = cells.map(toNumber);
  const isNumber = cells.every((cell, i) => cell === null || numbers[i] !== null) && cells.some((cell) => cell !== null);
  if (isNumber) {
    const values = Float64Array.from(numbers, (value) => value ?? Number.NaN);
    return { key, column, kind: "number", values, labels: [], isLog: suitsLog(values) };
  }
  const labels = [...new Set(cells.filter((cell) => cell !== null).map(String))].toSorted(naturalOrder);
  const place = new Map(labels.map((label, i) => [label, i]));
  const values = Float64Array.from(cells, (cell) => (cell === null ? Number.NaN : (place.get(String(cell)) ?? Number.NaN)));
  return { key, column, kind: "category", values, labels, isLog: false };
}

/** Parameters that take at least two values: one that never changes cannot matter. */
export function differing(params: readonly Dimension[]): Dimension[] {
  return params.filter(({ values }) => new Set(values).size > 1);
}

export function makeSweep(runs: readonly SweepRun[], params: readonly Dimension[], target: Dimension): Sweep {
  return { runs, params: differing(params), target, direction: directionOf(target.key) };
}

/** Non-finite values come as words; they place no run on an axis. */
function toNumber(cell: Text): number | null {
  if (cell === null) return null;
  if (typeof cell === "number") return cell;
  if (cell === "NaN" || cell === "Infinity" || cell === "-Infinity") return Number.NaN;
  const trimmed = cell.trim();
  const value = Number(trimmed);
  return trimmed === "" || Number.isNaN(value) ? null : value;
}

function suitsLog(values: Float64Array): boolean {
  let lo = Number.POSITIVE_INFINITY;
  let hi = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (value <= 0) return false;
    lo = Math.min(lo, value);
    hi = Math.max(hi, value);
  }
  return hi / lo > LOG_RATIO;
}

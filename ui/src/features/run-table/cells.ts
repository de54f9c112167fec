/** How the cells of the table are written. */
import { formatValue } from "../../charts/numbers";
import type { Cell } from "../../api/table";
import { age, duration } from "../../lib/time";
import type { Column } from "./columns";

const MINUS = "\u2212";
const WORDS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/** The number behind a cell of a metric; null where there is none. */
export function cellNumber(cell: Cell | undefined): number | null {
  if (typeof cell === "number") return cell;
  return typeof cell === "string" ? (WORDS[cell] ?? null) : null;
}

/** Milliseconds since 1970, however the server wrote the time. */
export function cellTime(cell: Cell | undefined): number | null {
  if (typeof cell === "number") return cell;
  if (typeof cell !== "string") return null;
  const ms = Date.parse(cell);
  return Number.isNaN(ms) ? null : ms;
}

export function formatCell(column: Column, cell: Cell | undefined, now: number): string {
  if (cell === null || cell === undefined) return "";
  if (column.kind === "metric") {
    const value = cellNumber(cell);
    if (value === null) return "";
    return column.aggregate === "n" ? value.toLocaleString("en-US") : formatNarrow(value);
  }
  if (column.kind === "attribute") return formatAttribute(column.key, cell, now);
  return formatParam(String(cell));
}

/** Like everywhere, but a huge value has two digits: it is wrong by far more than the third, and must not widen the column. */
function formatNarrow(value: number): string {
  if (!Number.isFinite(value) || Math.abs(value) < 1e7) return formatValue(value);
  return value.toExponential(1).replace("e+", "e").replace(/^-/, MINUS);
}

function formatAttribute(key: string, cell: string | number, now: number): string {
  if (key === "duration") return typeof cell === "number" ? duration(cell) : String(cell);
  if (key === "start_time" || key === "end_time" || key === "created_at" || key === "last_updated") {
    const ms = cellTime(cell);
    return ms === null ? String(cell) : age(ms, now);
  }
  return String(cell);
}

/** A param is shown as it was logged; only small numbers and long ones are shortened. */
export function formatParam(text: string): string {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value === 0) return text;
  const size = Math.abs(value);
  if (size < 0.001) return value.toExponential().replace("-", MINUS).replace("e-", `e${MINUS}`);
  return text.length > 8 && !Number.isInteger(value) ? formatValue(value) : text.replace(/^-/, MINUS);
}

/** The difference to the baseline, with its sign. */
export function formatDelta(value: number | null, baseline: number | null): string {
  if (value === null || baseline === null) return "";
  const delta = value - baseline;
  if (Number.isNaN(delta)) return "";
  if (delta === 0) return "0";
  return delta > 0 ? `+${formatValue(delta)}` : formatValue(delta);
}

/** How numbers are written on axes, in headers and read-outs: short, aligned, with a true minus sign. */
import { dateFormat, numberFormat } from "../lib/intl";
import type { XAxis } from "../series/series";

const MINUS = "\u2212";

function signed(text: string): string {
  return text.replace(/-/g, MINUS);
}

/** A value for reading: about four digits, the same number of decimals over a metric's usual range. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 0.001) return signed(value.toExponential(1));
  if (size >= 1e9) return signed(value.toExponential(3));
  if (size >= 1000) return signed(group(Math.round(value)));
  if (Number.isInteger(value)) return signed(String(value));
  if (size >= 100) return signed(value.toFixed(1));
  if (size >= 10) return signed(value.toFixed(2));
  return signed(value.toFixed(size >= 1 ? 3 : 4));
}

/** A whole number in groups of three. */
export const group = numberFormat({ maximumFractionDigits: 0 });

/** A tick: as short as the number allows. */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e15 || size < 1e-3) return signed(value.toExponential().replace("+", ""));
  for (const [unit, suffix] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]] satisfies [number, string][]) {
    if (size >= unit) return signed(String(Number((value / unit).toPrecision(6)))) + suffix;
  }
  return signed(String(Number(value.toPrecision(6))));
}

/** Counts in a sentence: 13.0 M, 56 k, 812. */
export function formatCount(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} B`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e4) return `${Math.round(value / 1e3)} k`;
  return group(value);
}

/** A length of time in two units at most. */
export function formatDuration(seconds: number): string {
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? MINUS : "";
  if (size < 1) return `${sign}${Math.round(size * 1000)} ms`;
  if (size < 60) return `${sign}${Number(size.toFixed(size < 10 ? 1 : 0))} s`;
  const units: [number, string][] = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const start = units.findIndex(([length]) => size >= length);
  let rest = Math.round(size);
  const parts: string[] = [];
  for (const [length, letter] of units.slice(start, start + 2)) {
    const whole = Math.floor(rest / length);
    rest -= whole * length;
    if (whole > 0) parts.push(`${whole}${letter}`);
  }
  return sign + parts.join(" ");
}

const clock = dateFormat({ hour: "2-digit", minute: "2-digit" });
const clockSeconds = dateFormat({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = dateFormat({ day: "numeric", month: "short" });
const dayClock = dateFormat({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const exact = numberFormat({ maximumSignificantDigits: 12 });

/** Writing of x, by its kind. `relative` counts milliseconds since the run began, `time` since 1970. */
export interface XFormat {
  /** On an axis; `gap` is the distance between ticks. */
  readonly tick: (x: number, gap: number) => string;
  /** In a read-out: exact. */
  readonly exact: (x: number) => string;
}

export function xFormat(axis: XAxis): XFormat {
  switch (axis) {
    case "relative":
      return { tick: (x) => (x === 0 ? "0" : formatDuration(x / 1000)), exact: (x) => formatDuration(x / 1000) };
    case "time":
      return { tick: formatClock, exact: (x) => dayClock(x) };
    case "step":
      return { tick: formatTick, exact: exactNumber };
    default:
      return { tick: formatTick, exact: exactNumber };
  }
}

function formatClock(x: number, gap: number): string {
  const date = new Date(x);
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (gap >= 86_400_000 || isMidnight) return day(x);
  return gap >= 60_000 ? clock(x) : clockSeconds(x);
}

function exactNumber(x: number): string {
  return signed(exact(x));
}

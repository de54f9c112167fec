/** Times as people say them. */
import { dateFormat } from "./intl";

const UNITS: readonly (readonly [number, string])[] = [
  [31_557_600_000, "y"],
  [2_629_800_000, "mo"],
  [604_800_000, "w"],
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "m"],
  [1_000, "s"],
];

/** How long ago, in one unit: 12s, 3h, 5d. */
export function age(ms: number, now: number): string {
  const passed = now - ms;
  if (passed < 1_000) return "now";
  for (const [length, unit] of UNITS) if (passed >= length) return `${Math.floor(passed / length)}${unit}`;
  return "now";
}

/** A length of time in two units at most: 2h 14m. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1_000) * 1_000;
  for (const [length, unit] of UNITS.slice(3)) {
    const whole = Math.floor(rest / length);
    if (whole === 0 && parts.length === 0) continue;
    rest -= whole * length;
    if (whole > 0) parts.push(`${whole}${unit}`);
    if (parts.length === 2 || rest === 0) break;
  }
  return parts.join(" ");
}

export const fullTime = dateFormat({
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

export const clock = dateFormat({ hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** The data of a panel as CSV: a row for each bucket of each line. */
import { at } from "../series/series";
import type { Curve } from "./curves";

export function toCsv(xName: string, curves: readonly Curve[]): string {
  const rows = [["line", "run_ids", xName, "shown", "mean", "min", "max", "points"].map(cell).join(",")];
  for (const { line, series, values } of curves) {
    const name = [cell(line.label), cell(line.runIds.join(" "))];
    for (let i = 0; i < series.x.length; i++) {
      if (at(series.count, i) === 0) continue;
      const numbers = [series.x, values, series.mean, series.min, series.max, series.count].map((column) => at(column, i));
      rows.push([...name, ...numbers.map(String)].join(","));
    }
  }
  return `${rows.join("\r\n")}\r\n`;
}

/** A leading = + - @ would make a spreadsheet compute a name: it gets an apostrophe. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

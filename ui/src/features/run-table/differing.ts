/** Which params tell the runs apart: they make the default columns and the labels of lines. */
import type { Cell, TablePage } from "../../api/table";
import { parseColumn, type Column } from "./columns";

/** Longer values are paths and configurations; they identify, but nobody reads them in a column. */
const LONGEST = 40;

/** The columns of a page whose values differ between its runs, the ones that are spoken of first, then the coarsest. */
export function differingColumns(page: TablePage): Column[] {
  const n = page.run_ids.length;
  const found: { column: Column; distinct: number }[] = [];
  for (const [id, cells] of Object.entries(page.columns)) {
    const column = parseColumn(id);
    if (column === null || column.kind === "attribute" || column.kind === "metric") continue;
    const distinct = new Set(cells).size;
    if (distinct < 2 || cells.some((cell) => typeof cell === "string" && cell.length > LONGEST)) continue;
    // Another value for every one of many runs, and no number: a name, not a setting.
    if (distinct === n && n > 8 && !cells.every(isNumberText)) continue;
    found.push({ column, distinct });
  }
  return found
    .sort((a, b) => rank(a.column.key) - rank(b.column.key) || a.distinct - b.distinct || (a.column.key < b.column.key ? -1 : 1))
    .map(({ column }) => column);
}

/** What people vary first and speak of by name; then anything else; repetitions last. */
const FIRST = [/(^|[._/])(model|arch\w*|network)$/i, /(^|[._/])optimi[sz]er$/i, /(^|[._/])(lr|learning_rate)$/i, /(^|[._/])batch_?size$/i];
const SEED = /(^|[._/])(seed|fold|trial|repeat)$/i;

function rank(key: string): number {
  const first = FIRST.findIndex((rule) => rule.test(key));
  if (first >= 0) return first - FIRST.length;
  return SEED.test(key) ? 1 : 0;
}

export function isNumberText(cell: Cell): boolean {
  if (typeof cell === "number" || cell === null) return true;
  return cell.trim() !== "" && Number.isFinite(Number(cell));
}

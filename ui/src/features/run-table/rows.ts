/** Rows of the table as components use them, read from the column-wise pages of the API. */
import type { Cell, TablePage } from "../../api/table";
import { RUN_STATUSES, type RunStatus } from "../../lib/run-status";
import { cellTime } from "./cells";

export interface RunRow {
  readonly id: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly startMs: number | null;
  readonly cells: Readonly<Record<string, Cell>>;
}

/** Every page has these, whatever columns are shown. */
export const LEADING_COLUMNS: readonly string[] = ["name", "status", "start_time"];

export function requestColumns(ids: readonly string[]): string[] {
  return [...new Set([...LEADING_COLUMNS, ...ids])];
}

const cache = new WeakMap<TablePage, readonly RunRow[]>();

/** The rows of a page; the same page gives the same rows, so unchanged rows do not render again. */
export function rowsOf(page: TablePage): readonly RunRow[] {
  let rows = cache.get(page);
  if (rows === undefined) {
    rows = page.run_ids.map((id, i) => rowAt(page, id, i));
    cache.set(page, rows);
  }
  return rows;
}

function rowAt(page: TablePage, id: string, i: number): RunRow {
  const cells: Record<string, Cell> = {};
  for (const [column, values] of Object.entries(page.columns)) cells[column] = values[i] ?? null;
  const status = cells["status"];
  return {
    id,
    name: String(cells["name"] ?? id),
    status: RUN_STATUSES.find((known) => known === status) ?? "finished",
    startMs: cellTime(cells["start_time"]),
    cells,
  };
}

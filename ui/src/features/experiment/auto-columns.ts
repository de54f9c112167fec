/** The columns that are shown until the user chooses: what the runs reached, and what differs between them. */
import type { Column } from "../run-table/columns";
import { parseColumn, plainColumn } from "../run-table/columns";
import { bestColumn } from "../run-table/headline";

const MOST_METRICS = 2;
const MOST_PARAMS = 3;

export function autoColumns(
  headline: Column | null,
  ranked: readonly string[],
  differing: readonly Column[],
  group: readonly string[] = [],
): Column[] {
  const metrics: Column[] = headline === null ? [] : [headline];
  for (const metric of ranked) {
    if (metrics.length >= MOST_METRICS) break;
    if (!metrics.some((column) => column.key === metric)) metrics.push(bestColumn(metric));
  }
  const params = differing.filter((column) => column.kind === "param" && !group.includes(column.id)).slice(0, MOST_PARAMS);
  return [...metrics, ...params, plainColumn("attribute", "start_time")];
}

/** The metric the table is about: the one it is sorted by, else the most telling. */
export function headlineOf(sortColumn: string | null, ranked: readonly string[]): Column | null {
  const sorted = sortColumn === null ? null : parseColumn(sortColumn);
  if (sorted !== null && sorted.kind === "metric") return sorted;
  const [metric] = ranked;
  return metric === undefined ? null : bestColumn(metric);
}

export function chosenColumns(ids: readonly string[]): Column[] {
  return ids.map(parseColumn).filter((column) => column !== null);
}

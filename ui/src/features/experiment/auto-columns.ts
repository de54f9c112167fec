/** The columns that are shown until the user chooses: what the runs reached, and what differs between them. */
import type { Column } from "../run-table/columns";
import { parseColumn, plainColumn } from "../run-table/columns";
import { bestColumn } from "../run-table/headline";

/** What fits beside the charts, and what a table over the whole width can hold. */
export interface Room {
  readonly metrics: number;
  readonly params: number;
  readonly attributes: readonly string[];
}

export const SIDE: Room = { metrics: 2, params: 2, attributes: ["start_time"] };
export const WIDE: Room = { metrics: 6, params: 12, attributes: ["duration", "created_by", "start_time"] };

export function autoColumns(
  headline: Column | null,
  ranked: readonly string[],
  differing: readonly Column[],
  group: readonly string[],
  room: Room,
): Column[] {
  const metrics: Column[] = headline === null ? [] : [headline];
  for (const metric of ranked) {
    if (metrics.length >= room.metrics) break;
    if (!metrics.some((column) => column.key === metric)) metrics.push(bestColumn(metric));
  }
  const params = differing.filter((column) => column.kind === "param" && !group.includes(column.id)).slice(0, room.params);
  return [...metrics, ...params, ...room.attributes.map((key) => plainColumn("attribute", key))];
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

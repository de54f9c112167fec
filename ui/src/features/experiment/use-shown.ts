/** The shown runs as lines of the charts and colours of the table. */
import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { BASELINE_SLOT, colorOf, type PaletteMode, type Theme } from "../../charts/palette";
import type { Line } from "../../charts/curves";
import { useAtOnce } from "../../api/at-once";
import { fetchRows, tableKeys, type TablePage, type TableSearch } from "../../api/table";
import { orderBy, shownIds, type TableView } from "../../lib/view";
import { formatParam } from "../run-table/cells";
import type { Column } from "../run-table/columns";
import { requestColumns, rowsOf, type RunRow } from "../run-table/rows";

/** Runs shown until the user chooses. */
const FIRST_SHOWN = 10;
const MOST_ROWS = 1000;
/** Params named in a line's label. */
const MOST_DETAIL = 3;

interface ShownAsked {
  readonly experimentId: string;
  readonly view: TableView;
  readonly columns: readonly Column[];
  readonly differing: readonly Column[];
  /** The filter of the view is still being checked: nothing may be asked with it. */
  readonly isHeld: boolean;
  /** The columns are known. Until then runs come without any, which is enough for their lines to be asked for. */
  readonly isReady: boolean;
}

export interface Shown {
  /** By slot, holes included. */
  readonly slots: readonly (string | null)[];
  readonly runs: readonly RunRow[];
  readonly baseline: RunRow | null;
  readonly lines: readonly Line[];
  readonly error: Error | null;
}

export function useShown({ experimentId, view, columns, differing, isHeld, isReady }: ShownAsked): Shown {
  const wanted = useMemo(
    () => requestColumns(isReady ? [...columns, ...differing].map((column) => column.id) : []),
    [columns, differing, isReady],
  );
  const chosen = view.shown === null ? null : shownIds(view.shown);
  const baselineId = view.baseline;
  const ids = useMemo(
    () => (chosen === null ? null : [...new Set([...chosen, ...(baselineId === null ? [] : [baselineId])])]),
    // The ids themselves decide, not the array that holds them.
    // oxlint-disable-next-line react/exhaustive-deps
    [chosen?.join(), baselineId],
  );
  const asked = ids === null ? topQuery(experimentId, view, wanted) : idsQuery(experimentId, ids, wanted);
  useAtOnce(asked, isHeld);
  const query = useQuery({ ...asked, placeholderData: keepPreviousData, enabled: !isHeld });
  const alone = useQuery({
    ...idsQuery(experimentId, baselineId === null ? [] : [baselineId], wanted),
    enabled: !isHeld && ids === null && baselineId !== null,
  });
  return useMemo(() => {
    const found = query.data === undefined ? [] : rowsOf(query.data);
    const byId = new Map([...found, ...(alone.data === undefined ? [] : rowsOf(alone.data))].map((run) => [run.id, run]));
    const slots = view.shown ?? found.map((run) => run.id);
    const runs = slots.flatMap((id) => (id === null ? [] : (byId.get(id) ?? [])));
    const baseline = baselineId === null ? null : (byId.get(baselineId) ?? null);
    const lines = slots.flatMap((id, slot): Line[] => {
      const run = id === null ? undefined : byId.get(id);
      return run === undefined ? [] : [lineOf(run, id === baselineId ? BASELINE_SLOT : slot, differing)];
    });
    return { slots, runs, baseline, lines, error: query.error };
  }, [query.data, query.error, alone.data, view.shown, baselineId, differing]);
}

function lineOf(run: RunRow, slot: number, differing: readonly Column[]): Line {
  const detail = differing
    .slice(0, MOST_DETAIL)
    .map((column) => run.cells[column.id])
    .filter((cell) => cell !== null && cell !== undefined)
    .map((cell) => formatParam(String(cell)))
    .join(" ");
  return { id: run.id, label: run.name, detail, runIds: [run.id], slot, isRunning: run.status === "running" };
}

function topQuery(experimentId: string, view: TableView, columns: readonly string[]) {
  const search: TableSearch = { experimentId, columns, filter: view.filter, orderBy: orderBy(view.sort) };
  return queryOptions({
    queryKey: [...tableKeys.all(experimentId), "top", search],
    queryFn: ({ signal }): Promise<TablePage> => fetchRows(search, 0, FIRST_SHOWN, signal),
  });
}

function idsQuery(experimentId: string, ids: readonly string[], columns: readonly string[]) {
  const filter = `id in (${ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(", ")})`;
  const search: TableSearch = { experimentId, columns, filter, orderBy: null };
  return queryOptions({
    queryKey: [...tableKeys.all(experimentId), "ids", search],
    queryFn: async ({ signal }): Promise<TablePage> => {
      if (ids.length === 0) return { total: 0, run_ids: [], columns: {} };
      return fetchRows(search, 0, MOST_ROWS, signal);
    },
  });
}

/** The colour of each run's swatch: its own line's, or that of the group that stands for it. */
export function colorsOf(lines: readonly Line[], theme: Theme, mode: PaletteMode): ReadonlyMap<string, string> {
  const colors = new Map<string, string>();
  for (const line of lines) for (const id of line.runIds) colors.set(id, colorOf(line.slot, theme, mode));
  return colors;
}

/**
 * The rows in sight, fetched by the page. What was shown stays until its successor is here: a new column, order or
 * filter never blanks the table.
 */
import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { groupsQuery, PAGE_ROWS, tablePageQuery, type GroupRow, type TablePage, type TableSearch } from "../../api/table";
import { orderBy, type TableView } from "../../lib/view";
import { allOf, groupCondition, type Column } from "./columns";
import { RowLayout } from "./row-layout";
import { requestColumns, rowsOf, type RunRow } from "./rows";

export interface Group {
  readonly label: string;
  readonly row: GroupRow;
  readonly filter: string;
  readonly isFolded: boolean;
}

export interface TableRows {
  readonly layout: RowLayout;
  readonly groups: readonly Group[];
  /** Runs that the filter takes. */
  readonly total: number | null;
  readonly error: Error | null;
  readonly isLoading: boolean;
  /** What is shown belongs to an earlier question. */
  readonly isStale: boolean;
  readonly runAt: (section: number, index: number) => RunRow | null;
  readonly retry: () => void;
}

export interface RowsAsked {
  readonly experimentId: string;
  readonly view: Pick<TableView, "filter" | "group" | "sort" | "folded">;
  /** The filter of the view is still being checked: nothing may be asked with it. */
  readonly isHeld: boolean;
  readonly columns: readonly Column[];
  /** Columns of which groups show mean and spread. */
  readonly aggregated: readonly string[];
  /** First and last row in sight. */
  readonly range: readonly [number, number];
}

export function useRows({ experimentId, view, isHeld, columns, aggregated, range }: RowsAsked): TableRows {
  const search = useMemo<TableSearch>(
    () => ({
      experimentId,
      columns: requestColumns(columns.map((column) => column.id)),
      filter: view.filter,
      orderBy: orderBy(view.sort),
    }),
    [experimentId, columns, view.filter, view.sort],
  );
  const isGrouped = view.group.length > 0;
  const first = useQuery({ ...tablePageQuery(search, 0), placeholderData: keepPreviousData, enabled: !isHeld });
  const grouped = useQuery({
    ...groupsQuery({ experimentId, by: view.group, columns: aggregated, filter: view.filter }),
    placeholderData: keepPreviousData,
    enabled: isGrouped && !isHeld,
  });

  const groups = useMemo(
    () => (isGrouped ? (grouped.data?.groups ?? []).map((row) => groupOf(row, view)) : []),
    [isGrouped, grouped.data, view],
  );
  const total = first.data?.total ?? null;
  const layout = useMemo(() => {
    if (isGrouped) return new RowLayout(groups.map(({ row, isFolded }) => ({ n: row.n, isFolded })), true);
    return new RowLayout([{ n: total ?? 0, isFolded: false }], false);
  }, [isGrouped, groups, total]);

  const sectionSearch = (section: number): TableSearch => {
    const group = groups[section];
    return group === undefined ? search : { ...search, filter: group.filter };
  };
  // Whoever scrolls goes on: two more pages that way, so that rows are there before they are in sight.
  const ahead = useAhead(range);
  const wanted = layout.pagesOf(range[0] - Math.max(0, -ahead), range[1] + Math.max(0, ahead), PAGE_ROWS);
  const pages = useQueries({
    queries: wanted.map(({ section, page }) => ({ ...tablePageQuery(sectionSearch(section), page), enabled: !isHeld })),
  });

  // The last page seen at each place, whatever its columns: it stands in until the page asked for is here.
  const [seen] = useState(() => new Map<string, TablePage>());
  const place = (section: number, page: number): string => {
    const { filter, orderBy: order } = sectionSearch(section);
    return `${filter}\u0000${order}\u0000${page}`;
  };
  const current = new Map<string, TablePage>();
  wanted.forEach(({ section, page }, i) => {
    const data = pages[i]?.data ?? (isGrouped || page > 0 ? undefined : first.data) ?? seen.get(place(section, page));
    if (data !== undefined) current.set(`${section}:${page}`, data);
  });
  useEffect(() => {
    wanted.forEach(({ section, page }, i) => {
      const data = pages[i]?.data;
      if (data !== undefined) seen.set(place(section, page), data);
    });
  });

  const failed = [first, ...(isGrouped ? [grouped] : []), ...pages].find((query) => query.error !== null);
  return {
    layout,
    groups,
    total,
    error: failed?.error ?? null,
    isLoading: first.isPending || (isGrouped && grouped.isPending),
    isStale: first.isPlaceholderData || (isGrouped && grouped.isPlaceholderData),
    runAt: (section, index) => {
      const page = current.get(`${section}:${Math.floor(index / PAGE_ROWS)}`);
      return page === undefined ? null : (rowsOf(page)[index % PAGE_ROWS] ?? null);
    },
    retry: () => {
      void first.refetch();
      if (isGrouped) void grouped.refetch();
      for (const page of pages) if (page.isError) void page.refetch();
    },
  };
}

const AHEAD_ROWS = 2 * PAGE_ROWS;

/** Rows to fetch beyond those in sight: after them while the table is scrolled down, before them while it is scrolled up. */
function useAhead([from]: readonly [number, number]): number {
  const [was, setWas] = useState({ from, ahead: 0 });
  if (was.from === from) return was.ahead;
  const next = { from, ahead: from > was.from ? AHEAD_ROWS : -AHEAD_ROWS };
  setWas(next);
  return next.ahead;
}

function groupOf(row: GroupRow, view: Pick<TableView, "filter" | "group" | "folded">): Group {
  const label = view.group.map((by) => row.values[by] ?? "none").join(" · ");
  return {
    label,
    row,
    filter: allOf([view.filter, ...view.group.map((by) => groupCondition(by, row.values[by] ?? null))]),
    isFolded: view.folded.includes(label),
  };
}

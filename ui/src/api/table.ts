/** The table of runs by columns, and groups of runs with aggregates. */
import { queryOptions } from "@tanstack/react-query";
import { integer, list, nullable, object, record, ShapeError, text, type Read } from "../lib/shape";
import { getJson, withQuery } from "./client";
import type { GroupsResponse, TableResponse } from "./generated";

/** Text, a number (NaN and the infinities come as words, see `cellNumber`), or nothing. */
export type Cell = string | number | null;

export interface TablePage extends Pick<TableResponse, "total" | "run_ids"> {
  readonly columns: Readonly<Record<string, readonly Cell[]>>;
}

export interface TableSearch {
  readonly experimentId: string;
  readonly columns: readonly string[];
  readonly filter: string;
  readonly orderBy: string | null;
}

export interface GroupRow extends Pick<GroupsResponse["groups"][number], "values" | "n"> {
  readonly aggregates: Readonly<Record<string, Readonly<Record<string, Cell>>>>;
}

export interface GroupList {
  readonly groups: readonly GroupRow[];
  readonly total: number;
}

const readCell: Read<Cell> = (value, place) => {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  throw new ShapeError(place, "text, a number or null", value);
};

const readPage = object<TablePage>({ total: integer, run_ids: list(text), columns: record(list(readCell)) });

const readGroups = object<GroupList>({
  groups: list(
    object<GroupRow>({ values: record(nullable(text)), n: integer, aggregates: record(record(readCell)) }),
  ),
  total: integer,
});

export const PAGE_ROWS = 200;

export const tableKeys = {
  all: (experimentId: string) => ["table", experimentId] as const,
  page: (search: TableSearch, page: number) => ["table", search.experimentId, "page", search, page] as const,
  groups: (search: GroupSearch) => ["table", search.experimentId, "groups", search] as const,
};

function path(experimentId: string, what: string): string {
  return `api/v1/experiments/${encodeURIComponent(experimentId)}/${what}`;
}

export function fetchRows(search: TableSearch, offset: number, limit: number, signal?: AbortSignal): Promise<TablePage> {
  const query = {
    columns: search.columns.join(","),
    filter: search.filter === "" ? null : search.filter,
    order_by: search.orderBy,
    limit,
    offset,
  };
  return getJson(withQuery(path(search.experimentId, "table"), query), readPage, signal);
}

export function tablePageQuery(search: TableSearch, page: number) {
  return queryOptions({
    queryKey: tableKeys.page(search, page),
    queryFn: ({ signal }) => fetchRows(search, page * PAGE_ROWS, PAGE_ROWS, signal),
    staleTime: 5_000,
  });
}

export interface GroupSearch {
  readonly experimentId: string;
  readonly by: readonly string[];
  readonly columns: readonly string[];
  readonly filter: string;
}

/** Groups beyond this are said, not shown. */
export const MOST_GROUPS = 500;

export function groupsQuery(search: GroupSearch) {
  return queryOptions({
    queryKey: tableKeys.groups(search),
    queryFn: ({ signal }) =>
      getJson(
        withQuery(path(search.experimentId, "groups"), {
          by: search.by.join(","),
          columns: search.columns.length === 0 ? null : search.columns.join(","),
          filter: search.filter === "" ? null : search.filter,
          limit: MOST_GROUPS,
        }),
        readGroups,
        signal,
      ),
    staleTime: 5_000,
  });
}

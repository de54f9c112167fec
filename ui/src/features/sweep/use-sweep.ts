/** Fetches the runs of a sweep: chosen columns only, page by page, and says how many runs were left out. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchRows, type Cell, type TablePage } from "../../api/table";
import { directionOf } from "../../charts/direction";
import { metricColumn, plainColumn } from "../run-table/columns";
import { makeDimension, makeSweep, type Sweep, type SweepRun } from "./sweep-data";
import type { SweepAggregate } from "./view";

const PAGE_ROWS = 1000;
/** Past this many lines a plot is a smear; the best of them are kept. */
export const MOST_RUNS = 2000;
/** Columns of one request; its address has a length. */
export const MOST_PARAMS = 40;

export interface SweepRequest {
  readonly experimentId: string;
  readonly filter: string;
  readonly target: string;
  readonly aggregate: SweepAggregate;
  readonly params: readonly string[];
}

export interface SweepAnswer {
  readonly sweep: Sweep | null;
  /** Runs that the filter finds, also beyond those fetched. */
  readonly total: number;
  readonly error: Error | null;
  readonly isLoading: boolean;
  readonly retry: () => void;
}

interface Fetched {
  readonly request: SweepRequest;
  readonly pages: readonly TablePage[];
}

export function targetColumn({ target, aggregate }: Pick<SweepRequest, "target" | "aggregate">): string {
  return metricColumn(target, aggregate === "best" ? directionOf(target) : aggregate).id;
}

export function useSweep(request: SweepRequest | null): SweepAnswer {
  const query = useQuery({
    queryKey: ["table", request?.experimentId ?? "", "sweep", request],
    enabled: request !== null,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    queryFn: async ({ signal }): Promise<Fetched | null> => (request === null ? null : fetchAll(request, signal)),
  });
  const { data, refetch } = query;
  const sweep = useMemo(() => (data == null ? null : readSweep(data)), [data]);
  return {
    sweep,
    total: data?.pages[0]?.total ?? 0,
    error: query.error,
    isLoading: query.isLoading,
    retry: () => void refetch(),
  };
}

async function fetchAll(request: SweepRequest, signal: AbortSignal): Promise<Fetched> {
  const target = targetColumn(request);
  const params = request.params.slice(0, MOST_PARAMS).map((key) => plainColumn("param", key).id);
  const isDescending = directionOf(request.target) === "max";
  const search = {
    experimentId: request.experimentId,
    columns: ["name", "status", "start_time", target, ...params],
    filter: request.filter,
    orderBy: `${target} ${isDescending ? "desc" : "asc"}`,
  };
  const pages: TablePage[] = [];
  for (let offset = 0; offset < MOST_RUNS; offset += PAGE_ROWS) {
    const page = await fetchRows(search, offset, PAGE_ROWS, signal);
    pages.push(page);
    if (offset + PAGE_ROWS >= page.total) break;
  }
  return { request, pages };
}

function readSweep({ request, pages }: Fetched): Sweep {
  const column = (id: string): Cell[] => pages.flatMap((page) => page.columns[id] ?? page.run_ids.map(() => null));
  const [names, states, starts] = [column("name"), column("status"), column("start_time")];
  const runs: SweepRun[] = pages
    .flatMap((page) => page.run_ids)
    .map((id, i) => ({
      id,
      name: String(names[i] ?? id.slice(0, 8)),
      status: String(states[i] ?? ""),
      startedAt: timeOf(starts[i] ?? null),
    }));
  const params = request.params.slice(0, MOST_PARAMS).map((key) => {
    const id = plainColumn("param", key).id;
    return makeDimension(key, id, column(id));
  });
  const id = targetColumn(request);
  return makeSweep(runs, params, makeDimension(request.target, id, column(id)));
}

function timeOf(cell: Cell): number | null {
  if (cell === null) return null;
  const time = typeof cell === "number" ? cell : Date.parse(cell);
  return Number.isNaN(time) ? null : time;
}

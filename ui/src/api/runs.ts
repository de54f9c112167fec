/** Runs: list, one, change, end, compare, ledger. */
import { queryOptions } from "@tanstack/react-query";
import { RUN_STATUSES, type RunStatus } from "../lib/run-status";
import { double, integer, list, nullable, object, plainObject, record, text, word, type Read } from "../lib/shape";
import { getJson, sendJson, withQuery } from "./client";
import type { LedgerResponse, RunEventResponse, RunPatch, RunResponse, WriterLedger } from "./generated";


/** A run, its values being numbers whatever JSON had to call them. */
export interface Run extends Omit<RunResponse, "metrics"> {
  readonly metrics: Readonly<Record<string, number>>;
}

export interface RunList {
  readonly runs: readonly Run[];
  readonly total: number;
}



const readStatus: Read<RunResponse["status"]> = word(...RUN_STATUSES);

export const readRun: Read<Run> = object<Run>({
  id: text,
  experiment_id: text,
  name: text,
  description: text,
  status: readStatus,
  lifecycle_stage: word("active", "deleted"),
  start_time: text,
  end_time: nullable(text),
  duration_ms: nullable(integer),
  artifact_uri: text,
  params: record(text),
  metrics: record(double),
  tags: record(text),
  created_by: text,
});

export const readRunList = object<RunList>({ runs: list(readRun), total: integer });

const readLedger = object<LedgerResponse>({
  run_id: text,
  writers: list(
    object<WriterLedger>({
      writer: text,
      last_seq: integer,
      points: integer,
      duplicates_dropped: integer,
      points_thinned: integer,
      first_at: text,
      last_at: text,
    }),
  ),
});

const readEvents = object<{ events: RunEventResponse[]; total: number }>({
  events: list(object<RunEventResponse>({ id: text, time: text, kind: word("lost", "back", "rule"), message: text })),
  total: integer,
});

export interface RunSearch {
  /** Archived runs in place of the others. */
  readonly stage?: "active" | "deleted";
  readonly experimentId: string | null;
  readonly status: RunStatus | null;
  readonly search: string;
  readonly filter: string;
  readonly limit: number;
}

export const runKeys = {
  all: ["runs"] as const,
  list: (search: RunSearch) => ["runs", "list", search] as const,
  one: (id: string) => ["runs", "one", id] as const,
  ledger: (id: string) => ["runs", "ledger", id] as const,
  events: (id: string, status: RunStatus) => ["runs", "events", id, status] as const,
};

export function runsQuery(search: RunSearch) {
  return queryOptions({
    queryKey: runKeys.list(search),
    queryFn: ({ signal }) =>
      getJson(
        withQuery("api/v1/experiments/runs", {
          experiment_id: search.experimentId,
          status: search.status,
          lifecycle_stage: search.stage ?? null,
          search: search.search === "" ? null : search.search,
          filter: search.filter === "" ? null : search.filter,
          limit: search.limit,
        }),
        readRunList,
        signal,
      ),
  });
}

function runPath(id: string): string {
  return `api/v1/experiments/runs/${encodeURIComponent(id)}`;
}

export function runQuery(id: string) {
  return queryOptions({
    queryKey: runKeys.one(id),
    queryFn: ({ signal }) => getJson(runPath(id), readRun, signal),
  });
}

export function ledgerQuery(id: string) {
  return queryOptions({
    queryKey: runKeys.ledger(id),
    queryFn: ({ signal }) => getJson(`${runPath(id)}/ledger`, readLedger, signal),
  });
}

/** What happened to a run besides what it logged. Asked anew when its status changes. */
export function eventsQuery(id: string, status: RunStatus) {
  return queryOptions({
    queryKey: runKeys.events(id, status),
    queryFn: ({ signal }) => getJson(withQuery(`${runPath(id)}/events`, { limit: 20 }), readEvents, signal),
  });
}

export function patchRun(id: string, patch: RunPatch): Promise<Run> {
  return sendJson("PATCH", runPath(id), patch, readRun);
}

export function archiveRun(id: string): Promise<Run> {
  return sendJson("DELETE", runPath(id), undefined, readRun);
}

export function restoreRun(id: string): Promise<Run> {
  return sendJson("POST", `${runPath(id)}/restore`, undefined, readRun);
}

/** For good. The run must be archived. */
export async function purgeRun(id: string): Promise<void> {
  await sendJson("POST", `${runPath(id)}/purge`, undefined, plainObject);
}

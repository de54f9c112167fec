/** Experiments: list, one, change. */
import { queryOptions } from "@tanstack/react-query";
import { integer, list, object, plainObject, record, text, word, type Read } from "../lib/shape";
import { getJson, sendJson, withQuery } from "./client";
import type { ExperimentListResponse, ExperimentPatch, ExperimentResponse } from "./generated";

export type Experiment = ExperimentResponse;

export type ExperimentList = Pick<ExperimentListResponse, "experiments" | "total">;


const readExperiment: Read<Experiment> = object<Experiment>({
  id: text,
  number: integer,
  name: text,
  description: text,
  artifact_location: text,
  lifecycle_stage: word("active", "deleted"),
  tags: record(text),
  created_at: text,
  last_updated: text,
  run_count: integer,
});

const readExperimentList = object<ExperimentList>({ experiments: list(readExperiment), total: integer });

export interface ExperimentSearch {
  readonly search: string;
  readonly stage: "active" | "deleted";
  readonly limit: number;
}

export const experimentKeys = {
  all: ["experiments"] as const,
  list: (search: ExperimentSearch) => ["experiments", "list", search] as const,
  one: (id: string) => ["experiments", "one", id] as const,
};

export function experimentsQuery(search: ExperimentSearch) {
  return queryOptions({
    queryKey: experimentKeys.list(search),
    queryFn: ({ signal }) =>
      getJson(
        withQuery("api/v1/experiments", {
          search: search.search === "" ? null : search.search,
          lifecycle_stage: search.stage,
          limit: search.limit,
        }),
        readExperimentList,
        signal,
      ),
  });
}

export function experimentQuery(id: string) {
  return queryOptions({
    queryKey: experimentKeys.one(id),
    queryFn: ({ signal }) => getJson(`api/v1/experiments/${encodeURIComponent(id)}`, readExperiment, signal),
  });
}

function experimentPath(id: string): string {
  return `api/v1/experiments/${encodeURIComponent(id)}`;
}

export function patchExperiment(id: string, patch: ExperimentPatch): Promise<Experiment> {
  return sendJson("PATCH", experimentPath(id), patch, readExperiment);
}

export function archiveExperiment(id: string): Promise<Experiment> {
  return sendJson("DELETE", experimentPath(id), undefined, readExperiment);
}

export function restoreExperiment(id: string): Promise<Experiment> {
  return sendJson("POST", `${experimentPath(id)}/restore`, undefined, readExperiment);
}

/** For good, with all of its runs. It must be archived. */
export async function purgeExperiment(id: string): Promise<void> {
  await sendJson("POST", `${experimentPath(id)}/purge`, undefined, plainObject);
}

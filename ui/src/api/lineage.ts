/** What a run took in and what was made of it, read over MLflow's wire, by which it is logged. */
import { queryOptions } from "@tanstack/react-query";
import { list, nullable, object, text } from "../lib/shape";
import { getJson, sendJson, withQuery } from "./client";
import { quoted, readVersions, WIRE, type ModelVersion } from "./models";

interface Pair {
  readonly key: string;
  readonly value: string;
}

export interface Dataset {
  readonly name: string;
  readonly digest: string;
  readonly source_type: string;
  readonly source: string;
  /** What it was used for, such as training; null where nobody said. */
  readonly context: string | null;
}

export interface Lineage {
  /** The experiment by the id that this wire has for it. */
  readonly experiment: string;
  readonly datasets: readonly Dataset[];
  readonly versions: readonly ModelVersion[];
}

const CONTEXT = "mlflow.data.context";
const MOST_VERSIONS = 50;
/** Other runs named beside a dataset. */
export const MOST_USERS = 20;

const readRun = object({
  run: object({
    info: object({ experiment_id: text }),
    inputs: nullable(
      object({
        dataset_inputs: nullable(
          list(
            object({
              dataset: object({ name: text, digest: text, source_type: text, source: text }),
              tags: nullable(list(object<Pair>({ key: text, value: text }))),
            }),
          ),
        ),
      }),
    ),
  }),
});
const readUsers = object({ runs: nullable(list(object({ info: object({ run_id: text, run_name: nullable(text) }) }))) });

export function lineageQuery(runId: string) {
  return queryOptions({
    queryKey: ["lineage", runId],
    queryFn: async ({ signal }): Promise<Lineage> => {
      const filter = `run_id=${quoted(runId, false)}`;
      const [{ run }, page] = await Promise.all([
        getJson(withQuery(`${WIRE}/runs/get`, { run_id: runId }), readRun, signal),
        getJson(withQuery(`${WIRE}/model-versions/search`, { filter, max_results: MOST_VERSIONS }), readVersions, signal),
      ]);
      const datasets = (run.inputs?.dataset_inputs ?? []).map(({ dataset, tags }) => ({
        ...dataset,
        context: tags?.find(({ key }) => key === CONTEXT)?.value ?? null,
      }));
      return { experiment: run.info.experiment_id, datasets, versions: page.model_versions ?? [] };
    },
    staleTime: 30_000,
  });
}

/** Runs of the experiment that took in the same data. */
export function datasetUsersQuery(experiment: string, { name, digest }: Dataset) {
  return queryOptions({
    queryKey: ["lineage", "users", experiment, name, digest],
    queryFn: async () => {
      const filter = `dataset.name = ${quoted(name, false)} AND dataset.digest = ${quoted(digest, false)}`;
      const asked = { experiment_ids: [experiment], filter, max_results: MOST_USERS + 1 };
      const found = await sendJson("POST", `${WIRE}/runs/search`, asked, readUsers);
      return (found.runs ?? []).map(({ info }) => ({ id: info.run_id, name: info.run_name ?? info.run_id }));
    },
    staleTime: 30_000,
  });
}

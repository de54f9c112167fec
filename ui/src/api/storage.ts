/** What experiments take on the server's disk. The server counts it anew for each that is asked for. */
import { queryOptions } from "@tanstack/react-query";
import { integer, list, object, text } from "../lib/shape";
import { ApiError, getJson, withQuery } from "./client";
import type { StorageResponse } from "./generated";

export interface ExperimentStorage extends StorageResponse {
  readonly name: string;
  readonly isArchived: boolean;
}

export interface Storage {
  /** The largest first. */
  readonly experiments: readonly ExperimentStorage[];
  /** How many there are; only so many are measured. */
  readonly total: number;
}

/** Of each of the two, the active and the archived ones. */
const MOST_MEASURED = 200;

interface Named {
  readonly id: string;
  readonly name: string;
}

const readNames = object<{ experiments: Named[]; total: number }>({
  experiments: list(object<Named>({ id: text, name: text })),
  total: integer,
});

const readStorage = object<StorageResponse>({
  experiment_id: text,
  runs: integer,
  points: integer,
  points_bytes: integer,
  artifacts: integer,
  artifact_bytes: integer,
});

export const storageQuery = queryOptions({
  queryKey: ["storage"],
  queryFn: async ({ signal }): Promise<Storage> => {
    const [active, archived] = await Promise.all([namesOf("active", signal), namesOf("deleted", signal)]);
    const experiments = [...(await measured(active.experiments, false, signal)), ...(await measured(archived.experiments, true, signal))];
    return { experiments: experiments.sort((a, b) => bytesOf(b) - bytesOf(a)), total: active.total + archived.total };
  },
  staleTime: 60_000,
  retry: false,
});

export function bytesOf(storage: StorageResponse): number {
  return storage.points_bytes + storage.artifact_bytes;
}

function namesOf(stage: "active" | "deleted", signal: AbortSignal): Promise<{ experiments: Named[]; total: number }> {
  return getJson(withQuery("api/v1/experiments", { lifecycle_stage: stage, limit: MOST_MEASURED }), readNames, signal);
}

/** One after the other: measuring is work, and nobody waits for it with a job. */
async function measured(named: readonly Named[], isArchived: boolean, signal: AbortSignal): Promise<ExperimentStorage[]> {
  const found: ExperimentStorage[] = [];
  for (const { id, name } of named) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- on purpose
      found.push({ ...(await getJson(`api/v1/experiments/${encodeURIComponent(id)}/storage`, readStorage, signal)), name, isArchived });
    } catch (error) {
      // Removed for good in the meantime.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }
  return found;
}

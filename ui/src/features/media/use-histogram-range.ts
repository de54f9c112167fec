/** One range of values for the distributions of a key: those of all shown runs and all drawn steps, so that they compare. */
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { artifactBytesQuery, type ArtifactInfo } from "../../api/artifacts";
import { evenly } from "../../lib/evenly";
import { MOST_TEXT } from "../artifacts/file-kind";
import { MOST_STEPS, rangeOf, type ValueRange } from "./histogram-steps";
import type { MediaItem } from "./items";
import { readHistogram } from "./table";

export interface RunSteps {
  readonly runId: string;
  readonly steps: ReadonlyMap<number, readonly MediaItem[]>;
}

/** The steps that are drawn, ascending: all, or an even choice of many. */
export function drawnSteps(steps: RunSteps["steps"]): number[] {
  return evenly([...steps.keys()].sort((a, b) => a - b), MOST_STEPS);
}

/** The first distribution of each. */
export function filesOf(steps: RunSteps["steps"]): ArtifactInfo[] {
  return drawnSteps(steps).flatMap((at) => steps.get(at)?.slice(0, 1) ?? []).map(({ file }) => file);
}

/** null until one has come. `also` are files beside those of the drawn steps. */
export function useHistogramRange(runs: readonly RunSteps[], also: readonly { readonly runId: string; readonly file: ArtifactInfo }[]): ValueRange | null {
  const files = [...runs.flatMap(({ runId, steps }) => filesOf(steps).map((file) => ({ runId, file }))), ...also];
  const unique = [...new Map(files.map((one) => [`${one.runId} ${one.file.path}`, one])).values()];
  const answers = useQueries({ queries: unique.map(({ runId, file }) => artifactBytesQuery(runId, file, MOST_TEXT)) });
  const loaded = answers.filter(({ data }) => data !== undefined).length;
  const names = unique.map(({ runId, file }) => `${runId} ${file.path}`).join("\n");
  return useMemo(
    () => rangeOf(answers.map(({ data }) => (data === undefined ? null : readHistogram(data)))),
    // The answers are a new list each time; which they are and how many have come decides.
    // oxlint-disable-next-line react/exhaustive-deps
    [loaded, names],
  );
}

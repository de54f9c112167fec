/** The packages of the compared runs, of those that kept a list: the file requirements.txt, read once for each. */
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { artifactTextQuery, artifactsQuery } from "../../api/artifacts";
import type { Run } from "../../api/runs";
import { packagesOf } from "../../lib/surroundings";

/** More runs than this are compared without their packages; the page says so. */
export const MOST_WITH_PACKAGES = 20;
const FILE = "requirements.txt";

export function usePackages(runs: readonly Run[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  // Whoever captures packages says which Python they are for.
  const captured = runs.length > MOST_WITH_PACKAGES ? [] : runs.filter((run) => run.tags["gnomon.python"] !== undefined);
  const listings = useQueries({ queries: captured.map((run) => artifactsQuery(run.id, "")) });
  const files = listings.map((listing) => listing.data?.artifacts.find((one) => one.path === FILE));
  const texts = useQueries({
    queries: captured.map((run, i) => ({ ...artifactTextQuery(run.id, files[i]), enabled: files[i] !== undefined })),
    combine: (answers) => answers.map((answer) => answer.data ?? null),
  });
  return useMemo(
    () =>
      new Map(
        captured.flatMap((run, i): [string, ReadonlyMap<string, string>][] => {
          const text = texts[i];
          return text === null || text === undefined ? [] : [[run.id, packagesOf(text)]];
        }),
      ),
    // The ids and the texts decide; the array of runs is made anew by each render.
    // oxlint-disable-next-line react/exhaustive-deps
    [captured.map((run) => run.id).join(), texts],
  );
}

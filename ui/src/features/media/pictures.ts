/** Which pictures a run has: the files under `media/images` and `media/figures`, by key and step (docs/formats/media.md). */
import { queryOptions } from "@tanstack/react-query";
import { artifactKeys, fetchEntries, type ArtifactInfo } from "../../api/artifacts";

export interface Picture {
  /** The first, or only, one of a step is 0. */
  readonly number: number;
  readonly file: ArtifactInfo;
  /** The file with its caption, where there is one. */
  readonly caption: ArtifactInfo | null;
}

/** Pictures by key (`images/val/samples`), then by step. */
export type Pictures = ReadonlyMap<string, ReadonlyMap<number, readonly Picture[]>>;

const ROOTS = ["media/images", "media/figures"];
const PICTURE = /^(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?:_(\d+))?\.(?:png|jpe?g|gif|webp)$/;
/** Directories looked into. Each is a request, and a run with more keys than this is not looked through by eye. */
const MOST_DIRECTORIES = 200;

export function picturesQuery(runId: string) {
  return queryOptions({
    queryKey: [...artifactKeys.list(runId, "media"), "pictures"],
    queryFn: async ({ signal }) => picturesOf(await filesBelow(runId, signal)),
    staleTime: 10_000,
  });
}

async function filesBelow(runId: string, signal: AbortSignal): Promise<ArtifactInfo[]> {
  const files: ArtifactInfo[] = [];
  const directories = [...ROOTS];
  for (let i = 0; i < directories.length && i < MOST_DIRECTORIES; i++) {
    // oxlint-disable-next-line no-await-in-loop -- which directories there are is known from those above
    for (const entry of await fetchEntries(runId, directories[i] ?? "", signal)) {
      if (entry.is_dir) directories.push(entry.path);
      else files.push(entry);
    }
  }
  return files;
}

export function picturesOf(files: readonly ArtifactInfo[]): Pictures {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const found = new Map<string, Map<number, Picture[]>>();
  for (const file of files) {
    const slash = file.path.lastIndexOf("/");
    const match = PICTURE.exec(file.path.slice(slash + 1));
    if (match === null) continue;
    const key = file.path.slice("media/".length, slash);
    const steps = found.get(key) ?? new Map<number, Picture[]>();
    found.set(key, steps);
    const step = Number(match[1]);
    const caption = byPath.get(file.path.replace(/\.[a-z]+$/, ".json")) ?? null;
    const pictures = steps.get(step) ?? [];
    steps.set(step, pictures);
    pictures.push({ number: Number(match[2] ?? 0), file, caption });
    pictures.sort((a, b) => a.number - b.number);
  }
  return found;
}

/** The keys that any of the runs has, in order. */
export function keysOf(runs: readonly Pictures[]): string[] {
  return [...new Set(runs.flatMap((pictures) => [...pictures.keys()]))].sort();
}

/** The steps at which any of the runs has a picture of the key, ascending. */
export function stepsOf(runs: readonly Pictures[], key: string): number[] {
  return [...new Set(runs.flatMap((pictures) => [...(pictures.get(key)?.keys() ?? [])]))].sort((a, b) => a - b);
}

/** The last step up to `step` at which the run has a picture: runs do not log at the same steps. */
export function stepUpTo(pictures: Pictures, key: string, step: number): number | null {
  let best: number | null = null;
  for (const own of pictures.get(key)?.keys() ?? []) if (own <= step && (best === null || own > best)) best = own;
  return best;
}

/** What a run has beside curves: the files under `media` (docs/formats/media.md), and imported sound and film, by key and step. */
import { queryOptions } from "@tanstack/react-query";
import { artifactKeys, fetchEntries, type ArtifactInfo } from "../../api/artifacts";

export type MediaKind = "image" | "audio" | "video" | "table" | "histogram" | "text" | "plotly";

export interface MediaItem {
  readonly kind: MediaKind;
  /** The first, or only, one of a step is 0. */
  readonly number: number;
  readonly file: ArtifactInfo;
  /** The file with its caption, where there is one. */
  readonly caption: ArtifactInfo | null;
}

/** Items by key (`images/val/samples`), then by step. */
export type MediaItems = ReadonlyMap<string, ReadonlyMap<number, readonly MediaItem[]>>;

const OURS = "media/";
const ROOTS = ["media", "audio", "video"];
const NAME = /^(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?:_(\d+))?\.(.+)$/;
/** By the end of the name, for files of any folder. */
const ENDS: Readonly<Record<string, MediaKind>> = {
  png: "image", jpg: "image", jpeg: "image", gif: "image", webp: "image",
  wav: "audio", mp3: "audio", ogg: "audio", flac: "audio", m4a: "audio", opus: "audio",
  mp4: "video", webm: "video", mov: "video", m4v: "video",
  txt: "text", "plotly.json": "plotly",
};
/** Directories looked into. Each is a request, and a run with more keys than this is not looked through by eye. */
const MOST_DIRECTORIES = 200;

export function mediaQuery(runId: string) {
  return queryOptions({
    queryKey: [...artifactKeys.list(runId, "media"), "items"],
    queryFn: async ({ signal }) => itemsOf(await filesBelow(runId, signal)),
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

export function itemsOf(files: readonly ArtifactInfo[]): MediaItems {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const found = new Map<string, Map<number, MediaItem[]>>();
  for (const file of files) {
    const slash = file.path.lastIndexOf("/");
    const match = NAME.exec(file.path.slice(slash + 1));
    const key = file.path.slice(file.path.startsWith(OURS) ? OURS.length : 0, slash);
    const kind = match === null ? null : kindOf(key, match[3] ?? "");
    if (match === null || kind === null) continue;
    const steps = found.get(key) ?? new Map<number, MediaItem[]>();
    found.set(key, steps);
    const step = Number(match[1]);
    const caption = kind === "image" ? (byPath.get(file.path.replace(/\.[a-z]+$/, ".json")) ?? null) : null;
    const items = steps.get(step) ?? [];
    steps.set(step, items);
    items.push({ kind, number: Number(match[2] ?? 0), file, caption });
    items.sort((a, b) => a.number - b.number);
  }
  return found;
}

function kindOf(key: string, end: string): MediaKind | null {
  if (key.startsWith("tables/")) return end === "json" ? "table" : null;
  if (key.startsWith("histograms/")) return end === "json" ? "histogram" : null;
  return ENDS[end.toLowerCase()] ?? null;
}

/** The keys that any of the runs has, in order. */
export function keysOf(runs: readonly MediaItems[]): string[] {
  return [...new Set(runs.flatMap((items) => [...items.keys()]))].sort();
}

/** The steps at which any of the runs has an item of the key, ascending. */
export function stepsOf(runs: readonly MediaItems[], key: string): number[] {
  return [...new Set(runs.flatMap((items) => [...(items.get(key)?.keys() ?? [])]))].sort((a, b) => a - b);
}

/** The last step up to `step` at which the run has an item: runs do not log at the same steps. */
export function stepUpTo(items: MediaItems, key: string, step: number): number | null {
  let best: number | null = null;
  for (const own of items.get(key)?.keys() ?? []) if (own <= step && (best === null || own > best)) best = own;
  return best;
}

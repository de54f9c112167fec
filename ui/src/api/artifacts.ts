/** Artifacts of a run: listing by directory, and the bytes of one file. */
import { queryOptions } from "@tanstack/react-query";
import { flag, integer, list, nullable, object, text } from "../lib/shape";
import { getJson, problemOf, send, withQuery } from "./client";
import type { ArtifactInfo, ArtifactListResponse } from "./generated";

export type { ArtifactInfo };

export type ArtifactList = Pick<ArtifactListResponse, "artifacts" | "total">;

const readList = object<ArtifactList>({
  artifacts: list(
    object<ArtifactInfo>({
      path: text,
      is_dir: flag,
      size: nullable(integer),
      sha256: nullable(text),
      created_at: nullable(text),
    }),
  ),
  total: integer,
});

/** Entries of one directory shown at once; the tree says how many more there are. */
export const MOST_ENTRIES = 1000;

export const artifactKeys = {
  list: (runId: string, path: string) => ["artifacts", runId, "list", path] as const,
  bytes: (runId: string, path: string, sha256: string | null) => ["artifacts", runId, "bytes", path, sha256] as const,
};

/** Entries of one directory read by `fetchEntries`. */
const MOST_LISTED = 5 * MOST_ENTRIES;

/** All entries of a directory, page by page; of a larger one the first `MOST_LISTED`. One that is not there has none. */
export async function fetchEntries(runId: string, path: string, signal?: AbortSignal): Promise<ArtifactInfo[]> {
  const entries: ArtifactInfo[] = [];
  for (;;) {
    const asked = { path, limit: MOST_ENTRIES, offset: entries.length };
    // oxlint-disable-next-line no-await-in-loop -- the next page is asked for only where there is one
    const page = await getJson(withQuery(`api/v1/experiments/runs/${encodeURIComponent(runId)}/artifacts`, asked), readList, signal);
    entries.push(...page.artifacts);
    if (page.artifacts.length === 0 || entries.length >= Math.min(page.total, MOST_LISTED)) return entries;
  }
}

export function artifactsQuery(runId: string, path: string) {
  return queryOptions({
    queryKey: artifactKeys.list(runId, path),
    queryFn: ({ signal }) =>
      getJson(
        withQuery(`api/v1/experiments/runs/${encodeURIComponent(runId)}/artifacts`, { path, limit: MOST_ENTRIES }),
        readList,
        signal,
      ),
  });
}

export function artifactPath(runId: string, path: string): string {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return `api/v1/experiments/runs/${encodeURIComponent(runId)}/artifacts/${encoded}`;
}

/** The bytes of a file, or its first `most` bytes. */
export function artifactBytesQuery(runId: string, info: ArtifactInfo, most: number) {
  return queryOptions({
    queryKey: [...artifactKeys.bytes(runId, info.path, info.sha256), most],
    queryFn: ({ signal }) => fetchArtifact(runId, info.path, (info.size ?? 0) > most ? most : null, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}

/** The small text files of a run by name; null for those that it does not have. */
export function artifactTextQuery(runId: string, info: ArtifactInfo | undefined) {
  return queryOptions({
    queryKey: [...artifactKeys.bytes(runId, info?.path ?? "", info?.sha256 ?? null), "text"],
    queryFn: async ({ signal }) =>
      info === undefined ? null : new TextDecoder().decode(await fetchArtifact(runId, info.path, MOST_TEXT, signal)),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Read at most this much of a text that is shown among other things. */
const MOST_TEXT = 1_000_000;

/** Bytes `from` up to, without, `to`. */
export async function fetchArtifactPart(
  runId: string,
  path: string,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<ArrayBuffer> {
  const response = await send(artifactPath(runId, path), {
    headers: { range: `bytes=${from}-${to - 1}` },
    ...(signal === undefined ? {} : { signal }),
  });
  if (!response.ok) throw await problemOf(response);
  return response.arrayBuffer();
}

export async function fetchArtifact(
  runId: string,
  path: string,
  most: number | null,
  signal?: AbortSignal,
): Promise<ArrayBuffer> {
  const response = await send(artifactPath(runId, path), {
    ...(most === null ? {} : { headers: { range: `bytes=0-${most - 1}` } }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (!response.ok) throw await problemOf(response);
  return response.arrayBuffer();
}

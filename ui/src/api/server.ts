/** The server itself: its version, and whether it wants a key. */
import { queryOptions } from "@tanstack/react-query";
import { object, text } from "../lib/shape";
import { getJson } from "./client";

interface OpenApi {
  readonly info: { readonly title: string; readonly version: string };
}

const readOpenApi = object<OpenApi>({ info: object<{ title: string; version: string }>({ title: text, version: text }) });

export const versionQuery = queryOptions({
  queryKey: ["server", "version"],
  queryFn: async ({ signal }) => (await getJson("openapi.json", readOpenApi, signal)).info.version,
  staleTime: Number.POSITIVE_INFINITY,
});


/** The two writings of a series answer, JSON and GNM1, read into the same `Series`. */
import { GNM1_MEDIA_TYPE, readGnm1 } from "./gnm1";
import type { FetchSeries } from "./loader";
import { axisName, type Series, type SeriesRequest } from "./series";
import { asObject, double, field, isObject, listOf, number, optionalNumber, text } from "./shape";

export const SERIES_PATH = "/api/v1/experiments/runs/series";

/** GNM1 first; JSON keeps a server that does not know the frames readable. */
export const SERIES_ACCEPT = `${GNM1_MEDIA_TYPE}, application/json;q=0.5`;

export function seriesBody(request: SeriesRequest): string {
  return JSON.stringify({
    run_ids: request.runIds,
    keys: request.keys,
    x: axisName(request.x),
    buckets: request.buckets,
    ...(request.range === null ? {} : { range: request.range }),
  });
}

export async function readSeriesAnswer(response: Response): Promise<Series[]> {
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith(GNM1_MEDIA_TYPE)) return readGnm1(await response.arrayBuffer());
  const body: unknown = await response.json();
  return readJsonSeries(body);
}

export function readJsonSeries(body: unknown): Series[] {
  return listOf(field(asObject(body), "series")).map((item) => {
    const entry = asObject(item);
    const column = (name: string): Float64Array => Float64Array.from(listOf(field(entry, name)), double);
    const [x, count] = [column("x"), column("count")];
    // An older answer does not name the first x that is not finite; the first bucket without a finite point comes close.
    const broken = x[count.indexOf(0)];
    return {
      runId: text(field(entry, "run_id")),
      key: text(field(entry, "key")),
      n: number(field(entry, "n")),
      nonfinite: number(field(entry, "nonfinite")),
      nonfiniteFirst: optionalNumber(entry["nonfinite_first"]) ?? broken ?? null,
      x,
      mean: column("mean"),
      min: column("min"),
      max: column("max"),
      count,
    };
  });
}

/** How the page sends a request: adds the tenant, the key and the path prefix of the server. */
export type Send = (path: string, init: RequestInit) => Promise<Response>;

export function seriesFetcher(send: Send): FetchSeries {
  return async (request, signal) => {
    const response = await send(SERIES_PATH, {
      method: "POST",
      headers: { "content-type": "application/json", accept: SERIES_ACCEPT },
      body: seriesBody(request),
      signal,
    });
    if (!response.ok) throw new Error(await explain(response));
    return readSeriesAnswer(response);
  };
}

/** The sentence of a problem document, which tells a person what to do; else the bare status. */
async function explain(response: Response): Promise<string> {
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("json")) {
    const problem: unknown = await response.json();
    if (isObject(problem) && typeof problem["detail"] === "string") return problem["detail"];
  }
  return `The server answered ${response.status} ${response.statusText}`.trim();
}

/** The two writings of a series answer, JSON and GNM1, read into the same `Series`. */
import { problemOf } from "../api/client";
import { double, integer, list, nullable, object, ShapeError, text, type Read } from "../lib/shape";
import { GNM1_MEDIA_TYPE, readGnm1 } from "./gnm1";
import type { FetchSeries } from "./loader";
import { axisName, type Series, type SeriesRequest } from "./series";

export const SERIES_PATH = "api/v1/experiments/runs/series";

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

interface JsonSeries {
  readonly run_id: string;
  readonly key: string;
  readonly n: number;
  readonly nonfinite: number;
  readonly nonfinite_first: number | null;
  readonly x: Float64Array;
  readonly mean: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly count: Float64Array;
}

/**
 * A column of numbers; a bucket without a finite value has null, or NaN in words. One loop for a whole column: naming
 * the place of each of some hundred thousand values would cost more than reading them.
 */
const column: Read<Float64Array> = (given, place) => {
  if (!Array.isArray(given)) throw new ShapeError(place, "a list", given);
  const out = new Float64Array(given.length);
  given.forEach((value: unknown, i) => {
    out[i] = typeof value === "number" ? value : value === null ? Number.NaN : double(value, place);
  });
  return out;
};

const readBody = object<{ series: JsonSeries[] }>({
  series: list(
    object<JsonSeries>({
      run_id: text,
      key: text,
      n: integer,
      nonfinite: integer,
      nonfinite_first: nullable(double),
      x: column,
      mean: column,
      min: column,
      max: column,
      count: column,
    }),
  ),
});

export function readJsonSeries(body: unknown): Series[] {
  return readBody(body, "").series.map((entry) => ({
    runId: entry.run_id,
    key: entry.key,
    n: entry.n,
    nonfinite: entry.nonfinite,
    // Where the answer does not name the first x that is not finite, the first bucket without a finite value comes close.
    nonfiniteFirst: entry.nonfinite_first ?? entry.x[entry.count.indexOf(0)] ?? null,
    x: entry.x,
    mean: entry.mean,
    min: entry.min,
    max: entry.max,
    count: entry.count,
  }));
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
    if (!response.ok) throw await problemOf(response);
    return readSeriesAnswer(response);
  };
}

import { describe, expect, test } from "vitest";
import { readJsonSeries, seriesBody, seriesFetcher } from "./answer";
import { GNM1_MEDIA_TYPE } from "./gnm1";
import { reducePoints, writeGnm1 } from "./series-fixture";

const entry = {
  run_id: "a", key: "loss", n: 4, nonfinite: 1,
  x: [0, 1, 2], first: [1, 2, null], last: [1, 3, null], min: [1, 2, "NaN"], max: [1, 3, "NaN"], mean: [1, 2.5, "NaN"], count: [1, 2, 0],
};
const request = { runIds: ["a"], keys: ["loss"], x: { metric: "epoch" }, range: [1, 2], buckets: 9 } as const;

describe("the series answer", () => {
  test("JSON and GNM1 read the same", async () => {
    const series = reducePoints([[0, 1], [1, 2], [2, 4]], 3, { runId: "a" });
    const frame = writeGnm1([{ key: "loss", series: [{ series, dtype: "f64" }] }]);
    const fetchSeries = seriesFetcher(() =>
      Promise.resolve(new Response(frame, { headers: { "content-type": GNM1_MEDIA_TYPE } })),
    );
    expect(await fetchSeries(request, AbortSignal.timeout(1000))).toEqual([series]);
  });

  test("a JSON bucket without a finite value says where NaN begins", () => {
    const [series] = readJsonSeries({ series: [entry] });
    expect(series?.nonfiniteFirst).toBe(2);
    expect([...(series?.mean ?? [])]).toEqual([1, 2.5, Number.NaN]);
  });

  test("an answer of another shape is refused, not half read", () => {
    expect(() => readJsonSeries({ series: [{ ...entry, mean: undefined }] })).toThrow();
    expect(() => readJsonSeries({})).toThrow("series should be a list");
  });

  test("the request is the one of the API", () => {
    expect(JSON.parse(seriesBody(request))).toEqual({ run_ids: ["a"], keys: ["loss"], x: "epoch", range: [1, 2], buckets: 9 });
    expect(JSON.parse(seriesBody({ ...request, range: null }))).not.toHaveProperty("range");
  });

  test("a refusal gives the server's own sentence", async () => {
    const problem = { status: 400, code: "invalid_request", detail: "buckets is 0; give 1 to 5000" };
    const refuse = seriesFetcher(() =>
      Promise.resolve(Response.json(problem, { status: 400, headers: { "content-type": "application/problem+json" } })),
    );
    await expect(refuse(request, AbortSignal.timeout(1000))).rejects.toThrow("give 1 to 5000");
  });
});

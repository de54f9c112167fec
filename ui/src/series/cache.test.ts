import { describe, expect, test } from "vitest";
import { SeriesCache, type SeriesKey } from "./cache";
import { reducePoints } from "./series-fixture";

const key = (runId: string, change: Partial<SeriesKey> = {}): SeriesKey => ({
  runId, key: "loss", x: "step", range: null, buckets: 600, ...change,
});
const series = reducePoints(Array.from({ length: 100 }, (_, i) => [i, i]), 100);

describe("the series cache", () => {
  test("tells apart run, metric, axis, range and buckets", () => {
    const cache = new SeriesCache();
    cache.put(key("a"), series);
    expect(cache.get(key("a"))).toBe(series);
    const others: Partial<SeriesKey>[] = [
      { runId: "b" }, { key: "acc" }, { x: "relative" }, { x: { metric: "step" } }, { range: [0, 1] }, { buckets: 300 },
    ];
    for (const other of others) expect(cache.get(key("a", other))).toBeUndefined();
  });

  test("remembers that a run has no points", () => {
    const cache = new SeriesCache();
    cache.put(key("a"), null);
    expect(cache.get(key("a"))).toBeNull();
    expect(cache.isFresh(key("a"))).toBe(true);
  });

  test("drops what was not used for longest when the budget is spent", () => {
    const cache = new SeriesCache(12_000); // room for three series of 100 buckets
    for (const run of ["a", "b", "c"]) cache.put(key(run), series);
    cache.get(key("a"));
    cache.put(key("d"), series);
    expect(cache.get(key("a"))).toBe(series);
    expect(cache.get(key("b"))).toBeUndefined();
    expect(cache.sizeBytes).toBeLessThanOrEqual(12_000);
  });

  test("keeps the newest even when it alone is over the budget", () => {
    const cache = new SeriesCache(100);
    cache.put(key("a"), series);
    expect(cache.get(key("a"))).toBe(series);
  });

  test("stale entries are still served until newer ones come", () => {
    const cache = new SeriesCache();
    cache.put(key("a"), series);
    cache.put(key("b"), series);
    cache.markStale(new Set(["a"]));
    expect(cache.get(key("a"))).toBe(series);
    expect(cache.isFresh(key("a"))).toBe(false);
    expect(cache.isFresh(key("b"))).toBe(true);
    cache.put(key("a"), series);
    expect(cache.isFresh(key("a"))).toBe(true);
  });
});

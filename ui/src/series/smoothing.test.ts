import { describe, expect, test } from "vitest";
import { at, nearestIndex, type Series } from "./series";
import { reducePoints, seeded } from "./series-fixture";
import { isNoiseFree, smooth, SMOOTHING_KINDS, timeWeightedEma, type Smoothing } from "./smoothing";

const SPAN = 100_000;

function noisyLoss(stride = 10): [number, number][] {
  const random = seeded(42);
  return Array.from({ length: SPAN / stride + 1 }, (_, i) => {
    const x = i * stride;
    return [x, 2 * Math.exp((-4 * x) / SPAN) + 0.3 + 0.2 * (random() - 0.5)];
  });
}

function valueAt(series: Series, values: Float64Array, x: number): number {
  return at(values, nearestIndex(series.x, x));
}

describe("smoothing", () => {
  test.each(SMOOTHING_KINDS.filter((kind) => kind !== "none"))("%s does not depend on the number of buckets", (kind) => {
    const points = noisyLoss();
    const how: Smoothing = { kind, weight: 0.9 };
    const all = [300, 500, 1200].map((buckets) => {
      const series = reducePoints(points, buckets);
      return { series, values: smooth(series, how, SPAN) };
    });
    for (const x of [5_000, 20_000, 50_000, 80_000, 99_000]) {
      const read = all.map(({ series, values }) => valueAt(series, values, x));
      // The noise is 0.2 high. What is left is half a bucket of the slope: less than a pixel.
      expect(Math.max(...read) - Math.min(...read)).toBeLessThan(0.02);
    }
  });

  test.each(SMOOTHING_KINDS)("%s leaves a constant alone, to its very ends", (kind) => {
    const series = reducePoints(Array.from({ length: 900 }, (_, i) => [i, 7]), 120);
    for (const value of smooth(series, { kind, weight: 0.95 }, 900)) expect(value).toBeCloseTo(7, 10);
  });

  test.each(SMOOTHING_KINDS.filter((kind) => kind !== "none"))("%s removes most of the noise", (kind) => {
    const random = seeded(3);
    const series = reducePoints(Array.from({ length: 1000 }, (_, i) => [i, random()]), 1000);
    const values = smooth(series, { kind, weight: 0.97 }, 1000).slice(300);
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - 0.5) ** 2, 0) / values.length);
    expect(spread).toBeLessThan(0.1); // of 0.29
  });

  test("the first point of an average is the first point of the data: no pull towards zero", () => {
    const series = reducePoints(noisyLoss(), 300);
    expect(at(timeWeightedEma(series, 5000), 0)).toBe(at(series.mean, 0));
  });

  test("distance in x counts, not the number of points: after a gap an average forgets", () => {
    const series = reducePoints([[0, 10], [1, 10], [2, 10], [1000, 0], [1001, 0]], 1001);
    expect(at(timeWeightedEma(series, 10), 3)).toBeCloseTo(0, 5);
  });

  test("a bucket of many points weighs as many", () => {
    const dense = { x: Float64Array.of(0, 1), mean: Float64Array.of(0, 1), count: Float64Array.of(9, 1) };
    expect(at(timeWeightedEma(dense, 1e9), 1)).toBeCloseTo(0.1, 6);
  });

  test("NaN stays where it is and spoils nothing around it", () => {
    const series = reducePoints([[0, 1], [1, 1], [2, Number.NaN], [3, 1], [4, 1]], 5);
    for (const kind of SMOOTHING_KINDS) {
      const values = smooth(series, { kind, weight: 0.9 }, 4);
      expect(Number.isNaN(at(values, 2))).toBe(true);
      for (const i of [0, 1, 3, 4]) expect(at(values, i)).toBeCloseTo(1, 12);
    }
  });

  test("a few points far apart are not smeared into each other", () => {
    const series = reducePoints(Array.from({ length: 20 }, (_, i) => [i * 5000, i % 2]), 20);
    const values = smooth(series, { kind: "ema", weight: 0.6 }, 95_000);
    values.forEach((value, i) => expect(value).toBeCloseTo(i % 2, 3));
  });
});

describe("a series without noise", () => {
  const steps = Array.from({ length: 12_000 }, (_, i) => i * 10);
  const cosine = (x: number): number => (x < 6000 ? x / 6000 : 0.5 * (1 + Math.cos((Math.PI * (x - 6000)) / 114_000))) * 3e-4;
  const curves: [string, (x: number) => number][] = [
    ["a schedule with warm-up", cosine],
    ["a staircase", (x) => 0.1 ** Math.floor(x / 30_000)],
    ["a counter", (x) => Math.floor(x / 1250)],
    ["a constant", () => 0.01],
    ["a straight line", (x) => x * 512],
  ];
  test.each(curves)("%s is recognised at any number of buckets, and as f32", (_, curve) => {
    for (const buckets of [90, 300, 777, 12_000]) {
      const series = reducePoints(steps.map((x) => [x, curve(x)]), buckets);
      expect(isNoiseFree(series)).toBe(true);
      const narrow = { ...series, mean: Float32Array.from(series.mean), min: Float32Array.from(series.min), max: Float32Array.from(series.max) };
      expect(isNoiseFree(narrow)).toBe(true);
    }
  });

  test("noise is noise when buckets hold one point or two in turn", () => {
    const random = seeded(4);
    const points = Array.from({ length: 600 }, (_, i): [number, number] => [i, random()]);
    for (const buckets of [300, 400, 450, 600]) expect(isNoiseFree(reducePoints(points, buckets))).toBe(false);
  });

  test("a little noise is noise", () => {
    const random = seeded(9);
    const points = steps.map((x): [number, number] => [x, cosine(x) * (1 + 0.02 * random())]);
    for (const buckets of [90, 300, 12_000]) expect(isNoiseFree(reducePoints(points, buckets))).toBe(false);
    expect(isNoiseFree(reducePoints(noisyLoss(1000), 300))).toBe(false);
  });
});

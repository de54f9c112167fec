import { describe, expect, test } from "vitest";
import { reducePoints, seeded } from "../series/series-fixture";
import { breakOf, makeCurve, nearestX, nextX, readCurve } from "./curves";
import { curveOf, lineOf } from "./curve-fixture";
import { groupSeries } from "./groups";

const EMA = { kind: "ema", weight: 0.9 } as const;
const ramp = (n: number, stride = 1): [number, number][] => Array.from({ length: n }, (_, i) => [i * stride, i]);

describe("a curve", () => {
  test("is smoothed where there is noise, and left alone where there is none", () => {
    const random = seeded(1);
    const noisy = makeCurve(lineOf("a"), [reducePoints(ramp(500).map(([x]) => [x, random()]), 500)], EMA, 500);
    const schedule = makeCurve(lineOf("a"), [reducePoints(ramp(500), 500)], EMA, 500);
    expect(noisy?.isSmoothed).toBe(true);
    expect(schedule?.isSmoothed).toBe(false);
    expect(schedule?.values[499]).toBe(499);
  });

  test("reads the nearest bucket, and nothing beyond its end", () => {
    const curve = curveOf(ramp(100, 10));
    expect(readCurve(curve, 504)?.value).toBe(50);
    expect(readCurve(curve, 995)?.value).toBe(99);
    expect(readCurve(curve, 1200)).toBeNull();
    expect(readCurve(curve, -50)).toBeNull();
  });

  test("breaks at the last finite point before NaN", () => {
    const curve = curveOf([[0, 1], [1, 2], [2, Number.NaN], [3, Number.NaN]]);
    expect(breakOf(curve)).toEqual({ index: 1, x: 1, from: 2 });
    expect(breakOf(curveOf(ramp(5)))).toBeNull();
  });

  test("a cursor steps through the x of all curves", () => {
    const curves = [curveOf([[0, 1], [10, 1], [20, 1]]), curveOf([[5, 1], [10, 1], [15, 1]], { id: "b" })];
    expect(nearestX(curves, 13)).toBe(15);
    expect(nextX(curves, 0, 1)).toBe(5);
    expect(nextX(curves, 10, 1)).toBe(15);
    expect(nextX(curves, 10, -1)).toBe(5);
    expect(nextX(curves, 20, 1)).toBeNull();
    expect(nextX(curves, 0, -1)).toBeNull();
  });
});

describe("a group of runs", () => {
  const a = reducePoints([[0, 1], [10, 3], [20, 5]], 100, { runId: "a" });
  const b = reducePoints([[0, 3], [5, 5], [10, 5]], 100, { runId: "b" });
  const group = groupSeries([a, b]);

  test("is the mean of its members, each counting once, over all of their x", () => {
    expect([...group.x]).toEqual([0, 5, 10, 20]);
    expect([...group.mean]).toEqual([2, 3, 4, 5]);
    expect([...group.count]).toEqual([2, 2, 2, 1]);
  });

  test("has a band of one standard deviation", () => {
    expect(group.min[0]).toBeCloseTo(2 - Math.SQRT2);
    expect(group.max[0]).toBeCloseTo(2 + Math.SQRT2);
    expect(group.min[3]).toBe(5);
  });

  test("counts the points of all members", () => {
    expect(group.n).toBe(6);
  });
});

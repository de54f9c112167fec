import { describe, expect, test } from "vitest";
import { at } from "./series";
import { reducePoints } from "./series-fixture";
import { fetchRange, showsEveryPoint, splice } from "./window";

const points: [number, number][] = Array.from({ length: 10_001 }, (_, i) => [i, Math.sin(i / 300)]);

describe("the range to fetch", () => {
  test.each([[3, 5], [34_000, 92_000], [0.001, 0.0012], [1.7e12, 1.7e12 + 3_600_000]])("covers %d to %d, at most twice as wide", (lo, hi) => {
    const [from, to] = fetchRange([lo, hi]);
    expect(from).toBeLessThan(lo);
    expect(to).toBeGreaterThan(hi);
    expect(to - from).toBeLessThanOrEqual(2 * (hi - lo) + 1e-9 * hi);
  });

  test("a small pan asks for the same range", () => {
    expect(fetchRange([1000, 1900])).toEqual(fetchRange([1010, 1910]));
  });
});

describe("finer data set into the overview", () => {
  const overview = reducePoints(points, 100);
  const fine = reducePoints(points.filter(([x]) => x >= 4000 && x <= 6000), 500);
  const whole = splice(overview, fine, [4000, 6000]);

  test("x ascends strictly through both seams", () => {
    for (let i = 1; i < whole.x.length; i++) expect(at(whole.x, i)).toBeGreaterThan(at(whole.x, i - 1));
  });

  test("inside it is the finer series, outside the overview", () => {
    expect([...whole.x].filter((x) => x >= 4000 && x <= 6000)).toEqual([...fine.x]);
    expect([...whole.x].filter((x) => x > 6000)).toEqual([...overview.x].filter((x) => x > 6000));
    expect(whole.n).toBe(overview.n);
  });

  test("no point is drawn twice: a bucket over the left seam is left out", () => {
    const before = [...overview.x].filter((x) => x < 4000);
    expect([...whole.x].filter((x) => x < 4000)).toEqual(before.slice(0, -1));
  });

  test("an overview with a bucket for each point has nothing finer", () => {
    expect(showsEveryPoint(reducePoints(points, 20_000), [4000, 6000])).toBe(true);
    expect(showsEveryPoint(overview, [4000, 6000])).toBe(false);
  });
});

import { describe, expect, test } from "vitest";
import { seeded } from "../../series/series-fixture";
import { associate, associations, rank } from "./association";
import { axisScale } from "./axis-scale";
import { bestSoFar } from "./best-so-far";
import { brushedValues, runsWithin } from "./brush";
import { brushAfter } from "./ParallelCoordinates";
import { goodness } from "./parallel-paint";
import { differing, makeDimension, makeSweep, type Sweep, type SweepRun } from "./sweep-data";
import { DEFAULT_SWEEP_VIEW, sweepEntries, sweepViewOf, type SweepView } from "./view";

const runs = (n: number): SweepRun[] =>
  Array.from({ length: n }, (_, i) => ({ id: `r${i}`, name: `run ${i}`, status: "finished", startedAt: 1000 - i }));
const sweepOf = (values: (number | string | null)[], key = "acc"): Sweep =>
  makeSweep(runs(values.length), [], makeDimension(key, `metrics.${key}`, values));

describe("a parameter", () => {
  test("is a number where every given value reads as one, written as text or not", () => {
    const lr = makeDimension("lr", "params.lr", ["0.01", "1e-05", null, 3]);
    expect(lr.kind).toBe("number");
    expect([...lr.values]).toEqual([0.01, 1e-5, Number.NaN, 3]);
    expect(lr.isLog).toBe(true);
  });

  test("is a category as soon as one value is a word; labels are in natural order", () => {
    const model = makeDimension("model", "params.model", ["vit-10", "vit-2", null, "vit-10"]);
    expect(model.kind).toBe("category");
    expect(model.labels).toEqual(["vit-2", "vit-10"]);
    expect([...model.values]).toEqual([1, 0, Number.NaN, 1]);
  });

  test("an empty text is a word, NaN in words is no place on an axis", () => {
    expect(makeDimension("a", "params.a", ["1", ""]).kind).toBe("category");
    expect(makeDimension("m", "metrics.m.last", [1, "NaN", "Infinity"]).kind).toBe("number");
  });

  test("that never changes is left out", () => {
    const dims = [makeDimension("a", "params.a", ["1", "1"]), makeDimension("b", "params.b", ["1", "2"])];
    expect(differing(dims).map(({ key }) => key)).toEqual(["b"]);
  });
});

describe("association", () => {
  const random = seeded(11);
  const n = 200;
  const base = Array.from({ length: n }, () => random());
  const noise = Array.from({ length: n }, () => random());
  const target = makeDimension("acc", "metrics.acc.max", base.map((x, i) => 2 * x + 0.3 * (noise[i] ?? 0)));

  test("sees a straight relation, with its direction", () => {
    const found = associate(makeDimension("lr", "params.lr", base.map((x) => 10 ** (-5 * x))), target);
    expect(found?.share).toBeGreaterThan(0.8);
    expect(found?.rho).toBeLessThan(-0.9);
    expect(found?.p).toBeLessThan(0.01);
  });

  test("sees a best value in the middle, which a correlation misses", () => {
    const hill = makeDimension("acc", "metrics.acc.max", base.map((x) => -((x - 0.5) ** 2)));
    const found = associate(makeDimension("lr", "params.lr", base), hill);
    expect(found?.share).toBeGreaterThan(0.5);
    expect(Math.abs(found?.rho ?? 1)).toBeLessThan(0.25);
  });

  test("sees categories", () => {
    const model = makeDimension("model", "params.model", base.map((x) => (x > 0.5 ? "large" : "small")));
    const found = associate(model, target);
    expect(found?.share).toBeGreaterThan(0.5);
    expect(found?.rho).toBeNull();
  });

  test("gives nothing to what is unrelated, however many categories it has", () => {
    const seed = makeDimension("seed", "params.seed", noise.map((x) => `s${Math.floor(x * 60)}`));
    const unrelated = makeDimension("acc", "metrics.acc.max", base);
    const found = associate(seed, unrelated);
    expect(found?.share).toBeLessThan(0.15);
    expect(found?.p).toBeGreaterThan(0.01);
  });

  test("says nothing about too few runs, or a name for each run", () => {
    const few = makeDimension("a", "params.a", [1, 2, 3]);
    expect(associate(few, makeDimension("t", "t", [1, 2, 3]))).toBeNull();
    const names = makeDimension("name", "params.name", base.map((_, i) => `n${i}`));
    expect(associate(names, target)).toBeNull();
  });

  test("is sorted, strongest first, and the same each time", () => {
    const params = [
      makeDimension("seed", "params.seed", noise.map((x) => Math.floor(x * 4))),
      makeDimension("lr", "params.lr", base),
    ];
    const found = associations(params, target);
    expect(found.map(({ key }) => key)).toEqual(["lr", "seed"]);
    expect(associations(params, target)).toEqual(found);
  });

  test("equal values share their rank", () => expect([...rank([10, 20, 10, 30])]).toEqual([1.5, 3, 1.5, 4]));
});

describe("axes", () => {
  test("name the few values of a grid search as they were given", () => {
    const scale = axisScale(makeDimension("lr", "params.lr", ["3e-4", "1e-3", "1024"]), 6);
    expect(scale.ticks.map(({ label }) => label)).toEqual(["3e−4", "0.001", "1024"]);
    expect(scale.ticks.map(({ place }) => place)[0]).toBe(0);
    expect(scale.place(1024)).toBe(1);
  });

  test("a log axis has equal room for each decade", () => {
    const { place } = axisScale(makeDimension("lr", "params.lr", [1e-4, 1e-3, 1e-2]), 6);
    expect(place(1e-3)).toBeCloseTo(0.5);
    expect(Number.isNaN(place(Number.NaN))).toBe(true);
  });

  test("brushes choose runs, and say what they hold", () => {
    const lr = makeDimension("lr", "params.lr", [1, 2, 3, 4, null]);
    expect(runsWithin([lr], new Map([["lr", [0.3, 1]]]), 5)).toEqual([false, true, true, true, false]);
    expect(brushedValues(lr, axisScale(lr, 5).place, [0.3, 0.7])).toEqual({ lo: 2, hi: 3, labels: [] });
    expect(runsWithin([lr], new Map(), 5)).toEqual([true, true, true, true, true]);
  });

  test("a brush follows the keyboard and stays on its axis", () => {
    expect(brushAfter("ArrowUp", false, null)).toEqual([0.5, 1]);
    expect(brushAfter("ArrowUp", false, [0.5, 1])).toEqual([0.5, 1]);
    expect(brushAfter("ArrowDown", false, [0.5, 1])).toEqual([0.4, 0.9]);
    expect(brushAfter("ArrowDown", true, [0.5, 0.6])).toEqual([0.5, 0.6]);
    expect(brushAfter("Escape", false, [0, 1])).toBeNull();
    expect(brushAfter("a", false, null)).toBeUndefined();
  });
});

describe("best so far", () => {
  test("follows the start of the runs, in the direction of the metric, past NaN", () => {
    const up = bestSoFar(sweepOf([3, "NaN", 2, 1], "acc"));
    expect(up.map(({ run }) => run)).toEqual([3, 2, 0]);
    expect(up.map(({ best }) => best)).toEqual([1, 2, 3]);
    const down = bestSoFar(sweepOf([3, 5, 2, 1], "loss"));
    expect(down.map(({ isBest }) => isBest)).toEqual([true, false, false, false]);
  });

  test("the best line is painted last", () => {
    expect(goodness(sweepOf([0.3, 0.9, null, 0.1], "acc")).order).toEqual([3, 0, 1]);
    expect(goodness(sweepOf([0.3, 0.9, null, 0.1], "loss")).order).toEqual([1, 0, 3]);
  });
});

describe("the view in the URL", () => {
  test("comes back as it was, whatever the names hold", () => {
    const view: SweepView = { target: "val/loss", aggregate: "mean", without: ["a,b", "100 %", "é"], across: "lr", tint: "x=y" };
    expect(sweepViewOf(sweepEntries(view))).toEqual(view);
  });

  test("is empty when everything is as usual, and forgives what it does not know", () => {
    expect(sweepEntries(DEFAULT_SWEEP_VIEW)).toEqual({});
    expect(sweepViewOf({ by: "worst", other: "1", without: "50%" })).toEqual({ ...DEFAULT_SWEEP_VIEW, without: ["50%"] });
  });
});

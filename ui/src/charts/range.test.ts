import { describe, expect, test } from "vitest";
import { reducePoints, seeded } from "../series/series-fixture";
import { curveOf, lineOf } from "./curve-fixture";
import { makeCurve } from "./curves";
import { wantsLog, yRange } from "./range";

const plain = { isClipped: false, isLog: false, hasBand: false };
const decay: [number, number][] = Array.from({ length: 400 }, (_, i) => [i, 2.4 * Math.exp(-i / 40) + 0.3]);
const random = seeded(5);
const noisyDecay = decay.map(([x, y]): [number, number] => [x, y * (1 + 0.1 * random())]);

describe("the y range", () => {
  test("holds every mean, with a little room", () => {
    const [lo, hi] = yRange([curveOf(decay)], null, plain);
    expect(lo).toBeLessThan(0.3);
    expect(hi).toBeGreaterThan(2.7);
    expect(hi).toBeLessThan(3);
  });

  test("follows the visible window", () => {
    const [, hi] = yRange([curveOf(decay)], [300, 399], plain);
    expect(hi).toBeLessThan(0.31);
  });

  test("clipping leaves a spike out, but not the high start of a loss", () => {
    const spiked = decay.map(([x, y]): [number, number] => [x, x === 200 ? 1000 : y]);
    const [, clipped] = yRange([curveOf(spiked)], null, { ...plain, isClipped: true });
    const [, whole] = yRange([curveOf(spiked)], null, plain);
    expect(whole).toBeGreaterThan(1000);
    expect(clipped).toBeGreaterThan(2.7);
    expect(clipped).toBeLessThan(5);
  });

  test("clipping keeps the usual noise of a flat line", () => {
    const source = seeded(8);
    const noisy: [number, number][] = Array.from({ length: 400 }, (_, i) => [i, i === 100 ? 40 : source() + source() + source()]);
    const [lo, hi] = yRange([curveOf(noisy)], null, { ...plain, isClipped: true });
    const usual = noisy.filter(([x]) => x !== 100).map(([, y]) => y);
    expect(usual.filter((y) => y < lo || y > hi)).toHaveLength(0);
    expect(hi).toBeLessThan(10);
  });

  test("a constant has room above and below; nothing at all has a range too", () => {
    const [lo, hi] = yRange([curveOf([[0, 5], [1, 5]])], null, plain);
    expect(lo).toBeLessThan(5);
    expect(hi).toBeGreaterThan(5);
    expect(yRange([], null, plain)).toEqual([0, 1]);
  });

  test("a log range is positive even where values are not", () => {
    const [lo] = yRange([curveOf([[0, -1], [1, 0.01], [2, 100]])], null, { ...plain, isLog: true });
    expect(lo).toBeGreaterThan(0);
  });

  test("the band is inside, unless clipping is on", () => {
    const wide = curveOf(Array.from({ length: 4000 }, (_, i) => [i, i % 400 === 1 ? 50 : 1]), {}, 40);
    expect(yRange([wide], null, { ...plain, hasBand: true })[1]).toBeGreaterThan(50);
    expect(yRange([wide], null, plain)[1]).toBeLessThan(50);
  });
});

describe("a run that diverges into NaN", () => {
  const usual = [curveOf(noisyDecay), curveOf(decay)];
  const diverging = (top: number) =>
    curveOf([...Array.from({ length: 9 }, (_, i): [number, number] => [i * 40, 2 * (top / 2) ** (i / 8)]), [360, Number.NaN]]);

  test("leaves the panel to the others when clipping is on", () => {
    for (const isLog of [false, true]) {
      const [, hi] = yRange([...usual, diverging(1e97)], null, { isLog, isClipped: true, hasBand: false });
      expect(hi).toBeGreaterThan(2.7);
      expect(hi).toBeLessThan(20);
    }
    expect(yRange([...usual, diverging(1e97)], null, plain)[1]).toBeGreaterThan(1e97);
  });

  test("stays in view when it went only somewhat further, or is alone", () => {
    const clipped = { ...plain, isClipped: true };
    expect(yRange([...usual, diverging(6)], null, clipped)[1]).toBeGreaterThan(6);
    expect(yRange([diverging(1e97)], null, clipped)[1]).toBeGreaterThan(1e96);
  });

  test("has no say in the kind of axis", () => {
    expect(wantsLog("auto", [curveOf(noisyDecay), diverging(1e97)])).toBe(false);
    const noisy = curveOf([...noisyDecay.map(([x, y]): [number, number] => [x, y * Math.exp(x / 40)]), [400, Number.NaN]]);
    expect(wantsLog("auto", [noisy])).toBe(true);
    expect(wantsLog("auto", [noisy, curveOf(noisyDecay)])).toBe(false);
  });
});

describe("a log axis", () => {
  test("is not chosen for shares that rise towards 1", () => {
    const rising = noisyDecay.map(([x, y]): [number, number] => [x, Math.max(0.02, 0.98 - y / 2.9)]);
    expect(wantsLog("auto", [curveOf(rising)])).toBe(false);
    expect(wantsLog("auto", [curveOf(rising.map(([x, y]) => [400 - x, y] as const).toReversed())])).toBe(true);
  });

  test("is chosen for positive values over more than a decade", () => {
    const steep = noisyDecay.map(([x, y]): [number, number] => [x, y * Math.exp(-x / 200)]);
    expect(wantsLog("auto", [curveOf(steep)])).toBe(true);
    expect(wantsLog("auto", [curveOf(noisyDecay)])).toBe(false);
    expect(wantsLog("auto", [curveOf(steep.map(([x, y]) => [x, y - 1]))])).toBe(false);
  });

  test("is not chosen for a schedule, which has the shape that was programmed", () => {
    expect(wantsLog("auto", [curveOf(decay.map(([x]) => [x, 1e-3 * 0.98 ** x]))])).toBe(false);
  });

  test("is what the user says", () => {
    expect(wantsLog("log", [curveOf(noisyDecay)])).toBe(true);
    expect(wantsLog("linear", [curveOf(noisyDecay)])).toBe(false);
    expect(wantsLog("log", [curveOf([[0, -1], [1, -2]])])).toBe(false);
  });
});

test("the band of a group does not stretch a log axis by decades", () => {
  // The deviation of two values is all but their mean when one is all but zero.
  const spread = (low: number) =>
    [low, 3].map((start) => reducePoints(decay.map(([x, y]): [number, number] => [x, start * y]), 400));
  const group = makeCurve(lineOf("g", { runIds: ["a", "b"] }), spread(0.5147188), { kind: "none", weight: 0 }, 1);
  if (group === null) throw new Error("a curve needs points");
  const lowest = Math.min(...group.series.mean);
  expect(Math.min(...group.series.min)).toBeLessThan(lowest / 1000);
  const [lo] = yRange([group], null, { ...plain, isLog: true });
  expect(lo).toBeGreaterThan(lowest / 20);
  expect(lo).toBeLessThan(lowest);
});

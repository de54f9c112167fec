import { describe, expect, test } from "vitest";
import { FrameError, readGnm1 } from "./gnm1";
import { reducePoints, seeded, writeGnm1 } from "./series-fixture";

const random = seeded(1);
const points = (n: number, stride: number, start = 0): [number, number][] =>
  Array.from({ length: n }, (_, i) => [start + i * stride, random()]);

describe("reading a GNM1 frame", () => {
  test("every column of every series comes back", () => {
    const a = reducePoints(points(5000, 10), 300, { runId: "a", key: "val/loss" });
    const b = reducePoints(points(2000, 10), 300, { runId: "b", key: "val/loss" });
    const c = reducePoints(points(700, 3, 7), 200, { runId: "c", key: "héhé/lr" });
    const frame = writeGnm1([
      { key: "val/loss", series: [{ series: a, dtype: "f64" }, { series: b, dtype: "f64" }] },
      { key: "nobody", series: [] },
      { key: "héhé/lr", series: [{ series: c, dtype: "f64" }] },
    ]);
    expect(readGnm1(frame)).toEqual([a, b, c]);
  });

  test("f32 keeps seven digits", () => {
    const series = reducePoints(points(100, 1), 50);
    const [read] = readGnm1(writeGnm1([{ key: "loss", series: [{ series, dtype: "f32" }] }]));
    expect(read?.mean).toBeInstanceOf(Float32Array);
    read?.mean.forEach((value, i) => expect(value).toBe(Math.fround(series.mean[i] ?? Number.NaN)));
  });

  test("what is left out is trivial: one point per bucket", () => {
    const series = reducePoints(points(20, 5), 400);
    const [read] = readGnm1(writeGnm1([{ key: "loss", series: [{ series, dtype: "f64", isTrivial: true }] }]));
    expect(read).toEqual(series);
  });

  test("columns are views on the frame, not copies", () => {
    const frame = writeGnm1([{ key: "loss", series: [{ series: reducePoints(points(90, 1), 40), dtype: "f32" }] }]);
    const [read] = readGnm1(frame);
    expect(read?.x.buffer).toBe(frame);
    expect(read?.mean.buffer).toBe(frame);
  });

  test("NaN from a step on: counted, placed, and empty in the columns", () => {
    const series = reducePoints([[0, 1], [10, 2], [20, Number.NaN], [30, Number.NaN]], 4);
    const [read] = readGnm1(writeGnm1([{ key: "loss", series: [{ series, dtype: "f64" }] }]));
    expect(read?.nonfinite).toBe(2);
    expect(read?.nonfiniteFirst).toBe(20);
    expect([...(read?.mean ?? [])]).toEqual([1, 2, Number.NaN, Number.NaN]);
    expect([...(read?.count ?? [])]).toEqual([1, 1, 0, 0]);
  });

  test("a frame that contradicts itself is refused", () => {
    const good = writeGnm1([{ key: "loss", series: [{ series: reducePoints(points(90, 1), 40), dtype: "f32" }] }]);
    const spoiled = (change: (bytes: Uint8Array) => void): ArrayBuffer => {
      const bytes = new Uint8Array(good.slice(0));
      change(bytes);
      return bytes.buffer;
    };
    expect(() => readGnm1(new ArrayBuffer(4))).toThrow(FrameError);
    expect(() => readGnm1(spoiled((bytes) => bytes.set([0x48], 0)))).toThrow("not a GNM1 frame");
    expect(() => readGnm1(spoiled((bytes) => bytes.set([255, 255, 255, 0], 4)))).toThrow("header does not fit");
    expect(() => readGnm1(good.slice(0, good.byteLength - 16))).toThrow("does not fit the frame");
  });

  test("another version says what to do", () => {
    const text = '{"v":2,"metrics":[]}';
    const bytes = new Uint8Array(32);
    bytes.set(new TextEncoder().encode("GNM1"));
    bytes.set([text.length], 4);
    bytes.set(new TextEncoder().encode(text), 8);
    expect(() => readGnm1(bytes.buffer)).toThrow("reload");
  });
});

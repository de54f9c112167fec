import { expect, test } from "vitest";
import { columnOf, kindOf, matrixOf } from "./columns";
import { readFigure } from "./figure";
import { scaleOf } from "./scale";

function bytes(value: unknown): ArrayBuffer {
  return new Uint8Array(new TextEncoder().encode(JSON.stringify(value))).buffer;
}

const packed = (values: readonly number[]): string => btoa(String.fromCharCode(...new Uint8Array(Float64Array.from(values).buffer)));

test("columns are lists or packed numbers", () => {
  expect(columnOf([1, "a", null, true, {}])).toEqual([1, "a", null, "true", null]);
  expect(columnOf({ dtype: "f8", bdata: packed([0.5, -2]) })).toEqual([0.5, -2]);
  expect(matrixOf({ dtype: "f8", bdata: packed([1, 2, 3, 4]), shape: "2, 2" })).toEqual([[1, 2], [3, 4]]);
  expect(columnOf(undefined)).toBeNull();
  expect(() => columnOf({ dtype: "c16", bdata: "" })).toThrow("c16");
});

test("an axis is what its values are, unless the layout says so", () => {
  expect([kindOf([1, "2"], null), kindOf(["2026-01-02", "2026-02-01 10:00"], null), kindOf(["a", 1], null)]).toEqual(["number", "time", "category"]);
  expect(kindOf([1], "log")).toBe("log");
});

test("a figure is read as planes of traces; what is not drawn is named, and tags are no markup", () => {
  const figure = readFigure(
    bytes({
      data: [
        { y: [1, 2], name: "<b>a</b>", mode: "lines", line: { dash: "dot" } },
        { type: "bar", x: ["p", "q"], y: [3, 4], xaxis: "x2", yaxis: "y2" },
        { type: "histogram", x: ["cat", "dog", "cat"] },
        { type: "pie", values: [1] },
      ],
      layout: { title: { text: "T<br>i" }, xaxis: { title: "e" }, yaxis2: { type: "log" }, barmode: "stack" },
    }),
  );
  expect([figure.title, figure.isStacked, figure.left]).toEqual(["T i", true, ["A trace of the kind “pie” is not drawn."]]);
  expect(figure.planes.map(({ traces }) => traces.map(({ kind }) => kind))).toEqual([["marks", "bars"], ["bars"]]);
  expect(figure.planes[0]?.traces[0]).toMatchObject({ name: "a", x: [0, 1], hasPoints: false, isDashed: true });
  expect(figure.planes[0]?.traces[1]).toMatchObject({ at: ["cat", "dog"], values: [2, 1] });
  expect([figure.planes[0]?.x.title, figure.planes[1]?.y.kind]).toEqual(["e", "log"]);
});

test("too many points are chosen from evenly, and that is said", () => {
  const { planes, left } = readFigure(bytes({ data: [{ y: Array.from({ length: 9_000 }, (_, i) => i) }] }));
  const [trace] = planes[0]?.traces ?? [];
  expect(trace?.kind === "marks" ? [trace.y.length, trace.y[0], trace.y.at(-1)] : null).toEqual([4_000, 0, 8_999]);
  expect(left).toEqual(["Of 9,000 points 4,000 are drawn."]);
});

test("numbers are binned", () => {
  const [trace] = readFigure(bytes({ data: [{ type: "histogram", x: [0, 0, 30] }] })).planes[0]?.traces ?? [];
  const counts = trace?.kind === "bars" ? trace.values : [];
  expect([counts.length, counts[0], counts.at(-1)]).toEqual([30, 2, 1]);
});

test("a place along an axis", () => {
  const log = scaleOf({ cells: [1, 100], kind: "log", mostTicks: 5, hasZero: false, isSlotted: false });
  expect(log.place(10)).toBeCloseTo(0.5);
  expect(log.place(0)).toBeNaN();
  const words = scaleOf({ cells: ["a", "b"], kind: null, mostTicks: 5, hasZero: false, isSlotted: true });
  expect([words.place("b"), words.slot, words.place("c")]).toEqual([0.75, 0.5, Number.NaN]);
  const bars = scaleOf({ cells: [3, 4], kind: null, mostTicks: 5, hasZero: true, isSlotted: false });
  expect(bars.place(0)).toBe(0);
  expect(scaleOf({ cells: [], kind: null, mostTicks: 5, hasZero: false, isSlotted: false }).place(null)).toBeNaN();
});

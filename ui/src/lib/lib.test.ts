import { expect, test } from "vitest";
import { keyName } from "./keyboard";
import { double, list, nullable, object, record, ShapeError, text, word } from "./shape";
import { age, duration } from "./time";

test("an answer of the right shape is read, its doubles restored", () => {
  const read = object<{ id: string; metrics: Record<string, number>; end: string | null }>({
    id: text,
    metrics: record(double),
    end: nullable(text),
  });
  expect(read({ id: "a", metrics: { x: "NaN", y: "-Infinity", z: 1 }, end: null, more: 1 }, "")).toEqual({
    id: "a",
    metrics: { x: Number.NaN, y: Number.NEGATIVE_INFINITY, z: 1 },
    end: null,
  });
});

test("a wrong shape names its place", () => {
  const read = object<{ runs: { status: "up" | "down" }[] }>({ runs: list(object<{ status: "up" | "down" }>({ status: word("up", "down") })) });
  expect(() => read({ runs: [{ status: "up" }, { status: "sideways" }] }, "")).toThrow(ShapeError);
  expect(() => read({ runs: [{ status: "up" }, {}] }, "")).toThrow("runs[1].status should be up or down, not undefined");
  expect(() => double("12", "x")).toThrow(ShapeError);
});

test("a metric named like a part of every object is only a metric", () => {
  const read = record(double);
  const given: unknown = JSON.parse('{"__proto__": 1, "constructor": 2}');
  expect(Object.entries(read(given, ""))).toEqual([["__proto__", 1], ["constructor", 2]]);
});

test("ages have one unit, lengths at most two", () => {
  const hour = 3_600_000;
  expect([0, 5_000, 90_000, 3 * hour, 50 * hour, 40 * 24 * hour].map((ms) => age(0, ms))).toEqual(["now", "5s", "1m", "3h", "2d", "1mo"]);
  expect([12, 5_000, 65_000, 2 * hour + 14 * 60_000, 24 * hour, 26 * hour + 30_000].map(duration)).toEqual([
    "12 ms", "5s", "1m 5s", "2h 14m", "1d", "1d 2h",
  ]);
});

test("keys have one name each, whatever the keyboard", () => {
  const key = (name: string, shift = false, ctrl = false) => keyName({ key: name, shiftKey: shift, ctrlKey: ctrl, metaKey: false });
  expect(key("j")).toBe("j");
  expect(key(" ", true)).toBe("Shift+Space");
  expect(key("U", true)).toBe("Shift+u");
  expect(key("?", true)).toBe("?");
  expect(key("K", false, true)).toBe("Mod+k");
});

import { expect, test } from "vitest";
import { cellNumber, cellTime, formatCell, formatDelta, formatParam } from "./cells";
import { metricColumn, plainColumn } from "./columns";

const loss = metricColumn("loss", "min");

test("values of a metric have about four digits, and words for what is no number", () => {
  expect(formatCell(loss, 0.28712345, 0)).toBe("0.2871");
  expect(formatCell(loss, "NaN", 0)).toBe("NaN");
  expect(formatCell(loss, "-Infinity", 0)).toBe("−∞");
  expect(formatCell(loss, -1.288e97, 0)).toBe("−1.3e97");
  expect(formatCell(loss, null, 0)).toBe("");
  expect(formatCell(metricColumn("loss", "n"), 120000, 0)).toBe("120,000");
});

test("a param is shown as logged, but for numbers that are hard to read", () => {
  expect(formatParam("adamw")).toBe("adamw");
  expect(formatParam("0.05")).toBe("0.05");
  expect(formatParam("0.0001")).toBe("1e−4");
  expect(formatParam("-3e-05")).toBe("−3e−5");
  expect(formatParam("0.30000000000000004")).toBe("0.3000");
  expect(formatParam("007")).toBe("007");
  expect(formatParam("")).toBe("");
});

test("times are ages", () => {
  const start = plainColumn("attribute", "start_time");
  expect(formatCell(start, 1_000_000, 1_000_000 + 3 * 3_600_000)).toBe("3h");
  expect(formatCell(start, "2026-11-23T12:00:00.000Z", Date.UTC(2026, 10, 23, 12, 0, 30))).toBe("30s");
  expect(cellTime("never")).toBeNull();
  expect(formatCell(plainColumn("attribute", "duration"), 8_040_000, 0)).toBe("2h 14m");
});

test("a delta has a sign, and is absent where either side is", () => {
  expect(formatDelta(0.9, 0.85)).toBe("+0.0500");
  expect(formatDelta(0.8, 0.85)).toBe("−0.0500");
  expect(formatDelta(0.8, 0.8)).toBe("0");
  expect(formatDelta(null, 1)).toBe("");
  expect(formatDelta(Number.NaN, 1)).toBe("");
});

test("a cell of a metric is a number or nothing", () => {
  expect(cellNumber("Infinity")).toBe(Number.POSITIVE_INFINITY);
  expect(cellNumber("x")).toBeNull();
});

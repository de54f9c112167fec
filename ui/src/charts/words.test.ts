import { describe, expect, test } from "vitest";
import { toCsv } from "./csv";
import { curveOf } from "./curve-fixture";
import { directionOf } from "./direction";
import { formatCount, formatDuration, formatTick, formatValue, xFormat } from "./numbers";
import { pickRows, type ReadoutRow } from "./readout";
import { readJsonSeries } from "../series/answer";
import { drawPanel } from "./picture";
import { toSvg } from "./svg";
import { gapOf, linearTicks, logTicks, timeTicks } from "./ticks";

describe("numbers", () => {
  test.each([
    [0.32274, "0.3227"], [1.41, "1.410"], [97, "97"], [60.512, "60.51"], [2035.4, "2,035"], [-0.5, "−0.5000"],
    [2.34e-4, "2.3e−4"], [0, "0"], [Number.NaN, "NaN"], [Number.NEGATIVE_INFINITY, "−∞"],
  ])("%d reads %s", (value, text) => expect(formatValue(value)).toBe(text));

  test.each([[0, "0"], [42_000, "42k"], [1_250_000, "1.25M"], [0.02, "0.02"], [1e-4, "1e−4"], [-5, "−5"], [2.5e9, "2.5B"]])(
    "a tick at %d reads %s",
    (value, text) => expect(formatTick(value)).toBe(text),
  );

  test("counts and durations", () => {
    expect([812, 56_200, 13_040_000].map(formatCount)).toEqual(["812", "56 k", "13.0 M"]);
    expect([0.25, 4.5, 75, 3 * 3600 + 120, 2 * 86_400 + 3600].map(formatDuration)).toEqual([
      "250 ms", "4.5 s", "1m 15s", "3h 2m", "2d 1h",
    ]);
    expect(xFormat("step").exact(42_750)).toBe("42,750");
    expect(xFormat("relative").exact(90_000)).toBe("1m 30s");
  });
});

describe("ticks", () => {
  test("are round, and 0.3 is 0.3", () => {
    expect(linearTicks([0, 1], 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearTicks([0.21, 0.44], 3)).toEqual([0.3, 0.4]);
    expect(gapOf(linearTicks([0, 119_990], 7))).toBe(20_000);
  });

  test("of time are whole minutes, hours and days", () => {
    expect(gapOf(timeTicks([0, 3_600_000], 6, false))).toBe(600_000);
    expect(gapOf(timeTicks([0, 10 * 86_400_000], 6, false))).toBe(2 * 86_400_000);
  });

  test("of a log axis are 1, 2, 5, or powers of ten over many decades", () => {
    expect(logTicks([0.09, 2.5], 8)).toEqual([0.1, 0.2, 0.5, 1, 2]);
    expect(logTicks([1e-9, 1], 5)).toEqual([1e-8, 1e-6, 1e-4, 1e-2, 1]);
  });
});

test.each([
  ["val/loss", "min"], ["train/accuracy", "max"], ["errorRate", "min"], ["val_rmse", "min"], ["mAP", "max"],
  ["time_per_step", "min"], ["losses/total", "min"], ["gloss", "min"], ["closeness", "max"],
])("%s is better when %s", (key, direction) => expect(directionOf(key)).toBe(direction));

test("the read-out keeps the nearest line at its place, however many there are", () => {
  const rows: ReadoutRow[] = Array.from({ length: 20 }, (_, i) => ({
    id: String(i), color: "", isDashed: false, label: "", detail: "", value: i,
  }));
  expect(pickRows({ rows, nearest: "15" }).map(({ id }) => id)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "15"]);
  expect(pickRows({ rows, nearest: "3" })).toHaveLength(9);
  expect(pickRows({ rows: rows.slice(0, 4), nearest: null })).toHaveLength(4);
});

describe("a panel taken away", () => {
  const curve = curveOf([[0, 1], [10, 2.5], [20, Number.NaN]], { label: '=cmd("x"), a', detail: "<b>&" });

  test("as CSV has a row for each bucket, and no formula", () => {
    const rows = toCsv("step", [curve]).trimEnd().split("\r\n");
    expect(rows[0]).toBe("line,run_ids,step,shown,mean,min,max,points");
    expect(rows[1]).toBe(`"'=cmd(""x""), a",a,0,1,1,1,1,1`);
    expect(rows).toHaveLength(3);
  });

  test("as SVG is a picture without markup of the user's", () => {
    const drawing = drawPanel({
      title: "<script>", curves: [curve], axis: "step", x: [0, 20], y: [0, 3], isLog: false, hasBand: true,
      style: { theme: "light", mode: "hues", surface: "#fff", ink: "#000", axis: "#666", grid: "#eee", bad: "#b00", accent: "#0a6", family: "x" },
    });
    const svg = toSvg(drawing);
    expect(svg).not.toContain("<script>");
    expect(svg).not.toContain("<b>");
    expect(svg).toContain('stroke="#7d4ad3"');
  });
});

test("a long column of JSON reads without a copy per value failing", () => {
  const n = 5000;
  const column = Array.from({ length: n }, (_, i) => i);
  const [series] = readJsonSeries({
    series: [{ run_id: "a", key: "k", n, nonfinite: 0, x: column, mean: column, min: column, max: column, count: column.map(() => 1) }],
  });
  expect(series?.x.length).toBe(n);
});

import { describe, expect, test } from "vitest";
import { dropMetric, groupIntoSections, moveMetric, type Section } from "./sections";
import { bucketsFor, mostColumns, panelWidth } from "./use-buckets";
import { changeFor } from "./use-chart-keys";
import { DEFAULT_CHARTS_VIEW, DEFAULT_LAYOUT, scaleOf } from "./view";

const metrics = ["train/loss", "system/gpu", "val/loss", "val/acc", "loss", "layer/10", "layer/2", "eval/bleu"];

describe("sections", () => {
  test("results come first, the machine last, numbers in their order", () => {
    expect(groupIntoSections(metrics, DEFAULT_LAYOUT)).toEqual([
      { name: "val", metrics: ["val/acc", "val/loss"] },
      { name: "eval", metrics: ["eval/bleu"] },
      { name: "train", metrics: ["train/loss"] },
      { name: "metrics", metrics: ["loss"] },
      { name: "layer", metrics: ["layer/2", "layer/10"] },
      { name: "system", metrics: ["system/gpu"] },
    ]);
  });

  test("hidden panels are out; a section without panels is gone", () => {
    const layout = { ...DEFAULT_LAYOUT, hidden: ["loss", "val/acc"] };
    const names = groupIntoSections(metrics, layout).flatMap((section) => section.metrics);
    expect(names).not.toContain("loss");
    expect(names).toContain("val/loss");
  });

  test("a moved panel stays where it was put", () => {
    const section: Section = { name: "v", metrics: ["v/a", "v/b", "v/c"] };
    expect(moveMetric(section, "v/c", -1, ["x/1"])).toEqual(["x/1", "v/a", "v/c", "v/b"]);
    expect(moveMetric(section, "v/a", -1, [])).toEqual([]);
    expect(dropMetric(section, "v/a", "v/c", [])).toEqual(["v/b", "v/c", "v/a"]);
    const order = moveMetric(section, "v/c", -1, []);
    expect(groupIntoSections(section.metrics, { ...DEFAULT_LAYOUT, order })[0]?.metrics).toEqual(["v/a", "v/c", "v/b"]);
  });
});

describe("keys", () => {
  test("smooth more and less, within bounds", () => {
    expect(changeFor("]", DEFAULT_CHARTS_VIEW)?.smoothing?.weight).toBe(0.87);
    const most = { ...DEFAULT_CHARTS_VIEW, smoothing: { kind: "ema", weight: 0.97 } as const };
    expect(changeFor("]", most)?.smoothing?.weight).toBe(0.99);
  });

  test("go through the axes, and drop a window that means something else there", () => {
    expect(changeFor("x", { ...DEFAULT_CHARTS_VIEW, window: [1, 2] })).toEqual({ x: "relative", window: null });
    expect(changeFor("x", { ...DEFAULT_CHARTS_VIEW, x: { metric: "epoch" } })).toEqual({ x: "step", window: null });
    expect(changeFor("q", DEFAULT_CHARTS_VIEW)).toBeNull();
  });
});

test("a panel's own axis wins over the page's", () => {
  const view = { ...DEFAULT_CHARTS_VIEW, isLog: false, layout: { ...DEFAULT_LAYOUT, scales: { loss: "log" } as const } };
  expect(scaleOf(view, "loss")).toBe("log");
  expect(scaleOf(view, "acc")).toBe("linear");
});

test("buckets grow in steps with the panel and stay within what the API takes", () => {
  expect(bucketsFor(320)).toBe(bucketsFor(340));
  expect(bucketsFor(1200)).toBeGreaterThan(bucketsFor(300));
  expect(bucketsFor(100_000) * 2).toBeLessThanOrEqual(5000);
});

test("a row holds as many panels as fit, and no more than the longest section has", () => {
  const sections = (...lengths: number[]) => lengths.map((length) => ({ metrics: Array.from({ length }, String) }));
  expect(mostColumns(sections(1, 3, 2))).toBe(3);
  expect(mostColumns(sections(1))).toBe(2);
  expect(mostColumns([])).toBe(2);
  expect(panelWidth(908, "m", 12)).toBeCloseTo((908 - 16) / 3);
  expect(panelWidth(908, "m", 2)).toBe(450);
  expect(panelWidth(250, "m", 2)).toBe(250);
});

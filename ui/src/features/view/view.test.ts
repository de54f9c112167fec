import { expect, test } from "vitest";
import { DEFAULT_CHARTS_VIEW } from "../charts-page/view";
import { withView } from "./use-view";
import { readView, writeView, type ExperimentView } from "./view";

const FULL: ExperimentView = {
  filter: "metrics.val/accuracy.max > 0.72 and tags.`a b` = 'x,y&z'",
  group: ["params.optimizer", "tags.a,b"],
  sort: { column: "metrics.val/accuracy.max", isDescending: true },
  columns: ["metrics.val/accuracy.max", "params.lr"],
  shown: ["aa", null, "cc"],
  baseline: "cc",
  folded: ["adamw"],
  hasGroupLines: true,
  charts: {
    x: { metric: "epoch" },
    window: [-1.5e-7, 92000],
    smoothing: { kind: "gaussian", weight: 0.25 },
    isLog: false,
    isClipped: false,
    hasBand: true,
    layout: {
      size: "l",
      hidden: ["system/gpu.mem"],
      order: ["val/loss", "val/acc,uracy"],
      wide: ["train/loss"],
      folded: ["system"],
      scales: { "train/loss": "log", "a:b": "linear" },
    },
  },
  isComparingAll: true,
  artifactRun: "aa",
  mediaKey: "images/val/samples",
  mediaStep: 10.5,
  trace: "tr-0123456789abcdef",
  artifact: "plots/confusion matrix.png",
  savedView: "01a20906",
  sweep: { target: "metrics.loss.min" },
};

test("a view survives the URL", () => {
  expect(readView(writeView(FULL))).toEqual(FULL);
});

test("the default view needs no entry", () => {
  expect(writeView(readView(""))).toBe("");
  expect(readView("").charts).toEqual(DEFAULT_CHARTS_VIEW);
});

test("choosing no columns is not the same as not choosing", () => {
  const none = { ...readView(""), columns: [], shown: [] };
  expect(readView(writeView(none))).toEqual(none);
});

test("a damaged entry falls back alone", () => {
  const view = readView("z=5:1&sm=wild:9&x=metrics.&size=xl&s=-&q=a");
  expect(view.charts).toEqual(DEFAULT_CHARTS_VIEW);
  expect(view.sort).toBeNull();
  expect(view.filter).toBe("a");
});

test("the tenant stays when the view changes", () => {
  expect(withView("tenant=team-a&q=x", readView("q=y"))).toBe("tenant=team-a&q=y");
});

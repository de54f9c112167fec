import { expect, test } from "vitest";
import type { KeyInfo } from "../../api/keys";
import { bestColumn, rankMetrics } from "./headline";

const metric = (key: string, runs = 10): KeyInfo => ({ kind: "metric", key, runs });

test("results on held-out data come before training, and the machine last", () => {
  const ranked = rankMetrics(["system/gpu.util", "train/loss", "epoch", "val/loss", "val/accuracy", "train/lr"].map((key) => metric(key)));
  expect(ranked.slice(0, 3)).toEqual(["val/accuracy", "val/loss", "train/loss"]);
  expect(ranked.at(-1)).toBe("system/gpu.util");
});

test("of equals the one that more runs have comes first", () => {
  expect(rankMetrics([metric("a_loss", 1), metric("b_loss", 9)])).toEqual(["b_loss", "a_loss"]);
});

test("params are no metrics", () => {
  expect(rankMetrics([{ kind: "param", key: "val/accuracy", runs: 3 }])).toEqual([]);
});

test("best is the minimum of a cost and the maximum of a gain", () => {
  expect(bestColumn("val/loss").id).toBe("metrics.val/loss.min");
  expect(bestColumn("val/accuracy").id).toBe("metrics.val/accuracy.max");
});

import { expect, test } from "vitest";
import type { Run } from "../../api/runs";
import { compareSections } from "./compare-rows";

const run = (id: string, metrics: Record<string, number>, params: Record<string, string>): Run => ({
  id,
  experiment_id: "e",
  name: id,
  description: "",
  status: "finished",
  lifecycle_stage: "active",
  start_time: "2026-11-23T12:00:00.000Z",
  end_time: null,
  duration_ms: null,
  artifact_uri: "",
  params,
  metrics,
  tags: {},
  created_by: "",
});

const RUNS = [
  run("a", { "val/loss": 0.3, accuracy: 0.9, odd: Number.NaN }, { lr: "0.1", seed: "0" }),
  run("b", { "val/loss": 0.2, accuracy: 0.9, odd: 1 }, { lr: "0.2", seed: "0" }),
  run("c", { "val/loss": 0.4 }, { seed: "0" }),
];

function row(section: string, key: string, baseline: string | null = null) {
  return compareSections(RUNS, baseline).find(({ name }) => name === section)?.rows.find((one) => one.key === key);
}

test("the best is marked by the direction of the metric", () => {
  expect(row("Metrics", "val/loss")?.cells.map((cell) => cell?.isBest)).toEqual([false, true, false]);
  expect(row("Metrics", "accuracy")?.cells.map((cell) => cell?.isBest)).toEqual([true, true, undefined]);
});

test("a learning rate, a norm or a clock has no best", () => {
  const keys = ["train/lr", "system/gpu.util", "gradient_norm", "layer/03/weight_norm"];
  const timed = [1, 2].map((value) => run(String(value), Object.fromEntries(keys.map((key) => [key, value])), {}));
  const rows = compareSections(timed, null)[0]?.rows ?? [];
  expect(rows.map((one) => one.direction)).toEqual([null, null, null, null]);
  expect(rows.flatMap((one) => one.cells.map((cell) => cell?.isBest))).not.toContain(true);
});

test("NaN never wins", () => {
  expect(row("Metrics", "odd")?.cells.map((cell) => cell?.isBest)).toEqual([false, true, undefined]);
});

test("what all runs share is no difference; what one lacks is", () => {
  expect(row("Params", "seed")?.isDifferent).toBe(false);
  expect(row("Params", "lr")?.isDifferent).toBe(true);
  expect(row("Params", "lr")?.cells[2]).toBeNull();
});

test("differences are told against the baseline", () => {
  const cells = row("Metrics", "val/loss", "a")?.cells ?? [];
  expect(cells[0]?.delta).toBeNull();
  expect(cells[1]?.delta).toBeCloseTo(-0.1);
  expect(row("Metrics", "odd", "a")?.cells[1]?.delta).toBeNull();
});

test("code, machine and packages are compared apart from the tags", () => {
  const runs = RUNS.map((one, i) => ({ ...one, tags: { "gnomon.git.commit": "abc", "gnomon.host": `node-${i}`, team: "x" } }));
  const packages = new Map([["a", new Map([["numpy", "2.0"]])], ["b", new Map([["numpy", "2.1"]])]]);
  const sections = compareSections(runs, null, packages);
  const rows = sections.find(({ name }) => name === "Environment")?.rows ?? [];
  expect(rows.map(({ key, isDifferent }) => [key, isDifferent])).toEqual([["commit", false], ["host", true], ["package numpy", true]]);
  expect(sections.find(({ name }) => name === "Tags")?.rows.map(({ key }) => key)).toEqual(["team"]);
});

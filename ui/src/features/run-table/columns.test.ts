import { expect, test } from "vitest";
import { allOf, columnLabel, groupCondition, metricColumn, moved, parseColumn, plainColumn } from "./columns";

test.each(["loss", "val/accuracy", "a b", "x`y", "gpu.0.util", "wait.min", "ends."])("a metric named %s comes back", (key) => {
  const column = metricColumn(key, "max");
  expect(parseColumn(column.id)).toEqual(column);
});

test.each(["lr", "a,b", "model.layers", "ünï"])("a param named %s comes back", (key) => {
  const column = plainColumn("param", key);
  expect(parseColumn(column.id)).toEqual(column);
});

test("a metric without an aggregate is its latest value", () => {
  expect(parseColumn("metrics.val/loss")).toMatchObject({ kind: "metric", key: "val/loss", aggregate: "last" });
});

test("what names nothing is no column", () => {
  for (const id of ["", "wat", "datasets.x", "metrics.", "metrics.`a", "params.`a`.min"]) expect(parseColumn(id)).toBeNull();
});

test("a heading is as short as it can be without being mistaken", () => {
  const [train, val, lr] = [metricColumn("train/loss", "min"), metricColumn("val/loss", "min"), metricColumn("train/lr", "last")];
  expect(columnLabel(lr, [train, val, lr])).toBe("lr");
  expect(columnLabel(train, [train, val, lr])).toBe("train/loss");
  expect(columnLabel(val, [val, lr])).toBe("loss");
});

test("a group's condition quotes its value and joins the filter without changing it", () => {
  expect(groupCondition("params.opt", "o'neil")).toBe("params.opt = 'o''neil'");
  expect(groupCondition("params.opt", null)).toBe("params.opt is null");
  expect(allOf(["a = 1 or b = 2", "c = 3"])).toBe("(a = 1 or b = 2) and c = 3");
  expect(allOf(["", "c = 3"])).toBe("c = 3");
});

test("a column takes the place of another, in both directions", () => {
  expect(moved(["a", "b", "c"], "a", "c")).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], "c", "a")).toEqual(["c", "a", "b"]);
  expect(moved(["a", "b"], "x", "a")).toEqual(["a", "b"]);
});

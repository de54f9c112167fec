import { expect, test } from "vitest";
import { plainColumn } from "../run-table/columns";
import { autoColumns, headlineOf, SIDE } from "./auto-columns";

test("the headline is what the table is sorted by, if that is a metric", () => {
  expect(headlineOf("metrics.train/loss.last", ["val/accuracy"])?.id).toBe("metrics.train/loss.last");
  expect(headlineOf("params.lr", ["val/accuracy"])?.id).toBe("metrics.val/accuracy.max");
  expect(headlineOf(null, [])).toBeNull();
});

test("without a choice the table shows two metrics, what differs, and the age", () => {
  const differing = ["a", "b", "c", "d", "e"].map((key) => plainColumn("param", key));
  const ids = autoColumns(headlineOf(null, ["val/accuracy", "val/loss", "x"]), ["val/accuracy", "val/loss", "x"], differing, ["params.b"], SIDE);
  expect(ids.map((column) => column.id)).toEqual([
    "metrics.val/accuracy.max", "metrics.val/loss.min", "params.a", "params.c", "start_time",
  ]);
});

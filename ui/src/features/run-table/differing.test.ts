import { expect, test } from "vitest";
import { differingColumns } from "./differing";

const ids = Array.from({ length: 10 }, (_, i) => `run${i}`);

test("only params that differ are named, the telling ones first and seeds last", () => {
  const found = differingColumns({
    total: 10,
    run_ids: ids,
    columns: {
      "params.same": ids.map(() => "1"),
      "params.seed": ids.map((_, i) => String(i)),
      "params.optimizer": ids.map((_, i) => (i % 2 ? "adam" : "sgd")),
      "params.missing": ids.map((_, i) => (i === 0 ? null : "x")),
    },
  });
  expect(found.map((column) => column.key)).toEqual(["optimizer", "missing", "seed"]);
});

test("a name for each run is no setting, nor is a long text", () => {
  const found = differingColumns({
    total: 10,
    run_ids: ids,
    columns: { "params.out": ids.map((id) => `dir-${id}`), "params.config": ids.map((_, i) => "x".repeat(50) + (i % 2)) },
  });
  expect(found).toEqual([]);
});

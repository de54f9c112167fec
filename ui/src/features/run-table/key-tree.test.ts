import { expect, test } from "vitest";
import { countLeaves, keyTree, leafName, matching } from "./key-tree";

test("keys lie in their branches, in natural order", () => {
  const tree = keyTree(["loss", "layer/10/w", "layer/2/w", "val/loss", "val/acc"]);
  expect(tree.leaves).toEqual(["loss"]);
  expect(tree.branches.map((branch) => branch.name)).toEqual(["layer", "val"]);
  expect(tree.branches[0]?.branches.map((branch) => branch.name)).toEqual(["2", "10"]);
  const val = tree.branches[1];
  expect(val?.leaves).toEqual(["val/acc", "val/loss"]);
  expect(val && leafName("val/acc", val)).toBe("acc");
  expect(countLeaves(tree)).toBe(5);
});

test("odd slashes lose no key", () => {
  const keys = ["/a", "a//b", "a/", "/"];
  expect(countLeaves(keyTree(keys))).toBe(4);
});

test("search takes all words, in any order", () => {
  expect(matching(["val/loss", "train/loss", "val/acc"], "loss VAL")).toEqual(["val/loss"]);
});

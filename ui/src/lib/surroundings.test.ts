import { expect, test } from "vitest";
import { isSurrounding, packagesOf, surroundingsOf } from "./surroundings";

test("tags of either client say where a run came from", () => {
  expect(surroundingsOf({ "gnomon.git.commit": "abc", "gnomon.git.dirty": "true", "gnomon.host": "node-7", team: "x" })).toEqual([
    { name: "commit", text: "abc" },
    { name: "local changes", text: "yes" },
    { name: "host", text: "node-7" },
  ]);
  expect(surroundingsOf({ "mlflow.source.name": "train.py", "mlflow.source.git.commit": "def" })).toEqual([
    { name: "commit", text: "def" },
    { name: "command", text: "train.py" },
  ]);
  expect(surroundingsOf({})).toEqual([]);
  expect(isSurrounding("gnomon.git.branch")).toBe(true);
  expect(isSurrounding("team")).toBe(false);
});

test("packages are read line by line", () => {
  const found = packagesOf("# pinned\nnumpy==2.1.0\ntorch==2.9.0+cu126  # wheel\n-e ./here\n\nours @ file:///x\n");
  expect([...found]).toEqual([["numpy", "2.1.0"], ["torch", "2.9.0+cu126"], ["ours", "file:///x"]]);
});

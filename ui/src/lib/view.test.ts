import { expect, test } from "vitest";
import { readList, readSearch, writeList, writeSearch } from "./search-params";
import { UndoStack } from "./undo";
import { hideRun, showRun } from "./view";

test("a list survives its writing, whatever its items hold", () => {
  const items = ["metrics.val/loss.min", "a,b", "c\\", "", "ä 日本 %2C", "x=1&y"];
  expect(readList(writeList(items) ?? undefined)).toEqual(items);
  const search = writeSearch([["c", writeList(items)]]);
  expect(readList(readSearch(search).get("c"))).toEqual(items);
});

test("a query string stays legible", () => {
  expect(writeSearch([["q", "status = 'finished' and metrics.val/loss.min < 0.3"], ["v", null]])).toBe(
    "q=status+=+'finished'+and+metrics.val/loss.min+<+0.3",
  );
});

test("what would end an entry of the query string is escaped", () => {
  const value = "a&b=c#d+e%f g";
  expect(readSearch(writeSearch([["q", value]])).get("q")).toBe(value);
});

test("a hidden run frees its slot and the others keep theirs", () => {
  const shown = showRun(showRun(showRun([], "a"), "b"), "c");
  expect(hideRun(shown, "b")).toEqual(["a", null, "c"]);
  expect(showRun(hideRun(shown, "b"), "d")).toEqual(["a", "d", "c"]);
  expect(hideRun(shown, "c")).toEqual(["a", "b"]);
  expect(showRun(shown, "b")).toEqual(shown);
});

test("undo and redo walk the same states, and a new change ends redo", () => {
  let clock = 0;
  const stack = new UndoStack<string>(() => (clock += 1000));
  stack.push("a", "x");
  stack.push("b", "x");
  expect(stack.undo("c")).toBe("b");
  expect(stack.undo("b")).toBe("a");
  expect(stack.undo("a")).toBeNull();
  expect(stack.redo("a")).toBe("b");
  stack.push("b", "y");
  expect(stack.redo("d")).toBeNull();
});

test("one gesture is one step of undo", () => {
  let clock = 0;
  const stack = new UndoStack<string>(() => (clock += 100));
  stack.push("0.1", "smoothing");
  stack.push("0.2", "smoothing");
  stack.push("0.3", "smoothing");
  expect(stack.undo("0.4")).toBe("0.1");
});

test("decisions are undone one by one, however fast they follow", () => {
  const stack = new UndoStack<string>(() => 0);
  stack.push("all", null);
  stack.push("hidden", null);
  expect(stack.undo("solo")).toBe("hidden");
  expect(stack.undo("hidden")).toBe("all");
});

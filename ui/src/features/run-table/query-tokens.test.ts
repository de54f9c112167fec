import { expect, test } from "vitest";
import { slotAt, tokenize } from "./query-tokens";

const kinds = (text: string) => tokenize(text).filter((token) => token.kind !== "space").map((token) => token.kind);

test("each part of a comparison has its colour", () => {
  expect(kinds("metrics.val/loss.min < 0.3 and params.opt = 'adam'")).toEqual([
    "key", "operator", "number", "word", "key", "operator", "text",
  ]);
  expect(kinds("status not in ('failed', \"killed\")")).toEqual(["key", "word", "word", "paren", "text", "paren", "text", "paren"]);
  expect(kinds("tags.`a b`.x is null")).toEqual(["key", "word", "word"]);
  expect(kinds("params.lr >= 1e-3")).toEqual(["key", "operator", "number"]);
});

test("no character is lost, whatever is typed", () => {
  for (const text of ["", "a = 'open", "§$%&😀 x", "tags.`open", "((", "1.5.2", "-", "日本 = '語'"]) {
    expect(tokenize(text).map((token) => token.text).join("")).toBe(text);
  }
});

test("what is expected follows from what is before the caret", () => {
  expect(slotAt("", 0)).toMatchObject({ expects: "key", typed: "" });
  expect(slotAt("metrics.va", 10)).toMatchObject({ expects: "key", typed: "metrics.va", from: 0, to: 10 });
  expect(slotAt("params.opt ", 11)).toMatchObject({ expects: "operator", typed: "" });
  expect(slotAt("params.opt = ", 13)).toMatchObject({ expects: "value", column: "params.opt" });
  expect(slotAt("params.opt = 'ad", 16)).toMatchObject({ expects: "value", typed: "'ad", from: 13 });
  expect(slotAt("params.opt = 'adam' ", 20)).toMatchObject({ expects: "join" });
  expect(slotAt("params.opt = 'adam' and ", 24)).toMatchObject({ expects: "key" });
  expect(slotAt("status in (", 11)).toMatchObject({ expects: "value", column: "status" });
  expect(slotAt("(", 1)).toMatchObject({ expects: "key" });
  expect(slotAt("status in ('a', ", 16)).toMatchObject({ expects: "value", column: "status" });
});

test("a word in the middle is replaced whole", () => {
  expect(slotAt("metrics.loss < 3", 9)).toMatchObject({ expects: "key", typed: "metrics.l", from: 0, to: 12 });
});

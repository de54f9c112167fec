import { expect, test } from "vitest";
import type { KeyInfo } from "../../api/keys";
import { offersFor, take } from "./completion";
import { slotAt } from "./query-tokens";

const KEYS: KeyInfo[] = [
  { kind: "metric", key: "val/loss", runs: 3 },
  { kind: "param", key: "lr", runs: 3 },
  { kind: "tag", key: "a b", runs: 1 },
];
const offers = (text: string) => offersFor(slotAt(text, text.length), KEYS).map((offer) => offer.text);

test("keys are found by their own beginning, and quoted where they must be", () => {
  expect(offers("val")).toContain("metrics.val/loss");
  expect(offers("params.")).toEqual(["params.lr"]);
  expect(offers("a b")).not.toContain("tags.a b");
  expect(offers("tags.")).toEqual(["tags.`a b`"]);
});

test("operators suit the column", () => {
  expect(offers("metrics.val/loss ")).toContain("<");
  expect(offers("metrics.val/loss ")).not.toContain("like");
  expect(offers("params.lr ")).toContain("like");
  expect(offers("status ")).toEqual(["=", "!=", "in"]);
});

test("the states of a run are offered as text", () => {
  expect(offers("status = ")).toContain("'running'");
  expect(offers("status = 'f")).toEqual(["'finished'", "'failed'"]);
});

test("taking an offer replaces the word and leaves one space", () => {
  const text = "metrics.va < 3";
  const slot = slotAt(text, 10);
  expect(take(text, slot, { text: "metrics.val/loss", hint: "" })).toEqual({ text: "metrics.val/loss < 3", caret: 17 });
  expect(take("va", slotAt("va", 2), { text: "params.lr", hint: "" })).toEqual({ text: "params.lr ", caret: 10 });
});

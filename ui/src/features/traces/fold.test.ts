import { expect, test } from "vitest";
import type { SpanResponse } from "../../api/traces";
import { parentOf, unfolded } from "./fold";

function span(id: string, depth: number): SpanResponse {
  return { id, name: id, kind: "", status: "OK", depth, parent: null, events: [], start_ns: 0, duration_ns: 1, attributes: {}, message: "" };
}

const TREE = [span("root", 0), span("a", 1), span("a1", 2), span("a2", 2), span("b", 1), span("other", 0)];
const names = (folded: readonly string[]): string[] => unfolded(TREE, new Set(folded)).map((row) => row.span.id);

test("what lies in a folded span is left out, at every depth", () => {
  expect(names([])).toEqual(["root", "a", "a1", "a2", "b", "other"]);
  expect(names(["a"])).toEqual(["root", "a", "b", "other"]);
  expect(names(["root", "a"])).toEqual(["root", "other"]);
  expect(names(["b"])).toEqual(names([]));
});

test("the row above is the span that holds it", () => {
  const rows = unfolded(TREE, new Set());
  expect([0, 1, 3, 4, 5].map((at) => parentOf(rows, at))).toEqual([0, 0, 1, 0, 5]);
});

import { expect, test } from "vitest";
import type { Rule } from "../../api/automation";
import { amountOf, bodyOf, conditionOf, effectOf, tagsOf } from "./rule-text";

const RULE: Rule = {
  id: "1",
  name: "high",
  kind: "threshold",
  metric: "loss",
  aggregate: "max",
  comparison: ">",
  value: 10,
  direction: "min",
  steps: null,
  minutes: null,
  filter: "",
  tags: { state: "bad" },
  webhook_id: null,
  end_run: true,
  active: true,
  created_by: "ann",
  created_at: "",
  last_updated: "",
};

test("a rule is said in words", () => {
  expect(conditionOf(RULE)).toBe("loss.max > 10");
  expect(conditionOf({ ...RULE, kind: "nonfinite", metric: null, filter: "tags.a = 'b'" })).toBe("NaN or infinity in any metric where tags.a = 'b'");
  expect(conditionOf({ ...RULE, kind: "no_progress", steps: 50 })).toBe("loss (min) not better for 50 steps");
  expect(conditionOf({ ...RULE, kind: "silent", minutes: 5 })).toBe("nothing heard of a running run for 5 min");
  expect(effectOf(RULE)).toBe("tells webhooks · tags state=bad · ends the run");
});

test("what the server says of a rule is not sent back", () => {
  expect(Object.keys(bodyOf(RULE))).not.toContain("id");
  expect(bodyOf(RULE).value).toBe(10);
});

test("tags and amounts are read as they are written", () => {
  expect(tagsOf("a=1, b = two=2\nnothing")).toEqual({ a: "1", b: "two=2" });
  expect([amountOf("1e3"), amountOf(""), amountOf("-1"), amountOf("x")]).toEqual([1000, null, null, null]);
});

import { describe, expect, it } from "vitest";
import { kindOf, laidOut, spanTexts, spanTime } from "./span-text";

describe("what a span says", () => {
  it("finds inputs and outputs by the names of several libraries", () => {
    expect(spanTexts({ "mlflow.spanInputs": '{"q": 1}', "output.value": "yes", "mlflow.spanType": "LLM", model: "m" })).toEqual({
      inputs: '{\n  "q": 1\n}',
      outputs: "yes",
      others: [["model", "m"]],
    });
    expect(spanTexts({ b: "2", a: "1" })).toEqual({ inputs: null, outputs: null, others: [["a", "1"], ["b", "2"]] });
  });

  it("lays out JSON, and leaves alone what is none", () => {
    expect(laidOut('"two\\nlines"')).toBe("two\nlines");
    expect(laidOut("{no json}")).toBe("{no json}");
    expect(laidOut("12345678901234567890")).toBe("12345678901234567890");
  });

  it("says the kind of a span where somebody said it", () => {
    expect(['"RETRIEVER"', "LLM", "UNKNOWN", ""].map(kindOf)).toEqual(["retriever", "llm", "", ""]);
  });

  it("writes times with three digits", () => {
    const times = [0, 870, 4_200, 99_960_000, 999_000_000, 2_412_000_000, 59_999_000_000, 192_000_000_000, 7_260_000_000_000];
    expect(times.map(spanTime)).toEqual(["0 ns", "870 ns", "4.20 µs", "100 ms", "999 ms", "2.41 s", "60.0 s", "3m 12s", "2h 1m"]);
  });
});

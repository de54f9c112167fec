/** What a span says, as text for people: its inputs and outputs by whatever name its library gives them, and times. */

/** By MLflow, OpenInference and OpenTelemetry's conventions for generative models; the first that is there counts. */
const INPUTS = ["mlflow.spanInputs", "input.value", "gen_ai.input.messages", "gen_ai.prompt"];
const OUTPUTS = ["mlflow.spanOutputs", "output.value", "gen_ai.output.messages", "gen_ai.completion"];
/** What the page shows in other places. */
const SHOWN_ELSEWHERE = new Set(["mlflow.spanType", "mlflow.traceRequestId", "mlflow.spanFunctionName"]);

export interface SpanTexts {
  readonly inputs: string | null;
  readonly outputs: string | null;
  readonly others: readonly (readonly [key: string, value: string])[];
}

export function spanTexts(attributes: Readonly<Record<string, string>>): SpanTexts {
  const input = INPUTS.find((key) => key in attributes);
  const output = OUTPUTS.find((key) => key in attributes);
  const others = Object.entries(attributes)
    .filter(([key]) => key !== input && key !== output && !SHOWN_ELSEWHERE.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    inputs: input === undefined ? null : laidOut(attributes[input] ?? ""),
    outputs: output === undefined ? null : laidOut(attributes[output] ?? ""),
    others: others.map(([key, value]) => [key, laidOut(value)]),
  };
}

/** JSON with line breaks, a JSON string as the text that it holds; what is no JSON stays as it is. */
export function laidOut(text: string): string {
  if (!/^\s*[[{"]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : JSON.stringify(value, null, 2);
  } catch {
    return text;
  }
}

/** What kind of step a span is, in small letters; nothing where nobody said. */
export function kindOf(kind: string): string {
  const found = laidOut(kind).toLowerCase();
  return found === "unknown" ? "" : found;
}

/** A length of time with three digits or so: 870 ns, 4.20 µs, 15.3 ms, 2.41 s, 3m 12s. */
export function spanTime(ns: number): string {
  if (ns < 1_000) return `${ns} ns`;
  if (ns < 1_000_000) return `${threeDigits(ns / 1_000)} µs`;
  if (ns < 1_000_000_000) return `${threeDigits(ns / 1_000_000)} ms`;
  if (ns < 60_000_000_000) return `${threeDigits(ns / 1_000_000_000)} s`;
  const seconds = Math.round(ns / 1_000_000_000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}m ${seconds % 60}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

function threeDigits(value: number): string {
  return value >= 99.95 ? String(Math.round(value)) : value.toPrecision(3);
}

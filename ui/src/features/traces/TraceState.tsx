/** How a trace is called, and how it ended. */
import type { TraceSummary } from "../../api/traces";

export function nameOf(trace: TraceSummary): string {
  return trace.name === "" ? trace.id : trace.name;
}

const STATES = { OK: "ok", ERROR: "failed", IN_PROGRESS: "running", STATE_UNSPECIFIED: "" } as const;

export function TraceState({ state }: { readonly state: TraceSummary["state"] }) {
  const word = STATES[state];
  return word === "" ? null : <span className={`trace-state is-${word}`}>{word}</span>;
}

/** The state of a run: a sign and a word, never colour alone. Finished is the rule and needs no word in a table. */
import type { RunStatus } from "../lib/run-status";

const SIGNS: Readonly<Record<RunStatus, readonly [string, string]>> = {
  running: ["●", "running"],
  scheduled: ["○", "scheduled"],
  finished: ["✓", "finished"],
  failed: ["✕", "failed"],
  killed: ["■", "killed"],
};

export function Status({ status }: { readonly status: RunStatus }) {
  const [sign, label] = SIGNS[status];
  return (
    <span className={`status is-${status}`}>
      <i aria-hidden="true">{sign}</i>
      <span className="status-word">{label}</span>
    </span>
  );
}

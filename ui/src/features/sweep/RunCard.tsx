/** The run under the pointer: its target and what its parameters are, in a corner, so that it hides no line. */
import { formatValue } from "../../charts/numbers";
import { at } from "../../series/series";
import { formatGiven } from "./axis-scale";
import type { Dimension, Sweep } from "./sweep-data";

const MOST_ROWS = 14;

export function RunCard({ sweep, run }: { sweep: Sweep; run: number | null }) {
  const found = run === null ? undefined : sweep.runs[run];
  return (
    <div className="run-card" role="status" hidden={found === undefined}>
      {run !== null && found !== undefined && (
        <>
          <b>{found.name}</b>
          <dl>
            {[sweep.target, ...sweep.params].slice(0, MOST_ROWS).map((dimension) => (
              <div key={dimension.key}>
                <dt>{dimension.key}</dt>
                <dd>{valueText(dimension, run, dimension === sweep.target ? formatValue : formatGiven)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </div>
  );
}

function valueText({ kind, values, labels }: Dimension, run: number, format: (value: number) => string): string {
  const value = at(values, run);
  if (Number.isNaN(value)) return "–";
  return kind === "category" ? (labels[value] ?? "–") : format(value);
}

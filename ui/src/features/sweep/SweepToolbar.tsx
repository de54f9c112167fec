/** What runs are judged by, and which parameters are drawn. */
import type { ReactNode } from "react";
import type { Sweep } from "./sweep-data";
import { SWEEP_AGGREGATES, type SweepAggregate, type SweepView } from "./view";

interface Props {
  readonly target: string;
  readonly metrics: readonly string[];
  readonly sweep: Sweep;
  readonly view: SweepView;
  readonly onChange: (change: Partial<SweepView>) => void;
}

const NAMES: Record<SweepAggregate, string> = { best: "best", last: "last", min: "minimum", max: "maximum", mean: "mean" };
const NONE = "";

export function SweepToolbar({ target, metrics, sweep, view, onChange }: Props) {
  const keys = sweep.params.map(({ key }) => key);
  return (
    <div className="sweep-bar" role="toolbar" aria-label="Sweep settings">
      <Choice label="Judge runs by" value={target} onChange={(value) => onChange({ target: value })}>
        {metrics.map((key) => (
          <option key={key}>{key}</option>
        ))}
      </Choice>
      <Choice
        label="Value"
        value={view.aggregate}
        onChange={(value) => {
          const aggregate = SWEEP_AGGREGATES.find((name) => name === value);
          if (aggregate !== undefined) onChange({ aggregate });
        }}
      >
        {SWEEP_AGGREGATES.map((name) => (
          <option key={name} value={name}>
            {NAMES[name]}
          </option>
        ))}
      </Choice>
      <Choice label="Scatter across" value={view.across ?? NONE} onChange={(value) => onChange({ across: value || null })}>
        <option value={NONE}>strongest</option>
        {keys.map((key) => (
          <option key={key}>{key}</option>
        ))}
      </Choice>
      <Choice label="Colour" value={view.tint ?? NONE} onChange={(value) => onChange({ tint: value || null })}>
        <option value={NONE}>as on charts</option>
        {keys.map((key) => (
          <option key={key}>{key}</option>
        ))}
      </Choice>
      <div className="param-chips" role="group" aria-label="Parameters with an axis">
        {keys.map((key) => {
          const isOn = !view.without.includes(key);
          return (
            <button
              key={key}
              type="button"
              className="chip"
              aria-pressed={isOn}
              onClick={() => onChange({ without: isOn ? [...view.without, key] : view.without.filter((other) => other !== key) })}
            >
              {key}
            </button>
          );
        })}
      </div>
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly children: ReactNode;
}

function Choice({ label, value, onChange, children }: ChoiceProps) {
  return (
    <label className="choice">
      {label}
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {children}
      </select>
    </label>
  );
}

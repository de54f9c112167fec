/** The controls above the panels: what x is, how lines are smoothed, what is drawn around them. */
import type { ReactNode } from "react";
import type { ChartBus } from "../../charts/bus";
import { Icon } from "./icons";
import { Menu } from "./Menu";
import { MetricTree, type MetricInfo } from "./MetricTree";
import { Select } from "./Select";
import { SmoothingControl } from "./SmoothingControl";
import { PANEL_SIZES, type ChartsView, type PanelSize } from "./view";

interface Props {
  readonly view: ChartsView;
  readonly metrics: readonly MetricInfo[];
  readonly bus: ChartBus;
  readonly onChange: (change: Partial<ChartsView>) => void;
  /** Controls of the surrounding page: named views, sharing. */
  readonly children?: ReactNode;
}

const AXES = [
  ["step", "Step"],
  ["relative", "Relative"],
  ["time", "Wall"],
] as const;

const SIZE_NAMES: Record<PanelSize, string> = { s: "Small panels", m: "Medium panels", l: "Large panels" };

export function Toolbar({ view, metrics, bus, onChange, children }: Props) {
  const metricAxis = typeof view.x === "string" ? null : view.x.metric;
  return (
    <div className="charts-bar" role="toolbar" aria-label="Chart settings">
      <div className="segments" role="radiogroup" aria-label="X axis">
        {AXES.map(([axis, label]) => (
          <button
            key={axis}
            type="button"
            role="radio"
            aria-checked={view.x === axis}
            onClick={() => onChange({ x: axis, window: null })}
          >
            {label}
          </button>
        ))}
        <Select
          label="Metric as x axis"
          className={metricAxis === null ? "is-metric" : "is-metric is-chosen"}
          value={metricAxis ?? ""}
          onChange={(metric) => onChange({ x: { metric }, window: null })}
        >
          <option value="" disabled>
            Metric
          </option>
          {metrics.map(({ key }) => (
            <option key={key} value={key}>
              {key}
            </option>
          ))}
        </Select>
      </div>
      <SmoothingControl smoothing={view.smoothing} bus={bus} onChange={(smoothing) => onChange({ smoothing })} />
      <Toggle isOn={view.hasBand} onToggle={(hasBand) => onChange({ hasBand })} title="Smallest and largest value of each bucket (E)">
        Min–max
      </Toggle>
      <Toggle
        isOn={view.isLog}
        onToggle={(isLog) => onChange({ isLog })}
        title="Logarithmic where values spread over more than a decade (L); a panel’s menu decides otherwise"
      >
        Log y
      </Toggle>
      <Toggle
        isOn={view.isClipped}
        onToggle={(isClipped) => onChange({ isClipped })}
        title="Leave single spikes out of the y range; triangles at the edge mark them"
      >
        Clip outliers
      </Toggle>
      <span className="grow" />
      {children}
      <Menu
        className="size-menu"
        label={`Size ${view.layout.size.toUpperCase()} of panels`}
        button={
          <>
            <span className="menu-word">Size</span> <b>{view.layout.size.toUpperCase()}</b>
            <Icon name="down" size={12} />
          </>
        }
        items={() =>
          PANEL_SIZES.map((size) => ({
            label: SIZE_NAMES[size],
            isChecked: view.layout.size === size,
            onSelect: () => onChange({ layout: { ...view.layout, size } }),
          }))
        }
      />
      <MetricTree
        metrics={metrics}
        hidden={view.layout.hidden}
        onHidden={(hidden) => onChange({ layout: { ...view.layout, hidden } })}
      />
    </div>
  );
}

interface ToggleProps {
  readonly isOn: boolean;
  readonly title: string;
  readonly onToggle: (isOn: boolean) => void;
  readonly children: ReactNode;
}

function Toggle({ isOn, title, onToggle, children }: ToggleProps) {
  return (
    <button type="button" className="toggle" aria-pressed={isOn} title={title} onClick={() => onToggle(!isOn)}>
      {children}
    </button>
  );
}

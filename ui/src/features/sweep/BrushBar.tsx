/** What is marked on the axes, in words, and what can be done with the runs that lie within. */
import { axisScale, formatGiven } from "./axis-scale";
import { brushedValues, type Brushes } from "./brush";
import type { Dimension, Sweep } from "./sweep-data";

interface Props {
  readonly dimensions: readonly Dimension[];
  readonly brushes: Brushes;
  readonly sweep: Sweep;
  readonly within: readonly boolean[];
  readonly onBrush: (key: string, brush: null) => void;
  readonly onClear: () => void;
  readonly onShow: (runIds: readonly string[]) => void;
}

/** The charts tell so many lines apart. */
const MOST_SHOWN = 48;

export function BrushBar({ dimensions, brushes, sweep, within, onBrush, onClear, onShow }: Props) {
  if (brushes.size === 0) {
    return <p className="brush-bar">Drag along an axis to choose runs. A click on a line opens its run.</p>;
  }
  const chosen = sweep.runs.filter((_, i) => within[i] === true).map(({ id }) => id);
  const marked = dimensions.flatMap((dimension) => {
    const brush = brushes.get(dimension.key);
    return brush === undefined ? [] : [{ dimension, text: stretchText(dimension, brush) }];
  });
  return (
    <p className="brush-bar" role="status">
      <b>
        {chosen.length} of {sweep.runs.length} runs
      </b>
      {marked.map(({ dimension, text }) => (
        <button
          key={dimension.key}
          type="button"
          className="chip"
          aria-label={`Remove the mark on ${dimension.key}: ${text}`}
          onClick={() => onBrush(dimension.key, null)}
        >
          {dimension.key} <em>{text}</em> ×
        </button>
      ))}
      <span className="grow" />
      <button type="button" className="button" disabled={chosen.length === 0} onClick={() => onShow(chosen.slice(0, MOST_SHOWN))}>
        {chosen.length > MOST_SHOWN ? `Show the best ${MOST_SHOWN} on charts` : "Show on charts"}
      </button>
      <button type="button" className="quiet" onClick={onClear}>
        Clear
      </button>
    </p>
  );
}

function stretchText(dimension: Dimension, brush: readonly [number, number]): string {
  const found = brushedValues(dimension, axisScale(dimension, 5).place, brush);
  if (found === null) return "none";
  if (dimension.kind === "category") return found.labels.join(", ");
  return found.lo === found.hi ? formatGiven(found.lo) : `${formatGiven(found.lo)} to ${formatGiven(found.hi)}`;
}

/** What the shown runs logged beside curves, side by side: one key, and one step through all of them. */
import { useQueries } from "@tanstack/react-query";
import { ErrorMessage, Loading, Message } from "../../ui/Message";
import type { RunRow } from "../run-table/rows";
import type { ValueRange } from "./histogram-steps";
import { HistogramSteps } from "./HistogramSteps";
import { ItemView } from "./ItemView";
import { keysOf, mediaQuery, stepsOf, stepUpTo, type MediaItems } from "./items";
import { useHistogramRange } from "./use-histogram-range";
import "./media.css";

interface Props {
  readonly runs: readonly RunRow[];
  readonly colors: ReadonlyMap<string, string>;
  readonly mediaKey: string | null;
  /** null: the last one. */
  readonly step: number | null;
  readonly onKey: (key: string) => void;
  readonly onStep: (step: number | null) => void;
}

/** Runs beside each other; more would be too small to see, and each costs requests. */
const MOST_RUNS = 12;

export function MediaPage({ runs, colors, mediaKey, step, onKey, onStep }: Props) {
  const beside = runs.slice(0, MOST_RUNS);
  const queries = useQueries({ queries: beside.map((run) => mediaQuery(run.id)) });
  const failed = queries.find((query) => query.error !== null);
  if (beside.length === 0) return <Message title="No run is shown">Show a run with its swatch in the table at the left.</Message>;
  if (failed !== undefined) {
    return <ErrorMessage title="The media could not be found" error={failed.error} onRetry={() => void failed.refetch()} />;
  }
  if (queries.some((query) => query.data === undefined)) return <Loading label="Looking for media" />;
  const found = queries.flatMap((query) => (query.data === undefined ? [] : [query.data]));
  const keys = keysOf(found);
  const key = mediaKey !== null && keys.includes(mediaKey) ? mediaKey : keys[0];
  if (key === undefined) {
    return (
      <Message title="The shown runs have no media">
        Pictures, figures, tables, distributions and texts that are logged with run.log_image, log_figure, log_table, log_histogram and
        log_text at a step are shown here, step by step, and so are sound and film.
      </Message>
    );
  }
  const steps = stepsOf(found, key);
  const last = steps.length - 1;
  const index = step === null ? last : Math.max(0, steps.findLastIndex((one) => one <= step));
  const here = steps[index] ?? 0;
  return (
    <div className="media">
      <div className="media-bar">
        <label>
          Key
          <select className="field" value={key} onChange={(event) => onKey(event.target.value)}>
            {keys.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label className="media-step">
          Step
          <input
            type="range"
            min={0}
            max={last}
            value={index}
            disabled={last === 0}
            aria-valuetext={String(here)}
            onChange={(event) => {
              const next = Number(event.target.value);
              onStep(next === last ? null : (steps[next] ?? null));
            }}
          />
        </label>
        <output>{here.toLocaleString("en-US", { maximumFractionDigits: 6 })}</output>
        {runs.length > MOST_RUNS && <span className="media-note">The first {MOST_RUNS} of {runs.length} shown runs</span>}
      </div>
      <MediaRuns runs={beside} colors={colors} found={found} mediaKey={key} step={here} />
    </div>
  );
}

/** Tables and texts need more room than pictures. */
function kindsOf(runs: readonly MediaItems[], key: string): string {
  const [first] = runs.flatMap((items) => [...(items.get(key)?.values() ?? [])].flat());
  return first?.kind ?? "image";
}

interface RunsProps {
  readonly runs: readonly RunRow[];
  readonly colors: ReadonlyMap<string, string>;
  /** What each of the runs has. */
  readonly found: readonly MediaItems[];
  readonly mediaKey: string;
  readonly step: number;
}

function MediaRuns({ runs, colors, found, mediaKey, step }: RunsProps) {
  const kind = kindsOf(found, mediaKey);
  const steps = runs.flatMap((run, i) => {
    const own = found[i]?.get(mediaKey);
    return own === undefined || kind !== "histogram" ? [] : [{ runId: run.id, steps: own }];
  });
  const here = steps.flatMap(({ runId, steps: own }) =>
    [...own].flatMap(([at, items]) => (at === step ? items.map(({ file }) => ({ runId, file })) : [])),
  );
  const range = useHistogramRange(steps, here);
  return (
    <div className="media-runs thin-scroll" tabIndex={0} role="region" aria-label="Media" data-kind={kind}>
      {runs.map((run, i) => (
        <RunMedia key={run.id} run={run} color={colors.get(run.id) ?? "var(--ink-4)"} items={found[i]} mediaKey={mediaKey} step={step} range={range} />
      ))}
    </div>
  );
}

interface RunProps {
  readonly run: RunRow;
  readonly color: string;
  readonly items: MediaItems | undefined;
  readonly mediaKey: string;
  readonly step: number;
  readonly range: ValueRange | null;
}

function RunMedia({ run, color, items, mediaKey, step, range }: RunProps) {
  const own = items === undefined ? null : stepUpTo(items, mediaKey, step);
  const steps = items?.get(mediaKey);
  const shown = own === null ? [] : (steps?.get(own) ?? []);
  return (
    <section className="media-run" aria-label={run.name}>
      <h2>
        <i style={{ background: color }} />
        <span>{run.name}</span>
        {own !== null && own !== step && <small>step {own}</small>}
      </h2>
      {shown.length === 0 && <p className="media-note">None up to this step.</p>}
      {shown.map((item) => (
        <ItemView key={item.number} runId={run.id} item={item} color={color} range={range} />
      ))}
      {steps !== undefined && shown[0]?.kind === "histogram" && <HistogramSteps runId={run.id} color={color} steps={steps} step={step} range={range} />}
    </section>
  );
}

/** Pictures of the shown runs side by side: one key, and one step through all of them. */
import { useQueries } from "@tanstack/react-query";
import { ErrorMessage, Loading, Message } from "../../ui/Message";
import type { RunRow } from "../run-table/rows";
import { PictureView } from "./PictureView";
import { keysOf, picturesQuery, stepsOf, stepUpTo, type Pictures } from "./pictures";
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
  const queries = useQueries({ queries: beside.map((run) => picturesQuery(run.id)) });
  const failed = queries.find((query) => query.error !== null);
  if (beside.length === 0) return <Message title="No run is shown">Show a run with its swatch in the table at the left.</Message>;
  if (failed !== undefined) {
    return <ErrorMessage title="The pictures could not be found" error={failed.error} onRetry={() => void failed.refetch()} />;
  }
  if (queries.some((query) => query.data === undefined)) return <Loading label="Looking for pictures" />;
  const found = queries.flatMap((query) => (query.data === undefined ? [] : [query.data]));
  const keys = keysOf(found);
  const key = mediaKey !== null && keys.includes(mediaKey) ? mediaKey : keys[0];
  if (key === undefined) {
    return <Message title="The shown runs have no pictures">Those that are logged with run.log_image or run.log_figure are shown here, step by step.</Message>;
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
      <div className="media-runs thin-scroll" tabIndex={0} role="region" aria-label="Pictures">
        {beside.map((run, i) => (
          <RunPictures key={run.id} run={run} color={colors.get(run.id) ?? "var(--ink-4)"} pictures={found[i]} mediaKey={key} step={here} />
        ))}
      </div>
    </div>
  );
}

interface RunProps {
  readonly run: RunRow;
  readonly color: string;
  readonly pictures: Pictures | undefined;
  readonly mediaKey: string;
  readonly step: number;
}

function RunPictures({ run, color, pictures, mediaKey, step }: RunProps) {
  const own = pictures === undefined ? null : stepUpTo(pictures, mediaKey, step);
  const shown = own === null ? [] : (pictures?.get(mediaKey)?.get(own) ?? []);
  return (
    <section className="media-run" aria-label={run.name}>
      <h2>
        <i style={{ background: color }} />
        <span>{run.name}</span>
        {own !== null && own !== step && <small>step {own}</small>}
      </h2>
      {shown.length === 0 && <p className="media-note">None up to this step.</p>}
      {shown.map((picture) => (
        <PictureView key={picture.number} runId={run.id} picture={picture} />
      ))}
    </section>
  );
}

/**
 * The Sweep tab: which parameters led where. All runs of the table's filter take part, not only those on the charts; hovering
 * a run lifts it here and on the charts.
 */
import { useCallback, useMemo, useState } from "react";
import type { ChartBus } from "../../charts/bus";
import type { Line } from "../../charts/curves";
import { group } from "../../charts/numbers";
import type { PaletteMode, Theme } from "../../charts/palette";
import { readPlotStyle } from "../../charts/style";
import { at } from "../../series/series";
import { associations } from "./association";
import { BestSoFar } from "./BestSoFar";
import { runsWithin, type Brushes } from "./brush";
import { BrushBar } from "./BrushBar";
import { Importance } from "./Importance";
import { ParallelCoordinates } from "./ParallelCoordinates";
import { RunCard } from "./RunCard";
import { Scatter } from "./Scatter";
import { SweepToolbar } from "./SweepToolbar";
import { MOST_PARAMS, useSweep, type SweepRequest } from "./use-sweep";
import type { SweepView } from "./view";
import "./sweep.css";

export interface SweepPageProps {
  readonly experimentId: string;
  /** The filter of the table, in the query language. */
  readonly filter: string;
  readonly metrics: readonly string[];
  readonly params: readonly string[];
  /** The headline metric, judged by when the view names none. */
  readonly headline: string | null;
  readonly lines: readonly Line[];
  readonly view: SweepView;
  readonly onChange: (change: Partial<SweepView>) => void;
  readonly onShow: (runIds: readonly string[]) => void;
  readonly onOpen: (runId: string) => void;
  readonly bus: ChartBus;
  readonly theme: Theme;
  readonly paletteMode?: PaletteMode;
}

const MOST_AXES = 10;
const NO_BRUSHES: Brushes = new Map();

export function SweepPage(props: SweepPageProps) {
  const { experimentId, filter, metrics, params, headline, lines, view, onChange, onShow, onOpen, bus, theme } = props;
  const target = view.target ?? headline ?? metrics[0] ?? null;
  const request = useMemo<SweepRequest | null>(
    () => (target === null ? null : { experimentId, filter, target, aggregate: view.aggregate, params }),
    [experimentId, filter, target, view.aggregate, params],
  );
  const { sweep, total, error, isLoading, retry } = useSweep(request);
  const mode = props.paletteMode ?? "hues";
  const style = useMemo(() => readPlotStyle(theme, mode), [theme, mode]);
  const [brushes, setBrushes] = useState<Brushes>(NO_BRUSHES);
  const [focus, setFocus] = useState<number | null>(null);
  const slots = useMemo(
    () => new Map(lines.flatMap(({ runIds, slot }) => runIds.map((id): [string, number] => [id, slot]))),
    [lines],
  );
  const found = useMemo(() => (sweep === null ? [] : associations(sweep.params, sweep.target)), [sweep]);
  const dimensions = useMemo(() => {
    if (sweep === null) return [];
    const rank = new Map(found.map(({ key }, i) => [key, i]));
    const shown = sweep.params
      .filter(({ key }) => !view.without.includes(key))
      .toSorted((a, b) => (rank.get(a.key) ?? rank.size) - (rank.get(b.key) ?? rank.size));
    return [...shown.slice(0, MOST_AXES), sweep.target];
  }, [sweep, found, view.without]);
  const within = useMemo(() => {
    if (sweep === null) return [];
    const marked = runsWithin(dimensions, brushes, sweep.runs.length);
    return marked.map((isIn, i) => isIn && Number.isFinite(at(sweep.target.values, i)));
  }, [sweep, dimensions, brushes]);
  const lift = useCallback(
    (run: number | null) => {
      setFocus(run);
      bus.focus(run === null ? null : (sweep?.runs[run]?.id ?? null));
    },
    [bus, sweep],
  );
  const brush = useCallback((key: string, stretch: readonly [number, number] | null) => {
    setBrushes((before) => {
      const next = new Map(before);
      if (stretch === null) next.delete(key);
      else next.set(key, stretch);
      return next;
    });
  }, []);

  if (target === null) return <p className="sweep-empty">No metric has been logged in this experiment yet.</p>;
  if (error !== null && sweep === null) {
    return (
      <p className="sweep-empty" role="alert">
        <b>Couldn’t read the runs.</b> {error.message}{" "}
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      </p>
    );
  }
  if (sweep === null) return <p className="sweep-empty">{isLoading ? "Reading the runs…" : ""}</p>;
  const finite = sweep.target.values.filter(Number.isFinite).length;
  const across = sweep.params.find(({ key }) => key === view.across) ?? dimensions[0] ?? sweep.target;
  const tint = sweep.params.find(({ key }) => key === view.tint) ?? null;
  const open = (run: number): void => {
    const id = sweep.runs[run]?.id;
    if (id !== undefined) onOpen(id);
  };
  return (
    <div className="sweep">
      <SweepToolbar target={target} metrics={metrics} sweep={sweep} view={view} onChange={onChange} />
      <div className="sweep-scroll">
        <p className="sweep-figures">
          {group(finite)} of {group(total)} runs have {target}
          {sweep.runs.length < total && `; the best ${group(sweep.runs.length)} are drawn, a filter chooses others`}
          {params.length > MOST_PARAMS && `; ${params.length - MOST_PARAMS} parameters are left out`}
          {sweep.params.length + 1 > dimensions.length &&
            `; ${dimensions.length - 1} of ${sweep.params.length} differing parameters have an axis`}
        </p>
        <section className="sweep-panel" aria-label="Parallel coordinates">
          <ParallelCoordinates
            sweep={sweep}
            dimensions={dimensions}
            style={style}
            brushes={brushes}
            within={within}
            focus={focus}
            onFocus={lift}
            onBrush={brush}
            onOpen={open}
          />
          <BrushBar
            dimensions={dimensions}
            brushes={brushes}
            sweep={sweep}
            within={within}
            onBrush={brush}
            onClear={() => setBrushes(NO_BRUSHES)}
            onShow={onShow}
          />
        </section>
        <div className="sweep-grid">
          <section className="sweep-panel" aria-label="Association">
            <h2>What goes with {target}</h2>
            <Importance associations={found} runCount={finite} isHigherBetter={sweep.direction === "max"} />
          </section>
          <section className="sweep-panel" aria-label="Scatter">
            <h2>
              {target} by {across.key}
            </h2>
            <Scatter
              sweep={sweep}
              across={across}
              tint={tint}
              slots={slots}
              style={style}
              within={within}
              focus={focus}
              onFocus={lift}
              onOpen={open}
            />
          </section>
          <section className="sweep-panel is-wide" aria-label="Best so far">
            <h2>Best so far, by start</h2>
            <BestSoFar sweep={sweep} style={style} focus={focus} onFocus={lift} />
          </section>
        </div>
      </div>
      <RunCard sweep={sweep} run={focus} />
    </div>
  );
}

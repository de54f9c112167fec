/** The charts of one run: the same panels as the experiment's, with one line. */
import { useEffect, useMemo, useState } from "react";
import { ChartBus } from "../../charts/bus";
import type { Line } from "../../charts/curves";
import { send } from "../../api/client";
import type { Run } from "../../api/runs";
import { usePreferences, useTheme } from "../../lib/preferences";
import { seriesFetcher } from "../../series/answer";
import { SeriesLoader } from "../../series/loader";
import { ChartsPage } from "../charts-page/ChartsPage";
import type { ChartsView } from "../charts-page/view";

interface Props {
  readonly run: Run;
  readonly view: ChartsView;
  readonly onChange: (change: Partial<ChartsView>) => void;
}

export function RunCharts({ run, view, onChange }: Props) {
  const theme = useTheme();
  const { palette } = usePreferences();
  const [engine] = useState(() => ({ bus: new ChartBus(), loader: new SeriesLoader(seriesFetcher(send)) }));
  useEffect(() => () => engine.loader.dispose(), [engine]);
  // The page asks for the run every two seconds while it is running: other latest values mean new points.
  const latest = JSON.stringify(run.metrics);
  // oxlint-disable-next-line react/exhaustive-effect-dependencies -- their change is the event
  useEffect(() => engine.loader.refresh([run.id]), [engine, run.id, latest, run.status]);
  const names = Object.keys(run.metrics).sort().join("\n");
  const metrics = useMemo(() => (names === "" ? [] : names.split("\n")).map((key) => ({ key, runCount: null })), [names]);
  const isRunning = run.status === "running";
  const lines = useMemo<Line[]>(
    () => [{ id: run.id, label: run.name, detail: "", runIds: [run.id], slot: 0, isRunning }],
    [run.id, run.name, isRunning],
  );
  return (
    <ChartsPage
      lines={lines}
      metrics={metrics}
      view={view}
      onChange={onChange}
      loader={engine.loader}
      bus={engine.bus}
      theme={theme}
      paletteMode={palette}
    />
  );
}

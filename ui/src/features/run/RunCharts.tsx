/** The charts of one run: the same panels as the experiment's, with one line. */
import { useEffect, useMemo, useState } from "react";
import { ChartBus } from "../../charts/bus";
import type { Line } from "../../charts/curves";
import { send } from "../../api/client";
import type { Run } from "../../api/runs";
import { Message } from "../../ui/Message";
import { usePreferences, useTheme } from "../../lib/preferences";
import { seriesFetcher } from "../../series/answer";
import { SeriesLoader } from "../../series/loader";
import { ChartsPage } from "../charts-page/ChartsPage";
import type { ChartsView } from "../charts-page/view";

interface Props {
  readonly run: Run;
  readonly view: ChartsView;
  readonly onChange: (change: Partial<ChartsView>) => void;
  /** Which of the metrics: what the run learned, or what the machine did meanwhile. */
  readonly isSystem: boolean;
}

const SYSTEM = "system/";

function isSystemMetric(key: string): boolean {
  return key.startsWith(SYSTEM);
}

export function RunCharts({ run, view, onChange, isSystem }: Props) {
  const theme = useTheme();
  const { palette } = usePreferences();
  const [engine] = useState(() => ({ bus: new ChartBus(), loader: new SeriesLoader(seriesFetcher(send)) }));
  useEffect(() => () => engine.loader.dispose(), [engine]);
  // The page asks for the run every two seconds while it is running: other latest values mean new points.
  const latest = JSON.stringify(run.metrics);
  // oxlint-disable-next-line react/exhaustive-effect-dependencies -- their change is the event
  useEffect(() => engine.loader.refresh([run.id]), [engine, run.id, latest, run.status]);
  const names = Object.keys(run.metrics)
    .filter((key) => isSystemMetric(key) === isSystem)
    .sort()
    .join("\n");
  const metrics = useMemo(() => (names === "" ? [] : names.split("\n")).map((key) => ({ key, runCount: null })), [names]);
  const isRunning = run.status === "running";
  const lines = useMemo<Line[]>(
    () => [{ id: run.id, label: run.name, detail: "", runIds: [run.id], slot: 0, isRunning }],
    [run.id, run.name, isRunning],
  );
  if (isSystem && metrics.length === 0) {
    return (
      <Message title="No system metrics">
        A run that was begun with gnomon.init logs processor, memory, disk, network and GPU under system/ every few seconds.
      </Message>
    );
  }
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

/** What the chosen tab shows. Tabs are loaded when they are first opened. */
import { lazy, Suspense, type ReactNode } from "react";
import type { Theme } from "../../charts/palette";
import type { Experiment } from "../../api/experiments";
import type { Preferences } from "../../lib/preferences";
import { Loading } from "../../ui/Message";
import { sweepEntries, sweepViewOf } from "../sweep/view";
import type { ExperimentView } from "../view/view";
import type { Change } from "../view/use-view";
import type { Engine } from "./ExperimentPage";
import type { Tab } from "./tabs";
import type { ExperimentData } from "./use-experiment-data";

const ChartsPage = lazy(async () => ({ default: (await import("../charts-page/ChartsPage")).ChartsPage }));
const ComparePage = lazy(async () => ({ default: (await import("../compare/ComparePage")).ComparePage }));
const SweepPage = lazy(async () => ({ default: (await import("../sweep/SweepPage")).SweepPage }));
const ArtifactsTab = lazy(async () => ({ default: (await import("../artifacts/ArtifactsTab")).ArtifactsTab }));
const MediaPage = lazy(async () => ({ default: (await import("../media/MediaPage")).MediaPage }));
const NotesPage = lazy(async () => ({ default: (await import("../notes/NotesPage")).ExperimentNotes }));

interface Props {
  readonly tab: Tab;
  readonly experimentId: string;
  readonly experiment: Experiment | undefined;
  readonly view: ExperimentView;
  readonly change: (change: Change) => void;
  readonly data: ExperimentData;
  readonly engine: Engine;
  readonly table: ReactNode;
  readonly onOpenRun: (runId: string) => void;
  readonly theme: Theme;
  readonly palette: Preferences["palette"];
}

export function TabContent(props: Props) {
  return <Suspense fallback={<Loading />}>{contentOf(props)}</Suspense>;
}

function contentOf(props: Props): ReactNode {
  const { tab, experimentId, experiment, view, change, data, engine, table, onOpenRun, theme, palette } = props;
  switch (tab) {
    case "charts":
      return (
        <ChartsPage
          lines={data.lines}
          metrics={data.metrics}
          view={view.charts}
          onChange={(charts) => change({ charts: { ...view.charts, ...charts } })}
          loader={engine.loader}
          bus={engine.bus}
          theme={theme}
          paletteMode={palette}
        />
      );
    case "table":
      return table;
    case "compare":
      return (
        <ComparePage
          runIds={data.shown.runs.map((run) => run.id)}
          baseline={view.baseline}
          colors={data.colors}
          showsAll={view.isComparingAll}
          onShowAll={(isComparingAll) => change({ isComparingAll })}
        />
      );
    case "sweep":
      return data.isHeld ? (
        <Loading />
      ) : (
        <SweepPage
          experimentId={experimentId}
          filter={view.filter}
          metrics={data.ranked}
          params={data.params}
          headline={data.headline?.key ?? null}
          lines={data.lines}
          view={sweepViewOf(view.sweep)}
          onChange={(sweep) => change({ sweep: sweepEntries({ ...sweepViewOf(view.sweep), ...sweep }) })}
          onShow={(runIds) => change({ shown: runIds })}
          onOpen={onOpenRun}
          bus={engine.bus}
          theme={theme}
          paletteMode={palette}
        />
      );
    case "artifacts":
      return (
        <ArtifactsTab
          runs={data.shown.runs}
          colors={data.colors}
          runId={view.artifactRun}
          path={view.artifact}
          onOpen={(artifactRun, artifact) => change({ artifactRun, artifact })}
        />
      );
    case "media":
      return (
        <MediaPage
          runs={data.shown.runs}
          colors={data.colors}
          mediaKey={view.mediaKey}
          step={view.mediaStep}
          onKey={(mediaKey) => change({ mediaKey })}
          onStep={(mediaStep) => change({ mediaStep })}
        />
      );
    case "notes":
      return experiment === undefined ? <Loading /> : <NotesPage experiment={experiment} />;
  }
}

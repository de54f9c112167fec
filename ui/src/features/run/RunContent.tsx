import { lazy, Suspense } from "react";
import type { Run } from "../../api/runs";
import { Loading } from "../../ui/Message";
import { useView } from "../view/use-view";
import { RunOverview } from "./RunOverview";
import type { RunTab } from "./tabs";

const RunCharts = lazy(async () => ({ default: (await import("./RunCharts")).RunCharts }));
const RunLogs = lazy(async () => ({ default: (await import("./RunLogs")).RunLogs }));
const RunTraces = lazy(async () => ({ default: (await import("../traces/RunTraces")).RunTraces }));
const ArtifactBrowser = lazy(async () => ({ default: (await import("../artifacts/ArtifactBrowser")).ArtifactBrowser }));
const RunNotes = lazy(async () => ({ default: (await import("../notes/NotesPage")).RunNotes }));

export function RunContent({ run, tab }: { readonly run: Run; readonly tab: RunTab }) {
  const { view, change } = useView(run.id);
  switch (tab) {
    case "overview":
      return <RunOverview run={run} />;
    case "charts":
    case "system":
      return (
        <Suspense fallback={<Loading />}>
          <RunCharts
            key={tab}
            run={run}
            view={view.charts}
            onChange={(charts) => change({ charts: { ...view.charts, ...charts } })}
            isSystem={tab === "system"}
          />
        </Suspense>
      );
    case "logs":
      return (
        <Suspense fallback={<Loading />}>
          <RunLogs run={run} path={view.artifact} onOpen={(artifact) => change({ artifact })} />
        </Suspense>
      );
    case "artifacts":
      return (
        <Suspense fallback={<Loading />}>
          <ArtifactBrowser runId={run.id} path={view.artifact} onOpen={(artifact) => change({ artifact })} />
        </Suspense>
      );
    case "traces":
      return (
        <Suspense fallback={<Loading />}>
          <RunTraces run={run} traceId={view.trace} onOpen={(trace) => change({ trace })} />
        </Suspense>
      );
    case "notes":
      return (
        <Suspense fallback={<Loading />}>
          <RunNotes run={run} />
        </Suspense>
      );
  }
}

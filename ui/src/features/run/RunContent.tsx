import { lazy, Suspense } from "react";
import type { Run } from "../../api/runs";
import { Loading } from "../../ui/Message";
import { useView } from "../view/use-view";
import { RunOverview } from "./RunOverview";
import type { RunTab } from "./tabs";

const RunCharts = lazy(async () => ({ default: (await import("./RunCharts")).RunCharts }));
const ArtifactBrowser = lazy(async () => ({ default: (await import("../artifacts/ArtifactBrowser")).ArtifactBrowser }));
const RunNotes = lazy(async () => ({ default: (await import("../notes/NotesPage")).RunNotes }));

export function RunContent({ run, tab }: { readonly run: Run; readonly tab: RunTab }) {
  const { view, change } = useView(run.id);
  switch (tab) {
    case "overview":
      return <RunOverview run={run} />;
    case "charts":
      return (
        <Suspense fallback={<Loading />}>
          <RunCharts run={run} view={view.charts} onChange={(charts) => change({ charts: { ...view.charts, ...charts } })} />
        </Suspense>
      );
    case "artifacts":
      return (
        <Suspense fallback={<Loading />}>
          <ArtifactBrowser runId={run.id} path={view.artifact} onOpen={(artifact) => change({ artifact })} />
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

/**
 * An experiment: its runs in a table at the left, and what the tab shows of them. Selection, colours, filter and zoom
 * belong to the page, so they persist from tab to tab.
 */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { ChartBus } from "../../charts/bus";
import { experimentQuery } from "../../api/experiments";
import { send } from "../../api/client";
import type { LiveChange } from "../../api/live";
import { useKeys } from "../../lib/keyboard";
import { usePreferences, useTheme } from "../../lib/preferences";
import { rememberView } from "../../lib/recent";
import { seriesFetcher } from "../../series/answer";
import { SeriesLoader } from "../../series/loader";
import { Loading } from "../../ui/Message";
import { useTenantHref } from "../../ui/tenant";
import { RunTable } from "../run-table/RunTable";
import { useCheckedFilter } from "../run-table/use-checked-filter";
import { SparkStore } from "../run-table/use-sparks";
import { AppBar } from "../shell/AppBar";
import { ViewMenu } from "../saved-views/ViewMenu";
import { LiveDot, LostNotice } from "../shell/LiveDot";
import { PageError } from "../shell/PageError";
import { useTitle } from "../shell/use-title";
import { useView, withView } from "../view/use-view";
import type { ExperimentView } from "../view/view";
import { ExperimentCrumb } from "./ExperimentCrumb";
import { ExperimentTabs } from "./ExperimentTabs";
import { TabContent } from "./TabContent";
import { hasSideTable, TAB_LABELS, type Tab } from "./tabs";
import { useExperimentData } from "./use-experiment-data";
import { useLive } from "./use-live";
import "./experiment.css";

const FirstRun = lazy(async () => ({ default: (await import("../shell/FirstRun")).FirstRun }));

interface Props {
  readonly id: string;
  readonly tab: Tab;
}

export function ExperimentPage({ id, tab }: Props) {
  const control = useView(id);
  const { view, change, undo, redo } = control;
  const theme = useTheme();
  const { palette } = usePreferences();
  const experiment = useQuery(experimentQuery(id));
  const checked = useCheckedFilter(id, view.filter);
  const goodView = useMemo(() => ({ ...view, filter: checked.filter }), [view, checked.filter]);
  const data = useExperimentData({ experimentId: id, view: goodView, isHeld: checked.isHeld, theme, palette, isWide: tab === "table" });
  const [engine] = useState(makeEngine);
  const [isTableOpen, setIsTableOpen] = useState(false);
  const search = useSearch();
  const [, navigate] = useLocation();
  const href = useTenantHref();
  useEffect(() => rememberView(id, search), [id, search]);
  useEffect(() => () => engine.loader.dispose(), [engine]);
  useTitle(experiment.data?.name ?? "Experiment");
  useKeys({ u: undo, "Shift+u": redo });

  const onLive = useCallback(
    ({ changed }: LiveChange): void => {
      engine.loader.refresh(changed);
      engine.sparks.markStale(changed);
    },
    [engine],
  );
  const live = useLive(id, onLive);
  const onFocusLine = useCallback((runId: string | null) => engine.bus.focus(runId), [engine]);

  const table = (
    <RunTable
      experimentId={id}
      view={view}
      checked={checked}
      onChange={change}
      keys={data.keys}
      columns={data.columns}
      shown={data.shown.slots}
      colors={data.colors}
      baseline={data.shown.baseline}
      sparkMetric={data.headline?.key ?? null}
      headlineId={data.headline?.id ?? null}
      sparks={engine.sparks}
      revision={live.revision}
      onFocusLine={onFocusLine}
    />
  );
  const isEmpty = experiment.data?.run_count === 0 && tab !== "notes";
  return (
    <div className="page">
      <AppBar
        crumb={<ExperimentCrumb id={id} experiment={experiment.data} />}
        tabs={experiment.error === null && <ExperimentTabs experimentId={id} tab={tab} shownCount={data.shown.runs.length} />}
        status={
          <>
            <ViewMenu experimentId={id} tab={tab} control={control} />
            <LiveDot state={live.state} />
          </>
        }
        link={() => linkTo({ ...view, shown: data.shown.slots, columns: data.columns.map((column) => column.id) })}
      />
      {experiment.error !== null ? (
        <main className="page-message">
          <h1 className="sr-only">Experiment</h1>
          <PageError
            title="This experiment cannot be shown"
            error={experiment.error}
            onRetry={() => void experiment.refetch()}
            back={{ href: "/", label: "All experiments" }}
          />
        </main>
      ) : isEmpty ? (
        <Suspense fallback={<Loading />}><FirstRun experiment={experiment.data} /></Suspense>
      ) : (
        <div className={`experiment-body${hasSideTable(tab) ? " has-table" : ""}${isTableOpen ? " is-table-open" : ""}`}>
          {hasSideTable(tab) && (
            <aside className="experiment-side">
              <button
                type="button"
                className="button side-toggle"
                aria-expanded={isTableOpen}
                onClick={() => setIsTableOpen(!isTableOpen)}
              >
                {isTableOpen ? "Hide runs" : `Runs (${data.shown.runs.length} shown)`}
              </button>
              <div className="side-content">
                <LostNotice state={live.state} onRetry={live.retry} />
                {table}
              </div>
            </aside>
          )}
          <main className="experiment-main">
            <h1 className="sr-only">
              {experiment.data?.name ?? "Experiment"}: {TAB_LABELS[tab]}
            </h1>
            <TabContent
              tab={tab}
              experimentId={id}
              experiment={experiment.data}
              view={goodView}
              change={change}
              data={data}
              engine={engine}
              table={table}
              onOpenRun={(runId) => navigate(href(`/r/${runId}`))}
              theme={theme}
              palette={palette}
            />
          </main>
        </div>
      )}
    </div>
  );
}

/** A link holds what the page has chosen by itself as well: tomorrow it might choose other runs and columns. */
function linkTo(view: ExperimentView): string {
  const { origin, pathname, search } = window.location;
  return `${origin}${pathname}?${withView(search.slice(1), view)}`;
}

export interface Engine {
  readonly bus: ChartBus;
  readonly loader: SeriesLoader;
  readonly sparks: SparkStore;
}

/** What lives as long as the page and never passes through React. */
function makeEngine(): Engine {
  const fetchSeries = seriesFetcher(send);
  return { bus: new ChartBus(), loader: new SeriesLoader(fetchSeries), sparks: new SparkStore(fetchSeries) };
}

/** One run: what it was given, what it reached, its charts, files and notes, and what arrived of it. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { experimentQuery } from "../../api/experiments";
import { runQuery } from "../../api/runs";
import { tracesQuery } from "../../api/traces";
import { lastView } from "../../lib/recent";
import { Link } from "../../ui/Link";
import { Loading } from "../../ui/Message";
import { Status } from "../../ui/Status";
import { RunActions } from "../manage/RunActions";
import { AppBar } from "../shell/AppBar";
import { PageError } from "../shell/PageError";
import { useTitle } from "../shell/use-title";
import { RunContent } from "./RunContent";
import { RUN_TAB_LABELS, RUN_TABS, runTabPath, useRunTabKeys, type RunTab } from "./tabs";
import "./run.css";

/** Back to the experiment as it was left. */
function withLastView(experimentId: string): string {
  const last = lastView(experimentId);
  return `/e/${experimentId}${last === "" ? "" : `?${last}`}`;
}

const REFRESH_MS = 2_000;
const LOOK_FOR_TRACES_MS = 10_000;

export function RunPage({ id, tab }: { readonly id: string; readonly tab: RunTab }) {
  const query = useQuery({
    ...runQuery(id),
    refetchInterval: ({ state }) => (state.data?.status === "running" ? REFRESH_MS : false),
  });
  const run = query.data;
  const experiment = useQuery({ ...experimentQuery(run?.experiment_id ?? ""), enabled: run !== undefined });
  useTitle(run?.name ?? "Run");
  const tabs = useTabs(id, tab, run?.status === "running");
  useRunTabKeys(id, tabs);
  return (
    <div className="page">
      <AppBar
        crumb={
          <>
            {run !== undefined && (
              <>
                <i>/</i>
                <Link to={withLastView(run.experiment_id)}>{experiment.data?.name ?? "experiment"}</Link>
              </>
            )}
            <i>/</i>
            <span className="here">
              <span>{run?.name ?? "run"}</span>
            </span>
          </>
        }
        tabs={<RunTabs id={id} tab={tab} tabs={tabs} />}
        status={
          run !== undefined && (
            <>
              {run.lifecycle_stage === "deleted" && <em className="pill">archived</em>}
              <Status status={run.status} />
              <RunActions run={run} />
            </>
          )
        }
      />
      <main className="run-main">
        <h1 className="sr-only">
          {run?.name ?? "Run"}: {RUN_TAB_LABELS[tab]}
        </h1>
        {query.error !== null && run === undefined ? (
          <PageError
            title="This run cannot be shown"
            error={query.error}
            onRetry={() => void query.refetch()}
            back={{ href: "/", label: "All experiments" }}
          />
        ) : run === undefined ? (
          <Loading label="Reading the run" />
        ) : (
          <RunContent run={run} tab={tab} />
        )}
      </main>
    </div>
  );
}

/** Most runs have no traces, and then no tab for them; it is the last, so that no number key means another one. */
function useTabs(id: string, tab: RunTab, isRunning: boolean): readonly RunTab[] {
  const traces = useQuery({
    ...tracesQuery(id, 1),
    refetchInterval: ({ state }) => (isRunning && state.data?.total === 0 ? LOOK_FOR_TRACES_MS : false),
  });
  const hasTraces = tab === "traces" || (traces.data?.total ?? 0) > 0;
  return hasTraces ? RUN_TABS : RUN_TABS.filter((one) => one !== "traces");
}

interface TabsProps {
  readonly id: string;
  readonly tab: RunTab;
  readonly tabs: readonly RunTab[];
}

function RunTabs({ id, tab, tabs }: TabsProps): ReactNode {
  return (
    <nav className="tabs" aria-label="Views of the run">
      {tabs.map((one) => (
        <Link key={one} to={runTabPath(id, one)} aria-current={one === tab ? "page" : undefined}>
          {RUN_TAB_LABELS[one]}
        </Link>
      ))}
    </nav>
  );
}

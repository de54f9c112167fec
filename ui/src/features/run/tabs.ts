import { useLocation } from "wouter";
import { useKeys } from "../../lib/keyboard";
import { useTenantHref } from "../../ui/tenant";

export const RUN_TABS = ["overview", "charts", "system", "logs", "artifacts", "notes", "traces"] as const;
export type RunTab = (typeof RUN_TABS)[number];

export const RUN_TAB_LABELS: Readonly<Record<RunTab, string>> = {
  overview: "Overview",
  charts: "Charts",
  system: "System",
  logs: "Logs",
  artifacts: "Artifacts",
  notes: "Notes",
  traces: "Traces",
};

export function runTabOf(text: string | undefined): RunTab {
  return RUN_TABS.find((tab) => tab === text) ?? "overview";
}

export function runTabPath(runId: string, tab: RunTab): string {
  return tab === "overview" ? `/r/${runId}` : `/r/${runId}/${tab}`;
}

export function useRunTabKeys(runId: string, tabs: readonly RunTab[]): void {
  const [, navigate] = useLocation();
  const href = useTenantHref();
  useKeys(Object.fromEntries(tabs.map((tab, i) => [String(i + 1), () => navigate(href(runTabPath(runId, tab)))])));
}

/** The tabs of an experiment, in the order of their number keys. */
export const TABS = ["charts", "table", "compare", "sweep", "artifacts", "media", "notes"] as const;
export type Tab = (typeof TABS)[number];

export const TAB_LABELS: Readonly<Record<Tab, string>> = {
  charts: "Charts",
  table: "Table",
  compare: "Compare",
  sweep: "Sweep",
  artifacts: "Artifacts",
  media: "Media",
  notes: "Notes",
};

export function tabOf(text: string | undefined): Tab {
  return TABS.find((tab) => tab === text) ?? "charts";
}

export function tabPath(experimentId: string, tab: Tab): string {
  return tab === "charts" ? `/e/${experimentId}` : `/e/${experimentId}/${tab}`;
}

/** Tabs beside which the run table stands. */
export function hasSideTable(tab: Tab): boolean {
  return tab !== "table" && tab !== "notes";
}

/**
 * The whole state of an experiment's page, and its writing in the URL. Reading what was written gives the same state;
 * whatever a hand-made URL says wrongly falls back to the default of that one entry.
 */
import { readFlag, readSearch, writeFlag, writeSearch } from "../../lib/search-params";
import { readTableView, writeTableView } from "../../lib/table-params";
import type { TableView } from "../../lib/view";
import type { ChartsView } from "../charts-page/view";
import { readChartsView, writeChartsView } from "./charts-params";

export interface ExperimentView extends TableView {
  readonly charts: ChartsView;
  /** Compare shows all rows, not only those that differ. */
  readonly isComparingAll: boolean;
  /** The run and the file that the artifacts tab shows. */
  readonly artifactRun: string | null;
  readonly artifact: string | null;
  /** The key of the pictures that the media tab shows, and up to which step; null: the first key, the last step. */
  readonly mediaKey: string | null;
  readonly mediaStep: number | null;
  /** The trace that a run's page shows. */
  readonly trace: string | null;
  /** The named view that was opened or saved last. What has changed since is in the other entries. */
  readonly savedView: string | null;
  /** Entries of the sweep page, by its own names. */
  readonly sweep: Readonly<Record<string, string>>;
}

const SWEEP = "sw.";

export function readView(search: string): ExperimentView {
  const params = readSearch(search);
  return {
    ...readTableView(params),
    charts: readChartsView(params),
    isComparingAll: readFlag(params.get("all"), false),
    artifactRun: params.get("ar") ?? null,
    artifact: params.get("af") ?? null,
    mediaKey: params.get("mk") ?? null,
    mediaStep: readNumber(params.get("ms")),
    trace: params.get("tr") ?? null,
    savedView: params.get("view") ?? null,
    sweep: Object.fromEntries(
      [...params].filter(([name]) => name.startsWith(SWEEP)).map(([name, value]) => [name.slice(SWEEP.length), value]),
    ),
  };
}

/** The query string of a view, without what other parts of the app keep there (the tenant). */
export function writeView(view: ExperimentView): string {
  return writeSearch(viewEntries(view));
}

export function viewEntries(view: ExperimentView): [string, string | null][] {
  return [
    ["view", view.savedView],
    ...writeTableView(view),
    ...writeChartsView(view.charts),
    ["all", writeFlag(view.isComparingAll, false)],
    ["ar", view.artifactRun],
    ["af", view.artifact],
    ["mk", view.mediaKey],
    ["ms", view.mediaStep === null ? null : String(view.mediaStep)],
    ["tr", view.trace],
    ...Object.entries(view.sweep).map(([name, value]): [string, string] => [SWEEP + name, value]),
  ];
}

function readNumber(text: string | undefined): number | null {
  const value = text === undefined || text === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

/**
 * What an experiment's page shows, as far as runs and their table go. Together with the charts' part it is the whole
 * state of the page, and all of it lives in the URL: `table-params.ts` and `features/experiment/view.ts` write it there.
 *
 * Columns are named as in the query language: `metrics.val/loss.min`, `params.lr`, `tags.team`, `status`.
 */

export interface Sort {
  readonly column: string;
  readonly isDescending: boolean;
}

export interface TableView {
  /** The filter, in the query language. */
  readonly filter: string;
  /** Columns whose equal values form groups; empty: no groups. */
  readonly group: readonly string[];
  /** null: newest first. */
  readonly sort: Sort | null;
  /** null: chosen for the user, see `autoColumns`. */
  readonly columns: readonly string[] | null;
  /**
   * The shown runs by colour slot: hiding a run leaves a hole, which the next one shown takes. null: the first few
   * of the table.
   */
  readonly shown: readonly (string | null)[] | null;
  /** The run that others are measured against. */
  readonly baseline: string | null;
  /** Labels of folded groups. */
  readonly folded: readonly string[];
  /** Charts draw one line with a band for each group, in place of its runs. */
  readonly hasGroupLines: boolean;
}

export const DEFAULT_TABLE_VIEW: TableView = {
  filter: "",
  group: [],
  sort: null,
  columns: null,
  shown: null,
  baseline: null,
  folded: [],
  hasGroupLines: false,
};

/** Show one more run: it takes the first free slot. */
export function showRun(shown: readonly (string | null)[], runId: string): (string | null)[] {
  if (shown.includes(runId)) return [...shown];
  const next = [...shown];
  const hole = next.indexOf(null);
  if (hole < 0) next.push(runId);
  else next[hole] = runId;
  return next;
}

/** Hide a run: its slot is free, the others keep theirs. */
export function hideRun(shown: readonly (string | null)[], runId: string): (string | null)[] {
  const next = shown.map((id) => (id === runId ? null : id));
  while (next.length > 0 && next.at(-1) === null) next.pop();
  return next;
}

export function shownIds(shown: readonly (string | null)[]): string[] {
  return shown.filter((id) => id !== null);
}

/** The order as the API wants it. */
export function orderBy(sort: Sort | null): string | null {
  return sort === null ? null : `${sort.column} ${sort.isDescending ? "desc" : "asc"}`;
}

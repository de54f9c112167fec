/** The runs of an experiment: filter, tools, table. Beside the charts, or over the whole width. */
import { useCallback, useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { KeyInfo } from "../../api/keys";
import { hideRun, showRun, shownIds, type TableView } from "../../lib/view";
import { ErrorMessage, Message } from "../../ui/Message";
import { useTenantHref } from "../../ui/tenant";
import { useManage } from "../manage/use-manage";
import { moved, type Column } from "./columns";
import { QueryInput } from "./QueryInput";
import { RunGrid } from "./RunGrid";
import type { RunRow } from "./rows";
import { TableTools } from "./TableTools";
import type { SparkStore } from "./use-sparks";
import type { CheckedFilter } from "./use-checked-filter";
import { useRows } from "./use-rows";
import "./run-table.css";

export interface RunTableProps {
  readonly experimentId: string;
  readonly view: TableView;
  /** The filter that holds, and what is wrong with the one that was entered. */
  readonly checked: CheckedFilter;
  readonly onChange: (change: Partial<TableView>) => void;
  readonly keys: readonly KeyInfo[];
  readonly columns: readonly Column[];
  /** The shown runs by slot, also while the view leaves them to the table. */
  readonly shown: readonly (string | null)[];
  readonly colors: ReadonlyMap<string, string>;
  readonly baseline: RunRow | null;
  readonly sparkMetric: string | null;
  readonly headlineId: string | null;
  readonly sparks: SparkStore;
  readonly revision: number;
  readonly onFocusLine: (runId: string | null) => void;
}

/** Rows are asked for in steps of this many, so that scrolling within a step renders the grid and nothing around it. */
const RANGE_STEP = 50;

function floorTo(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

export function RunTable(props: RunTableProps) {
  const { experimentId, view, checked, onChange, keys, columns, shown, headlineId } = props;
  const [range, setRange] = useState<readonly [number, number]>([0, RANGE_STEP]);
  const onRange = useCallback((first: number, last: number) => {
    const next = [floorTo(first, RANGE_STEP), floorTo(last, RANGE_STEP) + RANGE_STEP] as const;
    setRange((now) => (now[0] === next[0] && now[1] === next[1] ? now : next));
  }, []);
  const manage = useManage();
  const [, navigate] = useLocation();
  const href = useTenantHref();
  const checkedView = useMemo(() => ({ ...view, filter: checked.filter }), [view, checked.filter]);
  const rows = useRows({
    experimentId,
    view: checkedView,
    isHeld: checked.isHeld,
    columns,
    aggregated: headlineId === null ? [] : [headlineId],
    range,
  });
  const onToggle = useCallback(
    (runId: string) => onChange({ shown: shown.includes(runId) ? hideRun(shown, runId) : showRun(shown, runId) }),
    [onChange, shown],
  );
  const onPin = useCallback(
    (runId: string) => {
      if (view.baseline === runId) onChange({ baseline: null });
      else onChange({ baseline: runId, shown: showRun(shown, runId) });
    },
    [onChange, shown, view.baseline],
  );
  const onSolo = useCallback((runId: string) => onChange({ shown: [runId] }), [onChange]);
  const onMoveColumn = useCallback(
    (id: string, onto: string) => onChange({ columns: moved(columns.map((column) => column.id), id, onto) }),
    [onChange, columns],
  );
  const onFilter = useCallback((filter: string) => onChange({ filter }), [onChange]);
  const onSort = useCallback((sort: TableView["sort"]) => onChange({ sort }), [onChange]);
  const onOpen = useCallback((runId: string) => navigate(href(`/r/${runId}`)), [navigate, href]);
  const onFold = useCallback(
    (label: string, isFolded: boolean) => {
      const others = view.folded.filter((other) => other !== label);
      onChange({ folded: isFolded ? [...others, label] : others });
    },
    [onChange, view.folded],
  );
  const isFailed = rows.error !== null && rows.layout.count === 0;
  return (
    <section className="run-table" aria-label="Runs">
      <QueryInput value={view.filter} keys={keys} error={checked.error} onApply={onFilter} />
      <TableTools
        view={view}
        keys={keys}
        columns={columns}
        shownCount={shownIds(shown).length}
        total={rows.total}
        onChange={onChange}
      />
      {isFailed && rows.error !== null ? (
        <ErrorMessage title="The runs could not be read" error={rows.error} onRetry={rows.retry} />
      ) : rows.total === 0 && !rows.isStale ? (
        <NothingFound filter={checked.filter} onClear={() => onChange({ filter: "" })} />
      ) : (
        <RunGrid
          rows={rows}
          columns={columns}
          group={view.group}
          sort={view.sort}
          colors={props.colors}
          baseline={props.baseline}
          sparkMetric={props.sparkMetric}
          headlineId={headlineId}
          sparks={props.sparks}
          revision={props.revision}
          onRange={onRange}
          onSort={onSort}
          onMoveColumn={onMoveColumn}
          onToggle={onToggle}
          onSolo={onSolo}
          onPin={onPin}
          onOpen={onOpen}
          onArchive={(run) => manage.archiveRun({ id: run.id, name: run.name, experiment_id: experimentId })}
          onFold={onFold}
          onFocusLine={props.onFocusLine}
        />
      )}
    </section>
  );
}

function NothingFound({ filter, onClear }: { readonly filter: string; readonly onClear: () => void }) {
  if (filter === "") return <Message title="No runs here yet">The first one appears as soon as it is created.</Message>;
  return (
    <Message
      title="No run matches this filter"
      actions={
        <button type="button" className="button" onClick={onClear}>
          Clear the filter
        </button>
      }
    >
      Comparisons are false for runs that lack the key; “is null” finds those.
    </Message>
  );
}

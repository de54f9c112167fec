/**
 * The table of runs: only rows and columns in sight exist. Rows have a roving tab stop, so the table is one stop of the
 * Tab key; the swatches, links and folds within are reached by the row's own keys.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useNow } from "../../lib/now";
import type { Sort } from "../../lib/view";
import { cellNumber } from "./cells";
import type { Column } from "./columns";
import { GridHeader } from "./GridHeader";
import { GroupGridRow } from "./GroupGridRow";
import { columnWindow } from "./row-layout";
import { RunGridRow, type RowActions } from "./RunGridRow";
import type { RunRow } from "./rows";
import { useGridColumns } from "./use-grid-columns";
import { useGridKeys } from "./use-grid-keys";
import { leadOf, NARROW, useMeasures } from "./use-measures";
import { useSparks, type SparkStore } from "./use-sparks";
import type { TableRows } from "./use-rows";
import { WaitingRow } from "./WaitingRow";

export interface RunGridProps {
  readonly rows: TableRows;
  readonly columns: readonly Column[];
  readonly group: readonly string[];
  readonly sort: Sort | null;
  readonly colors: ReadonlyMap<string, string>;
  readonly baseline: RunRow | null;
  /** The metric of the spark lines, and the column that is underlined. */
  readonly sparkMetric: string | null;
  readonly headlineId: string | null;
  readonly sparks: SparkStore;
  readonly revision: number;
  readonly onRange: (first: number, last: number) => void;
  readonly onSort: (sort: Sort | null) => void;
  readonly onMoveColumn: (id: string, onto: string) => void;
  readonly onToggle: (runId: string) => void;
  readonly onSolo: (runId: string) => void;
  readonly onPin: (runId: string) => void;
  readonly onOpen: (runId: string) => void;
  readonly onArchive: (run: RunRow) => void;
  readonly onFold: (label: string, isFolded: boolean) => void;
  readonly onFocusLine: (runId: string | null) => void;
}

const OVERSCAN = 8;
/** What stands at the right edge keeps the distance from it that the toolbar above keeps. */
const END = 6;

export function RunGrid(props: RunGridProps) {
  const { rows, group, sort, colors, baseline, headlineId, sparks, onRange } = props;
  const { layout } = rows;
  const scroll = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const measures = useMeasures(scroll);
  const sparkMetric = measures.width > 0 && measures.width < NARROW ? null : props.sparkMetric;
  const now = useNow(props.revision);

  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoized by a compiler
  const virtual = useVirtualizer({
    count: layout.count,
    getScrollElement: () => scroll.current,
    estimateSize: (i) => (layout.rowAt(i)?.kind === "group" ? measures.groupRow : measures.row),
    overscan: OVERSCAN,
  });
  useEffect(() => virtual.measure(), [virtual, layout, measures.row, measures.groupRow]);
  const items = virtual.getVirtualItems();
  const from = items[0]?.index ?? 0;
  const to = items.at(-1)?.index ?? 0;
  useEffect(() => onRange(from, to), [onRange, from, to]);

  const refs = items.map((item) => ({ item, ref: layout.rowAt(item.index) }));
  const inSight = refs.map(({ ref }) => (ref?.kind === "run" ? rows.runAt(ref.section, ref.index) : null));
  const known = [...(baseline === null ? [] : [baseline]), ...inSight].filter((run) => run !== null);
  useSparks(sparks, known.map((run) => run.id), sparkMetric, props.revision);

  const hasBaseline = baseline !== null;
  const columns = useGridColumns(props.columns, known, headlineId, hasBaseline, now);
  const widths = columns.map((column) => column.width);
  const columnsWidth = widths.reduce((sum, width) => sum + width, END);
  const leadWidth = leadOf(measures, columnsWidth);
  const sight = columnWindow(widths, measures.left, Math.max(0, measures.width - leadWidth));

  const { onToggle, onFocusLine, onFold } = props;
  const actions = useMemo<RowActions>(
    () => ({ toggle: onToggle, activate: setActive, focusLine: onFocusLine }),
    [onToggle, onFocusLine],
  );
  const toggleGroup = useCallback(
    (label: string) => onFold(label, !rows.groups.some((one) => one.label === label && one.isFolded)),
    [onFold, rows.groups],
  );

  const moveTo = (row: number): void => {
    const next = Math.max(0, Math.min(layout.count - 1, row));
    setActive(next);
    virtual.scrollToIndex(next);
    requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus({ preventScroll: true }));
  };
  const runOfActive = (): RunRow | null => {
    const ref = layout.rowAt(active);
    return ref?.kind === "run" ? rows.runAt(ref.section, ref.index) : null;
  };
  const onActiveRun = (act: (runId: string) => void) => (): void => {
    const run = runOfActive();
    if (run !== null) act(run.id);
  };
  const foldActive = (isFolded: boolean): void => {
    const ref = layout.rowAt(active);
    const label = ref === null ? undefined : rows.groups[ref.section]?.label;
    if (label !== undefined) onFold(label, isFolded);
  };
  useGridKeys({
    move: (by) => moveTo(active + by),
    moveTo,
    rowCount: layout.count,
    toggle: () => {
      const ref = layout.rowAt(active);
      const label = ref?.kind === "group" ? rows.groups[ref.section]?.label : undefined;
      if (label === undefined) onActiveRun(onToggle)();
      else toggleGroup(label);
    },
    solo: onActiveRun(props.onSolo),
    pin: onActiveRun(props.onPin),
    open: onActiveRun(props.onOpen),
    archive: () => {
      const run = runOfActive();
      if (run !== null) props.onArchive(run);
    },
    fold: foldActive,
  });

  const baselineValue = hasBaseline && headlineId !== null ? cellNumber(baseline.cells[headlineId]) : null;
  const rowProps = {
    columns, first: sight.first, last: sight.last, before: sight.before,
    hasSpark: sparkMetric !== null, usualEnd: sparkMetric === null ? 0 : sparks.usualEnd(sparkMetric),
    deltaColumn: headlineId, baselineValue, now, actions,
  };
  const sparkOf = (runId: string) => (sparkMetric === null ? null : sparks.get(runId, sparkMetric));
  return (
    <div
      className={`run-grid thin-scroll${rows.isStale ? " is-stale" : ""}${measures.left > 0 ? " is-scrolled" : ""}`}
      ref={scroll}
      role={group.length > 0 ? "treegrid" : "grid"}
      aria-label="Runs"
      aria-rowcount={layout.count + 1 + (hasBaseline ? 1 : 0)}
      aria-colcount={columns.length + 3}
      aria-busy={rows.isLoading}
    >
      <div className="grid-canvas" style={{ width: leadWidth + columnsWidth, "--lead": `${leadWidth}px`, "--sight": `${measures.width}px` }}>
        <div className="grid-top" role="rowgroup">
          <GridHeader
            columns={columns} first={sight.first} last={sight.last} before={sight.before}
            sort={sort} hasSpark={sparkMetric !== null} onSort={props.onSort} onMove={props.onMoveColumn}
          />
          {hasBaseline && (
            <RunGridRow
              {...rowProps}
              run={baseline} rowIndex={-1} ariaRow={2} color={colors.get(baseline.id) ?? null}
              isActive={false} isBaseline spark={sparkOf(baseline.id)}
            />
          )}
        </div>
        <div className="grid-rows" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {refs.map(({ item, ref }, i) => {
            const run = inSight[i] ?? null;
            const ariaRow = item.index + 2 + (hasBaseline ? 1 : 0);
            const theGroup = ref?.kind === "group" ? rows.groups[ref.section] : undefined;
            return (
              <div key={item.key} role="presentation" className="grid-place" style={{ transform: `translateY(${item.start}px)`, height: item.size }}>
                {theGroup !== undefined && (
                  <GroupGridRow
                    group={theGroup} by={group} rowIndex={item.index} ariaRow={ariaRow}
                    isActive={item.index === active} aggregated={headlineId}
                    onToggle={toggleGroup} onActivate={setActive}
                  />
                )}
                {ref?.kind === "run" && run !== null && (
                  <RunGridRow
                    {...rowProps}
                    run={run} rowIndex={item.index} ariaRow={ariaRow} color={colors.get(run.id) ?? null}
                    isActive={item.index === active} isBaseline={run.id === baseline?.id} spark={sparkOf(run.id)}
                  />
                )}
                {ref?.kind === "run" && run === null && <WaitingRow ariaRow={ariaRow} />}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** One run of the table: swatch, name, spark line, values. */
import { memo } from "react";
import type { Series } from "../../series/series";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/Link";
import { Status } from "../../ui/Status";
import { cellNumber, formatCell, formatDelta } from "./cells";
import { magnitude, type GridColumn } from "./grid-columns";
import type { RunRow } from "./rows";
import { Spark } from "./Spark";

export interface RowActions {
  readonly toggle: (runId: string) => void;
  readonly activate: (rowIndex: number) => void;
  readonly focusLine: (runId: string | null) => void;
}

interface Props {
  readonly run: RunRow;
  readonly rowIndex: number;
  readonly ariaRow: number;
  readonly columns: readonly GridColumn[];
  readonly first: number;
  readonly last: number;
  readonly before: number;
  readonly color: string | null;
  readonly isActive: boolean;
  readonly isBaseline: boolean;
  readonly hasSpark: boolean;
  readonly spark: Series | null;
  readonly usualEnd: number;
  /** The id of the column compared with the baseline, and the baseline's value in it. */
  readonly deltaColumn: string | null;
  readonly baselineValue: number | null;
  readonly now: number;
  readonly actions: RowActions;
}

const NAME_END = 8;

export const RunGridRow = memo(function RunGridRow(props: Props) {
  const { run, columns, first, last, before, color, isActive, isBaseline, now, actions, rowIndex } = props;
  const isShown = color !== null;
  const isDead = run.status === "failed" || run.status === "killed";
  return (
    <div
      role="row"
      aria-rowindex={props.ariaRow}
      data-row={rowIndex}
      tabIndex={isActive ? 0 : -1}
      className={`grid-row${isShown ? " is-shown" : ""}${isActive ? " is-active" : ""}${isDead ? " is-dead" : ""}`}
      onFocus={() => actions.activate(rowIndex)}
      onMouseEnter={() => actions.focusLine(isShown ? run.id : null)}
      onMouseLeave={() => actions.focusLine(null)}
    >
      <div className="grid-lead">
        <span role="gridcell" className="grid-swatch" aria-colindex={1}>
          <button
            type="button"
            role="switch"
            tabIndex={-1}
            aria-checked={isShown}
            aria-label={`Show ${run.name} on charts`}
            onClick={() => actions.toggle(run.id)}
          >
            <i style={isShown ? { background: color, borderColor: color } : undefined} />
          </button>
        </span>
        <span role="gridcell" className="grid-name" aria-colindex={2}>
          <Link to={`/r/${run.id}`} tabIndex={-1} title={run.name} aria-label={run.name}>
            {/* What sets runs apart is mostly at the end of their names, so a long one is cut before that. */}
            <span>{run.name.slice(0, -NAME_END)}</span>
            <span>{run.name.slice(-NAME_END)}</span>
          </Link>
          {isBaseline && (
            <span className="grid-pin" title="Baseline">
              <Icon name="pin" size={12} />
              <span className="sr-only">baseline</span>
            </span>
          )}
          {run.status !== "finished" && <Status status={run.status} />}
        </span>
        {props.hasSpark && (
          <span role="gridcell" className="grid-spark" aria-colindex={3}>
            <Spark series={props.spark} usualEnd={run.status === "running" ? props.usualEnd : null} color={color ?? "var(--ink-4)"} />
          </span>
        )}
      </div>
      <span className="grid-before" style={{ width: before }} />
      {columns.slice(first, last + 1).map((column, i) => {
        const cell = run.cells[column.column.id];
        const value = column.column.kind === "metric" ? cellNumber(cell) : null;
        const share = magnitude(value, column.extent);
        const text = formatCell(column.column, cell, now);
        return (
          <span
            key={column.column.id}
            role="gridcell"
            aria-colindex={first + i + 4}
            className={`grid-cell${column.isRight ? " is-right" : ""}${column.extent === null ? "" : " is-headline"}`}
            style={{ width: column.width }}
            title={typeof cell === "string" || typeof cell === "number" ? String(cell) : undefined}
          >
            {text}
            {column.column.id === props.deltaColumn && props.baselineValue !== null && (
              <small className="grid-delta">{isBaseline ? "" : formatDelta(value, props.baselineValue)}</small>
            )}
            {share !== null && <b style={{ transform: `scaleX(${share.toFixed(3)})` }} />}
          </span>
        );
      })}
    </div>
  );
});

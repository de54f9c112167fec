/** The headings: each a button that sorts, once by the better end first, again the other way round, then not at all. */
import { useState } from "react";
import { directionOf } from "../../charts/direction";
import type { Sort } from "../../lib/view";
import type { Column } from "./columns";
import type { GridColumn } from "./grid-columns";

interface Props {
  readonly columns: readonly GridColumn[];
  readonly first: number;
  readonly last: number;
  readonly before: number;
  readonly sort: Sort | null;
  readonly hasSpark: boolean;
  readonly onSort: (sort: Sort | null) => void;
  /** Put a column in the place of another. */
  readonly onMove: (id: string, onto: string) => void;
}

/** Columns are dragged to their place, or moved with Alt and the arrow keys. */
export function GridHeader({ columns, first, last, before, sort, hasSpark, onSort, onMove }: Props) {
  const [dragged, setDragged] = useState<string | null>(null);
  const [target, setTarget] = useState<string | null>(null);
  const drop = (): void => {
    if (dragged !== null && target !== null && dragged !== target) onMove(dragged, target);
    setDragged(null);
    setTarget(null);
  };
  return (
    <div role="row" aria-rowindex={1} className="grid-row is-head">
      <div className="grid-lead">
        <span role="columnheader" className="grid-swatch" aria-colindex={1}>
          <span className="sr-only">Shown</span>
        </span>
        <span role="columnheader" className="grid-name" aria-colindex={2} aria-sort={ariaSort(sort, "name")}>
          <SortButton column="name" sort={sort} isDescendingFirst={false} onSort={onSort}>
            Run
          </SortButton>
        </span>
        {hasSpark && (
          <span role="columnheader" className="grid-spark" aria-colindex={3}>
            Trend
          </span>
        )}
      </div>
      <span className="grid-before" style={{ width: before }} />
      {columns.slice(first, last + 1).map(({ column, label, note, width, isRight, extent }, i) => (
        <span
          key={column.id}
          role="columnheader"
          aria-colindex={first + i + 4}
          aria-sort={ariaSort(sort, column.id)}
          className={`grid-cell${isRight ? " is-right" : ""}${extent === null ? "" : " is-headline"}${target === column.id && dragged !== column.id ? " is-target" : ""}`}
          style={{ width }}
          title={column.id}
          draggable
          onDragStart={(event) => {
            event.dataTransfer.effectAllowed = "move";
            event.dataTransfer.setData("text/plain", column.id);
            setDragged(column.id);
          }}
          onDragOver={(event) => {
            if (dragged === null) return;
            event.preventDefault();
            setTarget(column.id);
          }}
          onDrop={(event) => {
            event.preventDefault();
            drop();
          }}
          onDragEnd={drop}
          onKeyDown={(event) => {
            const by = event.altKey ? { ArrowLeft: -1, ArrowRight: 1 }[event.key] : undefined;
            const onto = by === undefined ? undefined : columns[first + i + by];
            if (onto === undefined) return;
            event.preventDefault();
            onMove(column.id, onto.column.id);
          }}
        >
          <SortButton column={column.id} sort={sort} isDescendingFirst={isDescendingFirst(column)} onSort={onSort}>
            <span>{label}</span>
            {note !== "" && <small>{note}</small>}
          </SortButton>
        </span>
      ))}
    </div>
  );
}

/** The better end of a metric, the newest of times; all else from the start of the alphabet. */
export function isDescendingFirst(column: Column): boolean {
  if (column.kind === "metric") return directionOf(column.key) === "max";
  return column.kind === "attribute" && (column.key.endsWith("_time") || column.key === "duration");
}

function ariaSort(sort: Sort | null, column: string): "ascending" | "descending" | "none" {
  if (sort === null || sort.column !== column) return "none";
  return sort.isDescending ? "descending" : "ascending";
}

interface SortButtonProps {
  readonly column: string;
  readonly sort: Sort | null;
  readonly isDescendingFirst: boolean;
  readonly onSort: (sort: Sort | null) => void;
  readonly children: React.ReactNode;
}

function SortButton({ column, sort, isDescendingFirst: first, onSort, children }: SortButtonProps) {
  const isSorted = sort !== null && sort.column === column;
  const next = (): Sort | null => {
    if (!isSorted) return { column, isDescending: first };
    return sort.isDescending === first ? { column, isDescending: !first } : null;
  };
  return (
    <button type="button" className={isSorted ? "is-sorted" : ""} onClick={() => onSort(next())}>
      {children}
      {isSorted && <i aria-hidden="true">{sort.isDescending ? "↓" : "↑"}</i>}
    </button>
  );
}

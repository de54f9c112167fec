/** The measured columns of the grid. Measuring follows a sample of rows, not the scrolling, so widths do not breathe. */
import { useMemo, useState } from "react";
import type { Column } from "./columns";
import { gridColumns, type GridColumn } from "./grid-columns";
import type { RunRow } from "./rows";

/** A sample smaller than this is replaced by a larger one. */
const ENOUGH = 20;

export function useGridColumns(
  columns: readonly Column[],
  rows: readonly RunRow[],
  headlineId: string | null,
  hasDelta: boolean,
  now: number,
): GridColumn[] {
  const sample = useSample(columns, rows);
  return useMemo(() => gridColumns(columns, sample, headlineId, hasDelta, now), [columns, sample, headlineId, hasDelta, now]);
}

interface Sample {
  readonly columns: readonly Column[];
  readonly rows: readonly RunRow[];
}

function useSample(columns: readonly Column[], rows: readonly RunRow[]): readonly RunRow[] {
  const [kept, setKept] = useState<Sample>({ columns: [], rows: [] });
  const [first] = rows;
  const isComplete = first !== undefined && columns.every((column) => column.id in first.cells);
  const isOther = kept.columns !== columns;
  const isLarger = kept.rows.length < ENOUGH && rows.length > kept.rows.length;
  if (isComplete && (isOther || isLarger)) setKept({ columns, rows });
  return kept.rows;
}

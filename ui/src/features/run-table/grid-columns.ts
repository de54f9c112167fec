/** The columns of the grid with their measures: widths from what they hold, and the range of the underlined one. */
import type { Cell } from "../../api/table";
import { cellNumber, formatCell } from "./cells";
import { columnLabel, type Column } from "./columns";
import { isNumberText } from "./differing";
import type { RunRow } from "./rows";

export interface GridColumn {
  readonly column: Column;
  readonly label: string;
  /** The aggregate, where the label does not say it. */
  readonly note: string;
  readonly width: number;
  readonly isRight: boolean;
  /** Smallest and largest finite value of the rows at hand; null when the column draws no underline. */
  readonly extent: readonly [number, number] | null;
}

/** Widths of a digit and of a letter, and of one in a heading, which is smaller. */
const DIGIT = 6.5;
const LETTER = 7;
const HEADING_LETTER = 6;
const PADDING = 13;
/** Between a heading and its aggregate; between a value and its distance from the baseline's, and that distance. */
const NOTE_GAP = 4;
const DELTA = 46;
/** A longer heading is cut: what it heads decides the width. */
const LONGEST_HEADING = { metric: 12, param: 8, tag: 8, attribute: 12 } as const;
/** Room for the arrow of the sorted column. */
const ARROW = 9;
const NARROWEST = 36;
const WIDEST = 190;
/** Rows that are measured. */
const SAMPLE = 60;

export function gridColumns(
  columns: readonly Column[],
  rows: readonly RunRow[],
  headlineId: string | null,
  hasDelta: boolean,
  now: number,
): GridColumn[] {
  const sample = rows.slice(0, SAMPLE);
  return columns.map((column) => {
    const label = columnLabel(column, columns);
    const note = column.kind === "metric" ? column.aggregate : "";
    const cells = sample.map((row) => row.cells[column.id]);
    const isRight = column.kind === "metric" || isTime(column) || mostAreNumbers(cells);
    const longest = Math.max(0, ...cells.map((cell) => formatCell(column, cell, now).length));
    const isHeadline = column.id === headlineId;
    const words = Math.min(label.length, LONGEST_HEADING[column.kind]) + note.length;
    const heading = words * HEADING_LETTER + (note === "" ? 0 : NOTE_GAP) + (isHeadline ? ARROW : 0);
    const content = longest * (isRight ? DIGIT : LETTER) + (isHeadline && hasDelta ? DELTA : 0);
    const width = Math.ceil(Math.max(heading, content) + PADDING);
    return {
      column,
      label,
      note,
      isRight,
      width: Math.max(NARROWEST, Math.min(WIDEST, width)),
      extent: isHeadline ? extentOf(rows, column) : null,
    };
  });
}

function isTime(column: Column): boolean {
  return column.kind === "attribute" && /time|duration|_at|updated/.test(column.key);
}

function mostAreNumbers(cells: readonly (Cell | undefined)[]): boolean {
  const given = cells.filter((cell) => cell !== null && cell !== undefined && cell !== "");
  return given.length > 0 && given.filter((cell) => cell !== undefined && isNumberText(cell)).length > given.length / 2;
}

/** One run that went wrong must not flatten the underlines of the others: the lowest and highest twentieth are clipped. */
function extentOf(rows: readonly RunRow[], column: Column): readonly [number, number] | null {
  const values = rows
    .map((row) => cellNumber(row.cells[column.id]))
    .filter((value) => value !== null && Number.isFinite(value))
    .sort((a, b) => Number(a) - Number(b));
  const cut = Math.floor(values.length / 20);
  const [lo, hi] = [values[cut], values[values.length - 1 - cut]];
  return lo === undefined || hi === undefined || lo === null || hi === null || lo === hi ? null : [lo, hi];
}

/** How much of the cell the underline fills. */
export function magnitude(value: number | null, extent: readonly [number, number] | null): number | null {
  if (extent === null || value === null || !Number.isFinite(value)) return null;
  const share = (value - extent[0]) / (extent[1] - extent[0]);
  return Math.max(0.04, Math.min(1, share));
}

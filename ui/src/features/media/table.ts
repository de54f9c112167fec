/** The view of a logged table, and a logged distribution (docs/formats/media.md). Whatever else a file holds, it is refused. */
import { double, flag, integer, list, nullable, object, text, type Read } from "../../lib/shape";

export interface LoggedTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly total: number;
}

export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  readonly total: number;
  readonly nonfinite: number;
  readonly mean: number | null;
}

const cell: Read<string> = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
const tableShape = object({
  columns: list(object({ name: text })),
  rows: list(list(cell)),
  total: integer,
  is_whole: nullable(flag),
});
const histogramShape = object<Histogram>({
  edges: list(double),
  counts: list(integer),
  total: integer,
  nonfinite: integer,
  mean: nullable(double),
});

export function readTable(bytes: ArrayBuffer): LoggedTable | null {
  const found = read(bytes, tableShape);
  return found === null ? null : { columns: found.columns.map(({ name }) => name), rows: found.rows, total: found.total };
}

/** null: the file is no distribution, or one whose edges and counts do not go together. */
export function readHistogram(bytes: ArrayBuffer): Histogram | null {
  const found = read(bytes, histogramShape);
  const fits = found !== null && (found.counts.length === 0 || found.edges.length === found.counts.length + 1);
  return fits ? found : null;
}

function read<T>(bytes: ArrayBuffer, shape: Read<T>): T | null {
  try {
    return shape(JSON.parse(new TextDecoder().decode(bytes)), "file");
  } catch {
    return null;
  }
}

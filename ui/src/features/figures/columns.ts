/** The columns of a plotly figure: lists, or numbers packed as base64, and what kind of axis they lie on. */
import { plainObject } from "../../lib/shape";

export type Cell = number | string | null;
export type AxisKind = "number" | "log" | "time" | "category";

/** As plotly names them: little-endian numbers of so many bytes. */
const PACKED: Readonly<Record<string, readonly [number, (view: DataView, at: number) => number]>> = {
  i1: [1, (view, at) => view.getInt8(at)],
  u1: [1, (view, at) => view.getUint8(at)],
  i2: [2, (view, at) => view.getInt16(at, true)],
  u2: [2, (view, at) => view.getUint16(at, true)],
  i4: [4, (view, at) => view.getInt32(at, true)],
  u4: [4, (view, at) => view.getUint32(at, true)],
  f4: [4, (view, at) => view.getFloat32(at, true)],
  f8: [8, (view, at) => view.getFloat64(at, true)],
};

/** null: there is no such column. Throws for one that cannot be read. */
export function columnOf(value: unknown): Cell[] | null {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(cellOf);
  const { dtype, bdata } = plainObject(value, "column");
  const [size, read] = PACKED[String(dtype)] ?? [0, null];
  if (read === null) throw new Error(`a column of ${String(dtype)}`);
  const bytes = Uint8Array.from(atob(String(bdata)), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => read(view, i * size));
}

function cellOf(value: unknown): Cell {
  if (typeof value === "number" || typeof value === "string") return value;
  return typeof value === "boolean" ? String(value) : null;
}

/** Rows of a matrix, given as lists or as one packed column with its shape. */
export function matrixOf(value: unknown): Cell[][] {
  if (Array.isArray(value)) return value.map((row: unknown) => columnOf(row) ?? []);
  const all = columnOf(value) ?? [];
  const shape = String(plainObject(value, "matrix")["shape"]).split(",").map(Number);
  const width = shape[1] ?? 0;
  if (!(width > 0)) throw new Error("a matrix without a shape");
  return Array.from({ length: Math.floor(all.length / width) }, (_, i) => all.slice(i * width, (i + 1) * width));
}

const DATE = /^\d{4}-\d\d(?:-\d\d|$)/;

/** What the cells of an axis are, unless its layout says so. */
export function kindOf(cells: readonly Cell[], given: string | null): AxisKind {
  if (given === "log") return "log";
  if (given === "category" || given === "multicategory") return "category";
  const words = cells.filter((cell) => typeof cell === "string");
  if (words.length === 0 || words.every((word) => word !== "" && Number.isFinite(Number(word)))) return "number";
  return words.every((word) => DATE.test(word) && !Number.isNaN(Date.parse(word))) ? "time" : "category";
}

/**
 * Reader of GNM1, the binary answer of the series endpoint (docs/formats/gnm1.md).
 *
 * Columns become views on the received buffer; only what the frame leaves out (trivial counts) or spreads over a sparse
 * grid is made here. A frame that contradicts itself is refused as a whole: a wrong curve is worse than none.
 */
import type { Column, Series } from "./series";
import { asObject, field, integer, listOf, number, optionalNumber, text } from "./shape";

export const GNM1_MEDIA_TYPE = "application/vnd.gnomon.series";

export class FrameError extends Error {}

const MAGIC = 0x314d4e47; // "GNM1", little-endian

export function readGnm1(buffer: ArrayBuffer): Series[] {
  if (buffer.byteLength < 8) throw new FrameError("the frame is shorter than its own preamble");
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC) throw new FrameError("this is not a GNM1 frame");
  const headerLength = view.getUint32(4, true);
  const body = Math.ceil((8 + headerLength) / 8) * 8;
  if (8 + headerLength > buffer.byteLength) throw new FrameError("the header does not fit the frame");
  const header = asObject(JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, headerLength))));
  const version = integer(field(header, "v"));
  if (version !== 1) throw new FrameError(`the frame has version ${version}; this page reads version 1: reload it`);
  const columns = new Columns(buffer, body);
  const out: Series[] = [];
  for (const metric of listOf(field(header, "metrics"))) readMetric(asObject(metric), columns, out);
  return out;
}

function readMetric(metric: Record<string, unknown>, columns: Columns, out: Series[]): void {
  const key = text(field(metric, "key"));
  const gridEntry = asObject(field(metric, "grid"));
  const grid = columns.f64(integer(field(gridEntry, "off")), integer(field(gridEntry, "n")));
  for (const item of listOf(field(metric, "series"))) {
    const entry = asObject(item);
    const len = integer(field(entry, "len"));
    const wide = text(field(entry, "dtype")) === "f64";
    const values = (name: string): Column | null => {
      const off = optionalNumber(entry[name]);
      if (off === null) return null;
      return wide ? columns.f64(off, len) : columns.f32(off, len);
    };
    const counts = (name: string): Uint32Array | null => {
      const off = optionalNumber(entry[name]);
      return off === null ? null : columns.u32(off, len);
    };
    const mean = values("mean");
    if (mean === null) throw new FrameError(`series ${key} has no mean`);
    out.push({
      runId: text(field(entry, "run")),
      key,
      n: number(field(entry, "n")),
      nonfinite: number(field(entry, "nonfinite")),
      nonfiniteFirst: optionalNumber(entry["nonfinite_first"]),
      x: pickX(grid, entry, len, counts("idx")),
      mean,
      min: values("min") ?? mean,
      max: values("max") ?? mean,
      count: counts("count") ?? new Uint32Array(len).fill(1),
    });
  }
}

function pickX(grid: Float64Array, entry: Record<string, unknown>, len: number, idx: Uint32Array | null): Float64Array {
  if (idx !== null) {
    return Float64Array.from(idx, (i) => {
      const x = grid[i];
      if (x === undefined) throw new FrameError("a series points past the end of its grid");
      return x;
    });
  }
  const first = integer(field(entry, "first"));
  if (first + len > grid.length) throw new FrameError("a series reaches past the end of its grid");
  return grid.subarray(first, first + len);
}

/** Typed views behind the header, each checked against the end of the frame. */
class Columns {
  constructor(
    private readonly buffer: ArrayBuffer,
    private readonly body: number,
  ) {}

  f64(off: number, length: number): Float64Array {
    return new Float64Array(this.buffer, this.place(off, length * 8), length);
  }

  f32(off: number, length: number): Float32Array {
    return new Float32Array(this.buffer, this.place(off, length * 4), length);
  }

  u32(off: number, length: number): Uint32Array {
    return new Uint32Array(this.buffer, this.place(off, length * 4), length);
  }

  private place(off: number, bytes: number): number {
    const start = this.body + off;
    if (off < 0 || off % 8 !== 0 || start + bytes > this.buffer.byteLength) {
      throw new FrameError(`a column at ${off} does not fit the frame`);
    }
    return start;
  }
}

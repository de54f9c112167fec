/**
 * Reader of GNM1, the binary answer of the series endpoint (docs/formats/gnm1.md).
 *
 * Columns become views on the received buffer; only what the frame leaves out (trivial counts) or spreads over a sparse
 * grid is made here. A frame that contradicts itself is refused as a whole: a wrong curve is worse than none.
 */
import { double, integer, list, nullable, object, text, word } from "../lib/shape";
import type { Column, Series } from "./series";

export const GNM1_MEDIA_TYPE = "application/vnd.gnomon.series";

export class FrameError extends Error {}

interface SeriesEntry {
  readonly run: string;
  readonly n: number;
  readonly nonfinite: number;
  readonly nonfinite_first: number | null;
  readonly dtype: "f32" | "f64";
  readonly len: number;
  readonly first: number | null;
  readonly idx: number | null;
  readonly mean: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly count: number | null;
}

interface MetricEntry {
  readonly key: string;
  readonly grid: { readonly off: number; readonly n: number };
  readonly series: readonly SeriesEntry[];
}

const readVersion = object<{ v: number }>({ v: integer });
const readHeader = object<{ metrics: MetricEntry[] }>({
  metrics: list(
    object<MetricEntry>({
      key: text,
      grid: object<MetricEntry["grid"]>({ off: integer, n: integer }),
      series: list(
        object<SeriesEntry>({
          run: text,
          n: integer,
          nonfinite: integer,
          nonfinite_first: nullable(double),
          dtype: word("f32", "f64"),
          len: integer,
          first: nullable(integer),
          idx: nullable(integer),
          mean: integer,
          min: nullable(integer),
          max: nullable(integer),
          count: nullable(integer),
        }),
      ),
    }),
  ),
});

const MAGIC = 0x314d4e47; // "GNM1", little-endian

export function readGnm1(buffer: ArrayBuffer): Series[] {
  if (buffer.byteLength < 8) throw new FrameError("the frame is shorter than its own preamble");
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC) throw new FrameError("this is not a GNM1 frame");
  const headerLength = view.getUint32(4, true);
  if (8 + headerLength > buffer.byteLength) throw new FrameError("the header does not fit the frame");
  const header: unknown = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, headerLength)));
  const { v } = readVersion(header, "frame");
  if (v !== 1) throw new FrameError(`the frame has version ${v}; this page reads version 1: reload it`);
  const columns = new Columns(buffer, Math.ceil((8 + headerLength) / 8) * 8);
  return readHeader(header, "frame").metrics.flatMap((metric) => {
    const grid = columns.f64(metric.grid.off, metric.grid.n);
    return metric.series.map((entry) => readSeries(metric.key, entry, grid, columns));
  });
}

function readSeries(key: string, entry: SeriesEntry, grid: Float64Array, columns: Columns): Series {
  const { len, dtype } = entry;
  const values = (off: number): Column => (dtype === "f64" ? columns.f64(off, len) : columns.f32(off, len));
  const mean = values(entry.mean);
  return {
    runId: entry.run,
    key,
    n: entry.n,
    nonfinite: entry.nonfinite,
    nonfiniteFirst: entry.nonfinite_first,
    x: pickX(grid, entry, columns),
    mean,
    min: entry.min === null ? mean : values(entry.min),
    max: entry.max === null ? mean : values(entry.max),
    count: entry.count === null ? new Uint32Array(len).fill(1) : columns.u32(entry.count, len),
  };
}

function pickX(grid: Float64Array, { first, idx, len }: SeriesEntry, columns: Columns): Float64Array {
  if (idx !== null) {
    return Float64Array.from(columns.u32(idx, len), (i) => {
      const x = grid[i];
      if (x === undefined) throw new FrameError("a series points past the end of its grid");
      return x;
    });
  }
  const start = first ?? 0;
  if (start + len > grid.length) throw new FrameError("a series reaches past the end of its grid");
  return grid.subarray(start, start + len);
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

/** Series for tests: made from points by the rule of the API, and written as GNM1 frames. Nothing here is shipped. */
import type { Series } from "./series";

/** A random source that a test can repeat. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Points reduced to at most `buckets` buckets of equal width over their extent. */
export function reducePoints(
  points: readonly (readonly [x: number, y: number])[],
  buckets: number,
  name: { runId?: string; key?: string } = {},
): Series {
  const xs = points.map(([x]) => x);
  const [lo, hi] = [Math.min(...xs), Math.max(...xs)];
  const cells = new Map<number, { x: number; values: number[] }>();
  for (const [x, y] of points) {
    const place = hi === lo ? 0 : Math.min(buckets - 1, Math.floor(((x - lo) / (hi - lo)) * buckets));
    const cell = cells.get(place) ?? { x, values: [] };
    cell.x = Math.min(cell.x, x);
    if (Number.isFinite(y)) cell.values.push(y);
    cells.set(place, cell);
  }
  const ordered = [...cells.entries()].toSorted(([a], [b]) => a - b).map(([, cell]) => cell);
  const column = (of: (values: number[]) => number): Float64Array =>
    Float64Array.from(ordered, ({ values }) => (values.length === 0 ? Number.NaN : of(values)));
  const bad = points.filter(([, y]) => !Number.isFinite(y));
  return {
    runId: name.runId ?? "a".repeat(32),
    key: name.key ?? "loss",
    n: points.length,
    nonfinite: bad.length,
    nonfiniteFirst: bad[0]?.[0] ?? null,
    x: Float64Array.from(ordered, ({ x }) => x),
    mean: column((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
    min: column((values) => Math.min(...values)),
    max: column((values) => Math.max(...values)),
    count: Uint32Array.from(ordered, ({ values }) => values.length),
  };
}

export interface FrameSeries {
  readonly series: Series;
  readonly dtype: "f32" | "f64";
  /** Leave out count, min and max. */
  readonly isTrivial?: boolean;
}

/** A GNM1 frame, written from the document and not from the reader. */
export function writeGnm1(metrics: readonly { key: string; series: readonly FrameSeries[] }[]): ArrayBuffer {
  const columns: { off: number; bytes: Uint8Array }[] = [];
  let end = 0;
  const put = (column: Float64Array | Float32Array | Uint32Array): number => {
    const off = Math.ceil(end / 8) * 8;
    columns.push({ off, bytes: new Uint8Array(column.buffer, column.byteOffset, column.byteLength) });
    end = off + column.byteLength;
    return off;
  };
  const header = {
    v: 1,
    x: "step",
    range: null,
    buckets: 600,
    metrics: metrics.map(({ key, series }) => {
      const grid = Float64Array.from(new Set(series.flatMap((one) => [...one.series.x]))).toSorted();
      return {
        key,
        grid: { off: put(grid), n: grid.length },
        series: series.map(({ series: one, dtype, isTrivial }) => {
          const places = Array.from(one.x, (x) => grid.indexOf(x));
          const first = places[0] ?? 0;
          const isSlice = places.every((place, i) => place === first + i);
          const values = (from: ArrayLike<number>): number =>
            put(dtype === "f32" ? Float32Array.from(from) : Float64Array.from(from));
          return {
            run: one.runId,
            n: one.n,
            nonfinite: one.nonfinite,
            ...(one.nonfiniteFirst === null ? {} : { nonfinite_first: one.nonfiniteFirst }),
            dtype,
            len: one.x.length,
            ...(isSlice ? { first } : { idx: put(Uint32Array.from(places)) }),
            mean: values(one.mean),
            ...(isTrivial === true
              ? {}
              : { min: values(one.min), max: values(one.max), count: put(Uint32Array.from(one.count)) }),
          };
        }),
      };
    }),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const body = Math.ceil((8 + text.length) / 8) * 8;
  const frame = new Uint8Array(body + end);
  frame.set(new TextEncoder().encode("GNM1"));
  new DataView(frame.buffer).setUint32(4, text.length, true);
  frame.set(text, 8);
  for (const { off, bytes } of columns) frame.set(bytes, body + off);
  return frame.buffer;
}

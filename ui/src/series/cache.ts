/**
 * The least recently used series stay until the budget in bytes is spent. A cached `null` says: the server was asked,
 * and this run has no such point. Entries of running runs can be marked stale: still drawn, fetched anew when wanted.
 */
import { axisName, type Range, type Series, type XAxis } from "./series";

export interface SeriesKey {
  readonly runId: string;
  readonly key: string;
  readonly x: XAxis;
  readonly range: Range | null;
  readonly buckets: number;
}

interface Entry {
  readonly series: Series | null;
  readonly runId: string;
  readonly bytes: number;
  isStale: boolean;
}

/** About 500 series of 600 buckets with envelope a megabyte each ten: far below the page's heap budget of 150 MB. */
const DEFAULT_BUDGET_BYTES = 48 * 1024 * 1024;
const ENTRY_OVERHEAD_BYTES = 256;

export class SeriesCache {
  /** A Map iterates in insertion order, so re-inserting on use makes its first key the oldest. */
  private readonly entries = new Map<string, Entry>();
  private bytes = 0;

  constructor(private readonly budgetBytes: number = DEFAULT_BUDGET_BYTES) {}

  /** undefined: never asked, or evicted. null: asked, no points. */
  get(key: SeriesKey): Series | null | undefined {
    const name = nameOf(key);
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    this.entries.delete(name);
    this.entries.set(name, entry);
    return entry.series;
  }

  isFresh(key: SeriesKey): boolean {
    const entry = this.entries.get(nameOf(key));
    return entry !== undefined && !entry.isStale;
  }

  put(key: SeriesKey, series: Series | null): void {
    const name = nameOf(key);
    this.drop(name);
    const bytes = ENTRY_OVERHEAD_BYTES + (series === null ? 0 : bytesOf(series));
    this.entries.set(name, { series, runId: key.runId, bytes, isStale: false });
    this.bytes += bytes;
    for (const oldest of this.entries.keys()) {
      if (this.bytes <= this.budgetBytes || oldest === name) break;
      this.drop(oldest);
    }
  }

  /** null: those of every run. */
  markStale(runIds: ReadonlySet<string> | null): void {
    for (const entry of this.entries.values()) if (runIds === null || runIds.has(entry.runId)) entry.isStale = true;
  }

  get sizeBytes(): number {
    return this.bytes;
  }

  private drop(name: string): void {
    const entry = this.entries.get(name);
    if (entry === undefined) return;
    this.entries.delete(name);
    this.bytes -= entry.bytes;
  }
}

function nameOf({ runId, key, x, range, buckets }: SeriesKey): string {
  const window = range === null ? "all" : `${range[0]}:${range[1]}`;
  // A metric may be named "step": the kind of x keeps the two apart.
  return [runId, buckets, window, typeof x, axisName(x), key].join("\u0000");
}

function bytesOf({ x, mean, min, max, count }: Series): number {
  let bytes = x.byteLength + mean.byteLength + count.byteLength;
  if (min !== mean) bytes += min.byteLength;
  if (max !== mean) bytes += max.byteLength;
  return bytes;
}

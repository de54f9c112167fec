/**
 * Spark lines of the rows in sight: the shape of the headline metric in a few dozen buckets. Fetched in one request for
 * the rows that have none yet; a run that changed is fetched again when it is next in sight.
 */
import { useEffect, useReducer } from "react";
import type { FetchSeries } from "../../series/loader";
import type { Series } from "../../series/series";

const BUCKETS = 48;
const REST_MS = 60;
const MOST_RUNS = 100;

export class SparkStore {
  private readonly series = new Map<string, Series | null>();
  private readonly stale = new Set<string>();
  /** Last x of each run, by metric: how long a run usually is. */
  private readonly ends = new Map<string, Map<string, number>>();
  private readonly usual = new Map<string, number>();

  constructor(private readonly fetchSeries: FetchSeries) {}

  get(runId: string, metric: string): Series | null {
    return this.series.get(`${runId}\u0000${metric}`) ?? null;
  }

  /** Where a run that is still running may end: the median of all. */
  usualEnd(metric: string): number {
    let end = this.usual.get(metric);
    if (end === undefined) {
      const ends = [...this.endsOf(metric).values()].sort((one, other) => one - other);
      end = ends[ends.length >> 1] ?? 0;
      this.usual.set(metric, end);
    }
    return end;
  }

  private endsOf(metric: string): Map<string, number> {
    let ends = this.ends.get(metric);
    if (ends === undefined) {
      ends = new Map();
      this.ends.set(metric, ends);
    }
    return ends;
  }

  /** These runs have new points; null: any may have. */
  markStale(runIds: Iterable<string> | null): void {
    for (const id of runIds ?? this.runIds()) this.stale.add(id);
  }

  private runIds(): Set<string> {
    return new Set([...this.series.keys()].map((name) => name.slice(0, name.indexOf("\u0000"))));
  }

  missing(runIds: readonly string[], metric: string): string[] {
    // A pinned run is there twice when its own row is in sight as well.
    return [...new Set(runIds)].filter((id) => this.stale.has(id) || !this.series.has(`${id}\u0000${metric}`)).slice(0, MOST_RUNS);
  }

  async load(runIds: readonly string[], metric: string, signal: AbortSignal): Promise<void> {
    const answer = await this.fetchSeries(
      { runIds, keys: [metric], x: "step", range: null, buckets: BUCKETS },
      signal,
    );
    const found = new Map(answer.map((series) => [series.runId, series]));
    for (const id of runIds) {
      const series = found.get(id) ?? null;
      this.series.set(`${id}\u0000${metric}`, series);
      const end = series?.x.at(-1);
      if (end !== undefined) this.endsOf(metric).set(id, end);
      this.stale.delete(id);
    }
    this.usual.delete(metric);
  }
}

/** `revision` changes when runs were marked stale. */
export function useSparks(store: SparkStore, runIds: readonly string[], metric: string | null, revision: number): void {
  const [, render] = useReducer((n: number) => n + 1, 0);
  const ids = runIds.join();
  useEffect(() => {
    if (metric === null || ids === "") return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      const missing = store.missing(ids.split(","), metric);
      if (missing.length === 0) return;
      store.load(missing, metric, controller.signal).then(render, (error: unknown) => {
        // A row without its spark line is whole; the table itself reports a lost link.
        if (!(error instanceof Error)) throw error;
      });
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- a new revision means that runs were marked stale
  }, [store, ids, metric, revision]);
}

const WIDTH = 52;
const HEIGHT = 13;
const TOP = 1.5;

/** The line through the bucket means, `end` being the x of the right edge. Single spikes at the start of a loss would flatten it, so the range is clipped. */
export function sparkPath(series: Series, end: number): string {
  const values = Array.from(series.mean).filter(Number.isFinite).sort((a, b) => a - b);
  const lo = values[0];
  const hi = values[Math.min(values.length - 1, Math.floor(values.length * 0.96))];
  if (lo === undefined || hi === undefined) return "";
  const start = series.x[0] ?? 0;
  let path = "";
  series.x.forEach((x, i) => {
    const value = series.mean[i];
    if (value === undefined || !Number.isFinite(value)) return;
    const share = hi > lo ? (Math.min(hi, value) - lo) / (hi - lo) : 0.5;
    const left = end > start ? ((x - start) / (end - start)) * WIDTH : 0;
    path += `${path === "" ? "M" : "L"}${left.toFixed(1)} ${(TOP + HEIGHT - share * HEIGHT).toFixed(1)}`;
  });
  return path.includes("L") ? path : "";
}

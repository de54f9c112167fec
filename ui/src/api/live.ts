/**
 * What changes while one watches: asked for every two seconds while the page is visible, and not at all while it is
 * hidden. The one place that knows how changes reach the page.
 *
 * A run has changed when the answer says something else about it than before; a run that is no longer among the
 * running ones has ended, and one that was not there before is new.
 */
import { double, integer, list, object, record, text } from "../lib/shape";
import { ApiError, getJson, withQuery } from "./client";

const POLL_MS = 2_000;
/** Waits after a failure, in turn; the last one stays. */
const RETRY_MS = [2_000, 4_000, 8_000, 15_000];
const MOST_RUNNING = 500;

export type LinkState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live"; readonly running: number }
  | { readonly kind: "lost"; readonly lastAt: number | null; readonly retryAt: number };

export interface LiveChange {
  /** Runs with new values, in a state or in metrics. */
  readonly changed: readonly string[];
  /** Runs appeared, ended or vanished: lists and totals are stale. */
  readonly isListStale: boolean;
}

export interface LiveListener {
  readonly onState: (state: LinkState) => void;
  readonly onChange: (change: LiveChange) => void;
}

interface Glance {
  readonly id: string;
  readonly metrics: Readonly<Record<string, number>>;
}

const readRunning = object<{ runs: Glance[]; total: number }>({
  runs: list(object<Glance>({ id: text, metrics: record(double) })),
  total: integer,
});

const readCount = object<{ total: number }>({ total: integer });

/** Watches one experiment until `close`. */
export class LiveLink {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private request: AbortController | null = null;
  private failures = 0;
  private lastAt: number | null = null;
  private known: Map<string, string> | null = null;
  private knownTotal: number | null = null;
  private isClosed = false;

  constructor(
    private readonly experimentId: string,
    private readonly listener: LiveListener,
  ) {
    document.addEventListener("visibilitychange", this.onVisibility);
    void this.poll();
  }

  close(): void {
    this.isClosed = true;
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.request?.abort();
    if (this.timer !== null) clearTimeout(this.timer);
  }

  /** Try again at once. */
  retry(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.request === null) void this.poll();
  }

  private readonly onVisibility = (): void => {
    if (document.visibilityState === "visible") this.retry();
  };

  private async poll(): Promise<void> {
    if (this.isClosed || document.visibilityState === "hidden") return;
    const request = new AbortController();
    this.request = request;
    try {
      const [running, count] = await Promise.all([
        getJson(this.path({ status: "running", limit: MOST_RUNNING }), readRunning, request.signal),
        getJson(this.path({ limit: 1 }), readCount, request.signal),
      ]);
      if (this.isClosed) return;
      this.failures = 0;
      this.lastAt = Date.now();
      this.listener.onState({ kind: "live", running: running.total });
      this.compare(running.runs, count.total);
      this.again(POLL_MS);
    } catch (error) {
      if (this.isClosed || request.signal.aborted) return;
      // The link is well, the server has answered: what it refuses it will refuse again, and the page says so.
      if (error instanceof ApiError && error.status < 500) return;
      const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)] ?? POLL_MS;
      this.failures++;
      this.listener.onState({ kind: "lost", lastAt: this.lastAt, retryAt: Date.now() + wait });
      this.again(wait);
      if (!(error instanceof Error)) throw error;
    } finally {
      this.request = null;
    }
  }

  private path(query: { status?: string; limit: number }): string {
    return withQuery("api/v1/experiments/runs", { experiment_id: this.experimentId, ...query });
  }

  private again(ms: number): void {
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.poll();
    }, ms);
  }

  private compare(running: readonly Glance[], total: number): void {
    const next = new Map(running.map((run) => [run.id, fingerprint(run)]));
    const before = this.known;
    const isTotalNew = this.knownTotal !== null && this.knownTotal !== total;
    this.known = next;
    this.knownTotal = total;
    if (before === null) return;
    const ended = [...before.keys()].filter((id) => !next.has(id));
    const isNew = [...next.keys()].some((id) => !before.has(id));
    const changed = [...next].filter(([id, print]) => before.get(id) !== print).map(([id]) => id);
    if (changed.length === 0 && ended.length === 0 && !isTotalNew) return;
    this.listener.onChange({ changed: [...changed, ...ended], isListStale: isNew || ended.length > 0 || isTotalNew });
  }
}

function fingerprint(run: Glance): string {
  return Object.entries(run.metrics)
    .map(([key, value]) => `${key}=${value}`)
    .join();
}

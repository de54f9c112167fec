/**
 * What changes while one watches: the server tells it as events (docs/formats/sse.md) while the page is visible, and
 * nothing crosses the wire while it is hidden. The one place that knows how changes reach the page.
 *
 * The stream is read with fetch: an EventSource could send neither the tenant nor the key.
 */
import { integer, list, object, text } from "../lib/shape";
import { ApiError, LinkError, problemOf, send } from "./client";
import { isCovered, lowestRevision, onRevision, setRevision, type Revision } from "./revisions";
import { readEvents, type ServerEvent } from "./server-events";

/** The server tells up to four times a second; a page that fetches what changed does so at most this often. */
const PACE_MS = 1_000;
/** The server says something every 15 seconds: after so long a silence the link is dead, whatever the system says. */
const SILENCE_MS = 40_000;
/** A page that is hidden for a moment keeps its stream. */
const HIDDEN_MS = 5_000;
/** The stream begins where the first answer stood; without one after so long it begins with the present. */
const FIRST_ANSWER_MS = 2_000;
/** Waits after a failure, in turn; the last one stays. */
const RETRY_MS = [2_000, 4_000, 8_000, 15_000];

export type LinkState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live"; readonly running: number }
  | { readonly kind: "lost"; readonly lastAt: number | null; readonly retryAt: number };

export interface LiveChange {
  /** Runs with new values, in a state or in metrics; null: any run may have. */
  readonly changed: readonly string[] | null;
  /** Runs appeared, ended, vanished or got params or tags: lists and totals are stale. */
  readonly isListStale: boolean;
}

export interface LiveListener {
  readonly onState: (state: LinkState) => void;
  readonly onChange: (change: LiveChange) => void;
  /** Metrics that took points; not always all of them. */
  readonly onMetrics?: (keys: readonly string[]) => void;
}

const readExperiment = object<{ running: number }>({ running: integer });
const readRun = object<{ id: string }>({ id: text });
const readMetrics = object<{ run_id: string; metrics: { key: string }[] }>({
  run_id: text,
  metrics: list(object<{ key: string }>({ key: text })),
});

/** Watches one experiment until `close`. */
export class LiveLink {
  private request: AbortController | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | null = null;
  private hideTimer: ReturnType<typeof setTimeout> | null = null;
  private silenceTimer: ReturnType<typeof setTimeout> | null = null;
  private failures = 0;
  private lastAt: number | null = null;
  private answerTimer: ReturnType<typeof setTimeout> | null = null;
  /** How far the stream has come: the next one goes on from here. */
  private lastId: string | null;
  /** Where the first stream began, and when its first event came: what was read before and stood lower lacks something. */
  private first: { id: string; openedAt: number } | null = null;
  private isBehind = false;
  private isClosed = false;
  private readonly gathered: Gathered;
  private readonly stopHearing: () => void;

  constructor(
    private readonly experimentId: string,
    private readonly listener: LiveListener,
  ) {
    this.gathered = new Gathered(listener.onChange);
    document.addEventListener("visibilitychange", this.onVisibility);
    this.lastId = lowestRevision(experimentId);
    this.stopHearing = onRevision(experimentId, this.onAnswer);
    if (this.lastId !== null) void this.connect();
    else this.answerTimer = setTimeout(() => this.retry(), FIRST_ANSWER_MS);
  }

  close(): void {
    this.isClosed = true;
    this.stopHearing();
    // What is cached is as new as what was told; who shows it again is told the rest.
    if (this.lastId !== null && !this.gathered.isPending) setRevision(this.experimentId, this.lastId);
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.rest();
    this.gathered.dispose();
  }

  /** Try again at once. */
  retry(): void {
    for (const timer of [this.retryTimer, this.answerTimer]) stop(timer);
    this.retryTimer = null;
    this.answerTimer = null;
    if (this.request === null) void this.connect();
  }

  private readonly onAnswer = (answer: Revision): void => {
    if (this.answerTimer !== null) {
      this.lastId = answer.id;
      this.retry();
    } else if (this.first === null) this.isBehind ||= this.lastId === null || !isCovered(answer.id, this.lastId);
    // What was read before the stream began, and stood lower than it, lacks what changed between the two.
    else if (answer.askedAt < this.first.openedAt && !isCovered(answer.id, this.first.id)) this.gathered.addEverything();
  };

  private readonly onVisibility = (): void => {
    stop(this.hideTimer);
    this.hideTimer = null;
    if (document.visibilityState === "visible") this.retry();
    else this.hideTimer = setTimeout(() => this.rest(), HIDDEN_MS);
  };

  private rest(): void {
    for (const timer of [this.retryTimer, this.hideTimer, this.silenceTimer, this.answerTimer]) stop(timer);
    this.retryTimer = null;
    this.answerTimer = null;
    this.request?.abort();
    this.request = null;
  }

  private async connect(): Promise<void> {
    if (this.isClosed || document.visibilityState === "hidden") return;
    const request = new AbortController();
    this.request = request;
    try {
      await this.follow(request);
    } catch (error) {
      if (this.request !== request) return; // closed, hidden or replaced
      this.request = null;
      stop(this.silenceTimer);
      // The link is well, the server has answered: what it refuses it will refuse again, and the page says so.
      if (error instanceof ApiError && error.status < 500) return;
      const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)] ?? PACE_MS;
      this.failures++;
      this.listener.onState({ kind: "lost", lastAt: this.lastAt, retryAt: Date.now() + wait });
      this.retryTimer = setTimeout(() => this.retry(), wait);
      if (!(error instanceof Error)) throw error;
    }
  }

  /** Read one stream to its end, which is always a failure: it has none of its own. */
  private async follow(request: AbortController): Promise<never> {
    const headers = { accept: "text/event-stream", ...(this.lastId === null ? {} : { "last-event-id": this.lastId }) };
    this.expectWord(request);
    const response = await send(`api/v1/experiments/${encodeURIComponent(this.experimentId)}/live`, {
      headers,
      signal: request.signal,
    });
    if (!response.ok) throw await problemOf(response);
    if (response.body === null) throw new LinkError();
    for await (const events of readEvents(response.body)) {
      if (this.request !== request) break;
      this.expectWord(request);
      this.failures = 0;
      this.lastAt = Date.now();
      for (const event of events) this.take(event);
    }
    throw new LinkError();
  }

  private take(event: ServerEvent): void {
    if (event.id !== null) this.reach(event.id);
    if (event.data === "") return;
    const data: unknown = JSON.parse(event.data);
    switch (event.name) {
      case "experiment":
        this.listener.onState({ kind: "live", running: readExperiment(data, event.name).running });
        break;
      case "run":
        this.gathered.add(readRun(data, event.name).id, true);
        break;
      case "metrics": {
        const { run_id: runId, metrics } = readMetrics(data, event.name);
        this.gathered.add(runId, false);
        this.listener.onMetrics?.(metrics.map(({ key }) => key));
        break;
      }
      case "reset":
        this.gathered.addEverything();
        break;
    }
  }

  private reach(id: string): void {
    if (this.first === null) {
      this.first = { id: this.lastId ?? id, openedAt: performance.now() };
      if (this.isBehind) this.gathered.addEverything();
    }
    this.lastId = id;
  }

  private expectWord(request: AbortController): void {
    stop(this.silenceTimer);
    this.silenceTimer = setTimeout(() => request.abort(new LinkError()), SILENCE_MS);
  }
}

/** Changes on their way to the page: the first at once, what follows at most every `PACE_MS`. */
class Gathered {
  private changed = new Set<string>();
  private isEverything = false;
  private isListStale = false;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly onChange: (change: LiveChange) => void) {}

  add(runId: string, isListStale: boolean): void {
    this.changed.add(runId);
    this.isListStale ||= isListStale;
    this.tellSoon();
  }

  addEverything(): void {
    this.isEverything = true;
    this.isListStale = true;
    this.tellSoon();
  }

  get isPending(): boolean {
    return this.isEverything || this.changed.size > 0;
  }

  dispose(): void {
    stop(this.timer);
    this.timer = null;
    this.changed.clear();
  }

  private tellSoon(): void {
    // The rest of a look comes in the same turn: what belongs together is told together.
    this.timer ??= setTimeout(() => this.tell(), 0);
  }

  private tell(): void {
    this.timer = null;
    if (!this.isPending) return;
    const change = { changed: this.isEverything ? null : [...this.changed], isListStale: this.isListStale };
    this.changed = new Set();
    this.isEverything = false;
    this.isListStale = false;
    this.timer = setTimeout(() => this.tell(), PACE_MS);
    this.onChange(change);
  }
}

function stop(timer: ReturnType<typeof setTimeout> | null): void {
  if (timer !== null) clearTimeout(timer);
}

/**
 * Fetches what is on screen, and nothing else: one request for a page of panels.
 *
 * The page says what it shows with `want`. What the cache does not hold is asked for in one request for each set of runs
 * that misses the same keys (normally one). The overview (no range) is asked for at the end of the frame; the finer
 * data of a zoom window waits until the window rests for 80 ms, and takes the place of the request before it.
 * Listeners hear which keys have changed; they read the data from here, so no series passes through React.
 */
import { SeriesCache, type SeriesKey } from "./cache";
import { axisName, type Range, type Series, type SeriesRequest, type XAxis } from "./series";
import { fetchRange, showsEveryPoint, splice } from "./window";

export interface Wanted {
  readonly runIds: readonly string[];
  readonly keys: readonly string[];
  readonly x: XAxis;
  readonly window: Range | null;
  readonly buckets: number;
}

export type KeyState =
  | { readonly state: "loading" }
  /** `problem`: why some of the runs are missing from what is shown. */
  | { readonly state: "ready"; readonly problem: string | null }
  | { readonly state: "error"; readonly message: string };

export interface LoaderAnswer {
  readonly askedAt: number;
  readonly cameAt: number;
}

export type FetchSeries = (request: SeriesRequest, signal: AbortSignal) => Promise<Series[]>;
export type LoaderListener = (keys: ReadonlySet<string>) => void;

const ZOOM_REST_MS = 80;
const BATCH_MS = 8;
const NOTHING: Wanted = { runIds: [], keys: [], x: "step", window: null, buckets: 0 };
const LOADING: KeyState = { state: "loading" };
const READY: KeyState = { state: "ready", problem: null };

export class SeriesLoader {
  private wanted: Wanted = NOTHING;
  private readonly pending = new Map<string, AbortController>();
  private readonly failed = new Map<string, string>();
  private readonly states = new Map<string, KeyState>();
  private readonly listeners = new Set<LoaderListener>();
  /** How often each run was refreshed: an answer that set out before the last refresh is stale on arrival. */
  private readonly revisions = new Map<string, number>();
  private zoomRequest: AbortController | null = null;
  /** Ranges of which finer data has come. */
  private readonly finerRanges = new Set<string>();
  private readonly shown = new Map<string, Series | null>();
  /** A splice is remembered, so that what is computed from it is too. */
  private readonly spliced = new WeakMap<Series, { overview: Series; series: Series }>();
  private overviewTimer: ReturnType<typeof setTimeout> | null = null;
  private zoomTimer: ReturnType<typeof setTimeout> | null = null;
  /** When the last overview was asked for and when it came, for the footer's time to pixels. */
  lastAnswer: LoaderAnswer | null = null;

  constructor(
    private readonly fetchSeries: FetchSeries,
    private readonly cache: SeriesCache = new SeriesCache(),
  ) {}

  subscribe(listener: LoaderListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Say what is on screen now. */
  want(wanted: Wanted): void {
    const isOtherAxis = axisName(wanted.x) !== axisName(this.wanted.x);
    if (isOtherAxis) this.shown.clear();
    if (isOtherAxis || wanted.buckets !== this.wanted.buckets) this.failed.clear();
    // A window that is dragged asks on every frame; it changes what is read only where finer data comes or goes.
    const isNews = !isSameQuestion(this.wanted, wanted) || this.hasFiner(this.wanted.window) || this.hasFiner(wanted.window);
    this.wanted = wanted;
    this.overviewTimer ??= setTimeout(() => {
      this.overviewTimer = null;
      this.fetchOverview();
    }, BATCH_MS);
    if (this.zoomTimer !== null) clearTimeout(this.zoomTimer);
    this.zoomTimer = null;
    if (wanted.window === null) this.zoomRequest?.abort();
    else this.zoomTimer = setTimeout(() => this.fetchZoom(), ZOOM_REST_MS);
    if (isNews) this.announce(new Set(wanted.keys));
  }

  private hasFiner(window: Range | null): boolean {
    return window !== null && this.finerRanges.has(fetchRange(window).join());
  }

  /** New points have arrived for these runs (null: any): what is shown stays until the newer answer is here. */
  refresh(runIds: Iterable<string> | null): void {
    const changed = runIds === null ? null : new Set(runIds);
    this.cache.markStale(changed);
    for (const runId of changed ?? this.wanted.runIds) this.revisions.set(runId, (this.revisions.get(runId) ?? 0) + 1);
    this.want(this.wanted);
  }

  retry(key: string): void {
    for (const name of this.failed.keys()) if (name.endsWith(`\u0000${key}`)) this.failed.delete(name);
    this.want(this.wanted);
  }

  /** The best data there is for a run and key: the overview, with the finer window set in when it has come. */
  read(runId: string, key: string): Series | null | undefined {
    const overview = this.overviewOf(runId, key);
    const { window } = this.wanted;
    if (overview === undefined || overview === null || window === null) return overview;
    const range = fetchRange(window);
    const fine = this.cache.get(this.zoomKey(runId, key, range));
    if (fine === undefined || fine === null) return overview;
    const known = this.spliced.get(fine);
    if (known !== undefined && known.overview === overview) return known.series;
    const series = splice(overview, fine, range);
    this.spliced.set(fine, { overview, series });
    return series;
  }

  stateOf(key: string): KeyState {
    return this.states.get(key) ?? LOADING;
  }

  dispose(): void {
    if (this.overviewTimer !== null) clearTimeout(this.overviewTimer);
    if (this.zoomTimer !== null) clearTimeout(this.zoomTimer);
    this.overviewTimer = null;
    this.zoomTimer = null;
    this.zoomRequest?.abort();
    for (const controller of this.pending.values()) controller.abort();
    this.pending.clear();
  }

  private fetchOverview(): void {
    const { runIds, keys, x, buckets } = this.wanted;
    const missing = (runId: string, key: string): boolean =>
      !this.cache.isFresh(this.overviewKey(runId, key)) &&
      !this.pending.has(pairName(runId, key)) &&
      !this.failed.has(pairName(runId, key));
    for (const part of requestBlocks(rectangles(runIds, keys, missing), buckets)) {
      const controller = new AbortController();
      const pairs = part.runIds.flatMap((runId) => part.keys.map((key) => pairName(runId, key)));
      for (const pair of pairs) this.pending.set(pair, controller);
      const request: SeriesRequest = { ...part, x, buckets, range: null };
      void this.run(request, controller, pairs);
    }
    this.announce(new Set(keys));
  }

  private fetchZoom(): void {
    this.zoomTimer = null;
    const { runIds, keys, x, window } = this.wanted;
    if (window === null) return;
    const range = fetchRange(window);
    const missing = (runId: string, key: string): boolean => {
      const overview = this.cache.get(this.overviewKey(runId, key));
      if (overview === null || (overview !== undefined && showsEveryPoint(overview, range))) return false;
      return !this.cache.isFresh(this.zoomKey(runId, key, range));
    };
    this.zoomRequest?.abort();
    const controller = new AbortController();
    this.zoomRequest = controller;
    for (const part of requestBlocks(rectangles(runIds, keys, missing), this.zoomBuckets())) {
      const request: SeriesRequest = { ...part, x, buckets: this.zoomBuckets(), range };
      void this.run(request, controller, []);
    }
  }

  private async run(request: SeriesRequest, controller: AbortController, pairs: readonly string[]): Promise<void> {
    const before = new Map(request.runIds.map((runId) => [runId, this.revisions.get(runId)]));
    const askedAt = performance.now();
    let isOutrun = false;
    try {
      const answer = await this.fetchSeries(request, controller.signal);
      if (controller.signal.aborted) return;
      if (request.range === null) this.lastAnswer = { askedAt, cameAt: performance.now() };
      this.keep(request, answer);
      const outrun = request.runIds.filter((runId) => this.revisions.get(runId) !== before.get(runId));
      this.cache.markStale(new Set(outrun));
      isOutrun = outrun.length > 0;
      for (const pair of pairs) this.failed.delete(pair);
    } catch (error) {
      if (controller.signal.aborted) return;
      // A zoom that fails leaves the overview on screen: coarse, but true.
      const message = error instanceof Error ? error.message : String(error);
      for (const pair of pairs) this.failed.set(pair, message);
    } finally {
      for (const pair of pairs) if (this.pending.get(pair) === controller) this.pending.delete(pair);
    }
    if (isOutrun) this.want(this.wanted);
    else this.announce(new Set(request.keys));
  }

  private keep(request: SeriesRequest, answer: readonly Series[]): void {
    const found = new Map(answer.map((series) => [pairName(series.runId, series.key), series]));
    if (request.range !== null) this.finerRanges.add(request.range.join());
    for (const runId of request.runIds) {
      for (const key of request.keys) {
        const { x, range, buckets } = request;
        const series = found.get(pairName(runId, key));
        this.cache.put({ runId, key, x, range, buckets }, series !== undefined && series.n > 0 ? series : null);
      }
    }
  }

  private announce(keys: ReadonlySet<string>): void {
    for (const key of keys) this.states.set(key, this.judge(key));
    for (const listener of this.listeners) listener(keys);
  }

  private judge(key: string): KeyState {
    let message: string | null = null;
    let hasData = false;
    let isWaiting = false;
    for (const runId of this.wanted.runIds) {
      const series = this.overviewOf(runId, key);
      if (series !== undefined && series !== null) hasData = true;
      if (series !== undefined) continue;
      const failure = this.failed.get(pairName(runId, key));
      if (failure === undefined) isWaiting = true;
      else message ??= failure;
    }
    if (hasData) return message === null ? READY : { state: "ready", problem: message };
    if (message !== null) return { state: "error", message };
    return isWaiting ? LOADING : READY;
  }

  /** While another number of buckets is on its way, what was shown before stays. */
  private overviewOf(runId: string, key: string): Series | null | undefined {
    const name = pairName(runId, key);
    const series = this.cache.get(this.overviewKey(runId, key));
    if (series === undefined) return this.shown.get(name);
    this.shown.set(name, series);
    return series;
  }

  private overviewKey(runId: string, key: string): SeriesKey {
    return { runId, key, x: this.wanted.x, range: null, buckets: this.wanted.buckets };
  }

  private zoomKey(runId: string, key: string, range: Range): SeriesKey {
    return { runId, key, x: this.wanted.x, range, buckets: this.zoomBuckets() };
  }

  private zoomBuckets(): number {
    return Math.min(5000, this.wanted.buckets * 2);
  }
}

/** Whether no more than the window differs. */
function isSameQuestion(a: Wanted, b: Wanted): boolean {
  const isSameGrid = axisName(a.x) === axisName(b.x) && a.buckets === b.buckets;
  return isSameGrid && a.keys.join("\u0000") === b.keys.join("\u0000") && a.runIds.join() === b.runIds.join();
}

/** A key may hold any character but NUL, a run id is hexadecimal: the pair is unambiguous. */
function pairName(runId: string, key: string): string {
  return `${runId}\u0000${key}`;
}

export interface Block {
  readonly runIds: readonly string[];
  readonly keys: readonly string[];
}

/** Cover the missing pairs with one block for each set of runs that misses the same keys. */
export function rectangles(
  runIds: readonly string[],
  keys: readonly string[],
  missing: (runId: string, key: string) => boolean,
): Block[] {
  const blocks = new Map<string, { runIds: string[]; keys: string[] }>();
  for (const key of keys) {
    const runs = runIds.filter((runId) => missing(runId, key));
    if (runs.length === 0) continue;
    const name = runs.join(" ");
    const block = blocks.get(name);
    if (block === undefined) blocks.set(name, { runIds: runs, keys: [key] });
    else block.keys.push(key);
  }
  return [...blocks.values()];
}

/**
 * What one request may ask for. The server takes more; a page of twenty panels of twenty runs fits twice, and a larger
 * answer would keep the first panel waiting for the last.
 */
const MOST_BUCKETS = 400_000;
/** As the server has it. */
const MOST_RUNS = 1000;

/** Blocks small enough for a request each: first fewer panels, then, for very many runs, fewer runs. */
export function requestBlocks(blocks: readonly Block[], buckets: number): Block[] {
  const series = Math.max(1, Math.floor(MOST_BUCKETS / Math.max(1, buckets)));
  return blocks.flatMap(({ runIds, keys }) => {
    const runs = Math.min(runIds.length, series, MOST_RUNS);
    const panels = Math.max(1, Math.floor(series / runs));
    return chunks(keys, panels).flatMap((some) => chunks(runIds, runs).map((part) => ({ runIds: part, keys: some })));
  });
}

function chunks(items: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

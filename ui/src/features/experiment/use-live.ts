/** Keeps an experiment's page up to date: hears of changes and marks what they make stale. */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { experimentKeys } from "../../api/experiments";
import { keysKey, keysQuery } from "../../api/keys";
import { LiveLink, type LinkState, type LiveChange } from "../../api/live";
import { markStale } from "../../api/stale";
import { tableKeys } from "../../api/table";

export interface Live {
  readonly state: LinkState;
  /** Counts the changes so far. */
  readonly revision: number;
  readonly retry: () => void;
}

const POINTS_DO_NOT_MATTER: ReadonlySet<unknown> = new Set(["sample", "check", "members"]);
/** Keys and totals are asked for again at most this often while runs are writing. */
const KEYS_EVERY_MS = 10_000;

export function useLive(experimentId: string, onChange: (change: LiveChange) => void): Live {
  const client = useQueryClient();
  const [state, setState] = useState<LinkState>({ kind: "connecting" });
  const [revision, setRevision] = useState(0);
  const link = useRef<LiveLink | null>(null);
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  }, [onChange]);
  // Before the page is painted, near to when its lists are asked for: what changes before the stream begins is not told.
  useLayoutEffect(() => {
    const keys = new KeyRefresh(client, experimentId);
    const live = new LiveLink(experimentId, {
      onState: (next) => setState((before) => (isSame(before, next) ? before : next)),
      onChange: (change) => {
        latest.current(change);
        setRevision((n) => n + 1);
        markStale(client, {
          queryKey: tableKeys.all(experimentId),
          // Which params differ, and whether a filter is right, new points cannot change.
          predicate: ({ queryKey }) => change.isListStale || !POINTS_DO_NOT_MATTER.has(queryKey[2]),
        });
        if (change.isListStale) markStale(client, { queryKey: experimentKeys.all });
        if (change.isListStale) keys.now();
        else keys.soon();
      },
      onMetrics: (logged) => keys.expect(logged),
    });
    link.current = live;
    return () => {
      live.close();
      keys.dispose();
    };
  }, [client, experimentId]);
  return { state, revision, retry: () => link.current?.retry() };
}

/** When the list of keys is asked for again: at once for a key that is new, else now and then, and never not at all. */
class KeyRefresh {
  private askedAt = Number.NEGATIVE_INFINITY;
  private timer: ReturnType<typeof setTimeout> | null = null;
  /** A list that is cut off never holds some keys: each is a reason to ask only once. */
  private readonly expected = new Set<string>();

  constructor(
    private readonly client: QueryClient,
    private readonly experimentId: string,
  ) {}

  expect(metrics: readonly string[]): void {
    const unknown = metrics.filter((key) => !this.expected.has(key));
    if (unknown.length === 0) return;
    const found = this.client.getQueryData(keysQuery(this.experimentId).queryKey)?.keys ?? [];
    const known = new Set(found.flatMap(({ kind, key }) => (kind === "metric" ? [key] : [])));
    for (const key of unknown) this.expected.add(key);
    if (unknown.some((key) => !known.has(key))) this.now();
  }

  soon(): void {
    const wait = this.askedAt + KEYS_EVERY_MS - performance.now();
    if (wait <= 0) this.now();
    else this.timer ??= setTimeout(() => this.now(), wait);
  }

  now(): void {
    this.dispose();
    this.askedAt = performance.now();
    markStale(this.client, { queryKey: keysKey(this.experimentId) });
  }

  dispose(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

function isSame(a: LinkState, b: LinkState): boolean {
  return a.kind === "live" && b.kind === "live" && a.running === b.running;
}

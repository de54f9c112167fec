/** Keeps an experiment's page up to date: hears of changes and marks what they make stale. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { experimentKeys } from "../../api/experiments";
import { keysKey } from "../../api/keys";
import { LiveLink, type LinkState, type LiveChange } from "../../api/live";
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
  useEffect(() => {
    let keysAt = 0;
    const live = new LiveLink(experimentId, {
      onState: (next) => setState((before) => (isSame(before, next) ? before : next)),
      onChange: (change) => {
        latest.current(change);
        setRevision((n) => n + 1);
        void client.invalidateQueries({
          queryKey: tableKeys.all(experimentId),
          // Which params differ, and whether a filter is right, new points cannot change.
          predicate: ({ queryKey }) => change.isListStale || !POINTS_DO_NOT_MATTER.has(queryKey[2]),
        });
        if (change.isListStale) void client.invalidateQueries({ queryKey: experimentKeys.all });
        const now = performance.now();
        if (!change.isListStale && now - keysAt < KEYS_EVERY_MS) return;
        keysAt = now;
        void client.invalidateQueries({ queryKey: keysKey(experimentId) });
      },
    });
    link.current = live;
    return () => live.close();
  }, [client, experimentId]);
  return { state, revision, retry: () => link.current?.retry() };
}

function isSame(a: LinkState, b: LinkState): boolean {
  return a.kind === "live" && b.kind === "live" && a.running === b.running;
}

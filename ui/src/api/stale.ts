/**
 * Marking answers as stale, those on their way as well: what is asked for the first time may have been read before the
 * change, and the library would take it for fresh when it comes.
 */
import type { InvalidateQueryFilters, Query, QueryClient } from "@tanstack/react-query";

/** First answers that are asked for once more when they have come. */
const owed = new WeakSet<Query>();

export function markStale(client: QueryClient, filters: InvalidateQueryFilters): void {
  for (const query of client.getQueryCache().findAll(filters)) {
    if (query.state.data !== undefined || query.state.fetchStatus === "idle" || owed.has(query)) continue;
    owed.add(query);
    const again = (): void => {
      owed.delete(query);
      void client.invalidateQueries({ queryKey: query.queryKey, exact: true });
    };
    // Whether it came or failed, it is asked for anew; who shows it shows the failure too.
    query.promise?.then(again, again);
  }
  void client.invalidateQueries(filters);
}

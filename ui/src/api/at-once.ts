/**
 * Asking while a page is first rendered. `useQuery` asks once that has been painted, and those frames would stand between
 * navigation and the first chart.
 */
import { useQueryClient, type FetchQueryOptions, type QueryKey } from "@tanstack/react-query";

export function useAtOnce<T, K extends QueryKey>(options: FetchQueryOptions<T, Error, T, K>, isHeld = false): void {
  const client = useQueryClient();
  if (!isHeld && client.getQueryState(options.queryKey) === undefined) void client.prefetchQuery(options);
}

/**
 * The filter that the page goes by. One that the server refuses changes nothing but the line under the input: the page
 * keeps to the last one that was right, so a slip of the finger never empties the charts.
 */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { fetchRows } from "../../api/table";
import { queryErrorOf, type QueryError } from "./query-error";

export interface CheckedFilter {
  readonly filter: string;
  readonly error: QueryError | null;
  /** The server has not said yet whether it takes the first filter: nothing is asked with it until then. */
  readonly isHeld: boolean;
}

export function useCheckedFilter(experimentId: string, filter: string): CheckedFilter {
  const check = useQuery({ ...checkQuery(experimentId, filter), enabled: filter !== "" });
  const [lastGood, setLastGood] = useState<string | null>(null);
  const error = filter === "" ? null : queryErrorOf(check.error);
  // Anything but a refusal (a lost link, say) is no verdict on the filter; what needs the data reports it.
  const isGood = filter === "" || check.isSuccess || (check.isError && error === null);
  if (isGood && lastGood !== filter) setLastGood(filter);
  if (isGood) return { filter, error: null, isHeld: false };
  // At first there is nothing to keep to. What is asked next goes by this filter, or by none if it is refused.
  return { filter: lastGood ?? (error === null ? filter : ""), error, isHeld: lastGood === null && error === null };
}

function checkQuery(experimentId: string, filter: string) {
  return queryOptions({
    // Not among the keys of the table: new data does not change what the server takes.
    queryKey: ["filter-check", experimentId, filter],
    queryFn: ({ signal }) => fetchRows({ experimentId, columns: ["name"], filter, orderBy: null }, 0, 1, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

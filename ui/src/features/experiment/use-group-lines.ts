/** One line for each group, in place of its runs: the mean over its members. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Line } from "../../charts/curves";
import { fetchRows, groupsQuery, tableKeys } from "../../api/table";
import type { TableView } from "../../lib/view";
import { allOf, groupCondition } from "../run-table/columns";
import { requestColumns } from "../run-table/rows";

/** Groups drawn at once, and members that a line is made of; the label says when there are more. */
const MOST_LINES = 12;
const MOST_MEMBERS = 100;

export function useGroupLines(
  experimentId: string,
  view: TableView,
  aggregated: readonly string[],
  isHeld: boolean,
): readonly Line[] | null {
  const isOn = view.hasGroupLines && view.group.length > 0;
  const groups = useQuery({
    ...groupsQuery({ experimentId, by: view.group, columns: aggregated, filter: view.filter }),
    enabled: isOn && !isHeld,
  });
  const drawn = useMemo(
    () => (isOn ? (groups.data?.groups ?? []) : []).slice(0, MOST_LINES),
    [isOn, groups.data],
  );
  const members = useQueries({
    queries: drawn.map((group) => {
      const filter = allOf([view.filter, ...view.group.map((by) => groupCondition(by, group.values[by] ?? null))]);
      const search = { experimentId, columns: requestColumns([]), filter, orderBy: null };
      return {
        queryKey: [...tableKeys.all(experimentId), "members", search],
        queryFn: ({ signal }: { signal: AbortSignal }) => fetchRows(search, 0, MOST_MEMBERS, signal),
      };
    }),
    combine: (answers) => answers.map((answer) => answer.data),
  });
  return useMemo(() => {
    if (!isOn) return null;
    return drawn.map((group, slot): Line => {
      const label = view.group.map((by) => group.values[by] ?? "none").join(" · ");
      const ids = members[slot]?.run_ids ?? [];
      const detail = group.n > ids.length && ids.length > 0 ? `${ids.length} of ${group.n} runs` : `${group.n} runs`;
      return { id: `group:${label}`, label, detail, runIds: ids, slot, isRunning: false };
    });
  }, [isOn, drawn, members, view.group]);
}

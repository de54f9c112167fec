/** The headline metric of an experiment's best runs, as lines in a few pixels; asked for when the row comes into view. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { directionOf } from "../../charts/direction";
import { formatValue } from "../../charts/numbers";
import { colorOf } from "../../charts/palette";
import { send } from "../../api/client";
import { keysQuery } from "../../api/keys";
import { fetchRows, tableKeys } from "../../api/table";
import { useTheme } from "../../lib/preferences";
import { seriesFetcher } from "../../series/answer";
import { cellNumber } from "../run-table/cells";
import { bestColumn, rankMetrics } from "../run-table/headline";
import { sparkPath } from "../run-table/use-sparks";

const LINES = 3;
const BUCKETS = 48;
const fetchSeries = seriesFetcher(send);

export function ExperimentSpark({ experimentId }: { readonly experimentId: string }) {
  const [isSeen, setIsSeen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = root.current;
    if (element === null) return;
    const watch = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) setIsSeen(true);
    });
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return (
    <div ref={root} className="spark-cell">
      {isSeen && <Lines experimentId={experimentId} />}
    </div>
  );
}

function Lines({ experimentId }: { readonly experimentId: string }) {
  const theme = useTheme();
  const keys = useQuery({ ...keysQuery(experimentId), staleTime: 60_000 });
  const metric = keys.data === undefined ? undefined : rankMetrics(keys.data.keys)[0];
  const best = useQuery({
    queryKey: [...tableKeys.all(experimentId), "best", metric],
    queryFn: async ({ signal }) => {
      if (metric === undefined) return null;
      const column = bestColumn(metric).id;
      const orderBy = `${column} ${directionOf(metric) === "min" ? "asc" : "desc"}`;
      const page = await fetchRows({ experimentId, columns: [column], filter: "", orderBy }, 0, LINES, signal);
      const request = { runIds: page.run_ids, keys: [metric], x: "step", range: null, buckets: BUCKETS } as const;
      const series = page.run_ids.length === 0 ? [] : await fetchSeries(request, signal);
      return { value: cellNumber(page.columns[column]?.[0]), ids: page.run_ids, series };
    },
    enabled: metric !== undefined,
    staleTime: 60_000,
  });
  const { data } = best;
  if (metric === undefined || data === null || data === undefined) return null;
  const end = Math.max(0, ...data.series.map((one) => one.x.at(-1) ?? 0));
  return (
    <>
      <svg className="spark" width="54" height="16" aria-hidden="true">
        {[...data.ids].reverse().map((id) => {
          const series = data.series.find((one) => one.runId === id);
          const slot = data.ids.indexOf(id);
          if (series === undefined) return null;
          return <path key={id} d={sparkPath(series, end)} fill="none" stroke={colorOf(slot, theme)} strokeWidth="1.15" />;
        })}
      </svg>
      {data.value !== null && (
        <span title={`best ${metric}`}>
          <small>{metric}</small> {formatValue(data.value)}
        </span>
      )}
    </>
  );
}

/** The metrics of a run: the latest value of each, and the smallest, the largest and the number of points behind it. */
import { useQuery } from "@tanstack/react-query";
import { formatValue } from "../../charts/numbers";
import type { Run } from "../../api/runs";
import { fetchRows, tableKeys, type Cell } from "../../api/table";
import { cellNumber } from "../run-table/cells";
import { metricColumn } from "../run-table/columns";
import { naturalOrder } from "../../lib/intl";

const AGGREGATES = ["min", "max", "n"] as const;
/** The table answers at most 200 columns at once. */
const METRICS_AT_ONCE = 60;
const MOST_ROWS = 500;

export function MetricCard({ run, search }: { readonly run: Run; readonly search: string }) {
  const all = Object.keys(run.metrics).sort(naturalOrder);
  const found = all.filter((key) => key.toLowerCase().includes(search));
  const shown = found.slice(0, MOST_ROWS);
  const cells = useAggregates(run, all.slice(0, MOST_ROWS));
  const cell = (key: string, aggregate: (typeof AGGREGATES)[number]): string => {
    const value = cellNumber(cells?.get(metricColumn(key, aggregate).id));
    if (value === null) return "";
    return aggregate === "n" ? value.toLocaleString("en-US") : formatValue(value);
  };
  return (
    <section className="run-card is-wide">
      <h3>
        Metrics <small>{search === "" ? all.length : `${found.length} of ${all.length}`}</small>
      </h3>
      {all.length === 0 ? (
        <p className="run-none">None logged.</p>
      ) : (
        <div className="run-scroll" tabIndex={0} role="region" aria-label="Metrics">
          <table className="run-metrics">
            <thead>
              <tr>
                <th scope="col">
                  <span className="sr-only">Metric</span>
                </th>
                <th scope="col">latest</th>
                <th scope="col">min</th>
                <th scope="col">max</th>
                <th scope="col">points</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((key) => {
                const latest = run.metrics[key];
                return (
                  <tr key={key}>
                    <th scope="row">{key}</th>
                    <td className="is-latest" title={String(latest)}>
                      {latest === undefined ? "" : formatValue(latest)}
                    </td>
                    {AGGREGATES.map((aggregate) => (
                      <td key={aggregate}>{cell(key, aggregate)}</td>
                    ))}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {found.length > shown.length && <p className="run-none">{found.length - shown.length} more. Search for a part of the key.</p>}
    </section>
  );
}

function useAggregates(run: Run, keys: readonly string[]): ReadonlyMap<string, Cell> | undefined {
  const query = useQuery({
    queryKey: [...tableKeys.all(run.experiment_id), "aggregates", run.id, keys, run.metrics],
    queryFn: async ({ signal }) => {
      const parts: string[][] = [];
      for (let i = 0; i < keys.length; i += METRICS_AT_ONCE) {
        parts.push(keys.slice(i, i + METRICS_AT_ONCE).flatMap((key) => AGGREGATES.map((one) => metricColumn(key, one).id)));
      }
      const filter = `id = '${run.id}'`;
      const pages = await Promise.all(
        parts.map((columns) => fetchRows({ experimentId: run.experiment_id, columns, filter, orderBy: null }, 0, 1, signal)),
      );
      return new Map(pages.flatMap((page) => Object.entries(page.columns).map(([id, cells]): [string, Cell] => [id, cells[0] ?? null])));
    },
    placeholderData: (before) => before,
  });
  return query.data;
}

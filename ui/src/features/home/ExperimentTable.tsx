import type { Experiment } from "../../api/experiments";
import { useNow } from "../../lib/now";
import { lastView } from "../../lib/recent";
import { age, fullTime } from "../../lib/time";
import { LinkedRow } from "../../ui/LinkedRow";
import { TableHead, toTheRight } from "../../ui/TableHead";
import { ExperimentSpark } from "./ExperimentSpark";

const COLUMNS = ["Name", { label: "Best runs", className: "home-spark" }, toTheRight("Runs"), toTheRight("Changed")];

export function ExperimentTable({ experiments }: { readonly experiments: readonly Experiment[] }) {
  const now = useNow();
  return (
    <table className="list-table is-linked">
      <TableHead columns={COLUMNS} />
      <tbody>
        {experiments.map((one) => {
          const last = lastView(one.id);
          const changed = Date.parse(one.last_updated);
          return (
            <LinkedRow key={one.id} to={`/e/${one.id}${last === "" ? "" : `?${last}`}`} name={one.name} description={one.description}>
              <td className="home-spark">{one.run_count > 0 && <ExperimentSpark experimentId={one.id} />}</td>
              <td className="is-right">{one.run_count.toLocaleString("en-US")}</td>
              <td className="is-right" title={fullTime(changed)}>
                {age(changed, now)}
              </td>
            </LinkedRow>
          );
        })}
      </tbody>
    </table>
  );
}

import { useLocation } from "wouter";
import type { Experiment } from "../../api/experiments";
import { useNow } from "../../lib/now";
import { lastView } from "../../lib/recent";
import { age, fullTime } from "../../lib/time";
import { Link } from "../../ui/Link";
import { useTenantHref } from "../../ui/tenant";
import { ExperimentSpark } from "./ExperimentSpark";

export function ExperimentTable({ experiments }: { readonly experiments: readonly Experiment[] }) {
  const now = useNow();
  const [, navigate] = useLocation();
  const href = useTenantHref();
  return (
    <table className="home-table">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col" className="home-spark">
            Best runs
          </th>
          <th scope="col" className="is-right">
            Runs
          </th>
          <th scope="col" className="is-right">
            Changed
          </th>
        </tr>
      </thead>
      <tbody>
        {experiments.map((one) => {
          const last = lastView(one.id);
          const to = `/e/${one.id}${last === "" ? "" : `?${last}`}`;
          const changed = Date.parse(one.last_updated);
          return (
            <tr key={one.id} onClick={() => navigate(href(to))}>
              <td>
                <Link to={to} onClick={(event) => event.stopPropagation()}>
                  {one.name}
                </Link>
                {one.description !== "" && <span className="home-description">{firstLine(one.description)}</span>}
              </td>
              <td className="home-spark">{one.run_count > 0 && <ExperimentSpark experimentId={one.id} />}</td>
              <td className="is-right">{one.run_count.toLocaleString("en-US")}</td>
              <td className="is-right" title={fullTime(changed)}>
                {age(changed, now)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function firstLine(text: string): string {
  return (text.split("\n", 1)[0] ?? "").replace(/^#+\s*/, "");
}

/** The runs of all experiments that are running. */
import { useQuery } from "@tanstack/react-query";
import { runsQuery } from "../../api/runs";
import { useNow } from "../../lib/now";
import { age } from "../../lib/time";
import { Link } from "../../ui/Link";

const MOST = 20;
const REFRESH_MS = 3_000;

interface Props {
  /** Of the experiments at hand, by id. */
  readonly names: ReadonlyMap<string, string>;
}

export function RunningNow({ names }: Props) {
  const query = useQuery({
    ...runsQuery({ experimentId: null, status: "running", search: "", filter: "", limit: MOST }),
    refetchInterval: REFRESH_MS,
  });
  const now = useNow(query.dataUpdatedAt);
  const runs = query.data?.runs ?? [];
  return (
    <section className="running" aria-labelledby="home-running">
      <h2 id="home-running">
        Running now {query.data !== undefined && <small>{query.data.total.toLocaleString("en-US")}</small>}
      </h2>
      {query.data !== undefined && runs.length === 0 && <p className="running-none">Nothing is running.</p>}
      <ul>
        {runs.map((run) => (
          <li key={run.id}>
            <Link to={`/r/${run.id}`}>{run.name}</Link>
            <small>{names.get(run.experiment_id)}</small>
            <span>{age(Date.parse(run.start_time), now)}</span>
          </li>
        ))}
      </ul>
      {query.data !== undefined && query.data.total > runs.length && (
        <p className="running-none">and {query.data.total - runs.length} more</p>
      )}
    </section>
  );
}

/** The data that a run took in, which other runs did too, and the registered models that were made of it. */
import { useQuery } from "@tanstack/react-query";
import { datasetUsersQuery, lineageQuery, MOST_USERS, type Dataset } from "../../api/lineage";
import type { Run } from "../../api/runs";
import { Link } from "../../ui/Link";

export function LineageCard({ run, search }: { readonly run: Run; readonly search: string }) {
  const { data } = useQuery(lineageQuery(run.id));
  if (data === undefined) return null;
  const matches = (...words: readonly string[]): boolean => words.join(" ").toLowerCase().includes(search);
  const datasets = data.datasets.filter((one) => matches(one.name, one.digest, one.source, one.context ?? ""));
  const versions = data.versions.filter((one) => matches(one.name, one.version));
  if (datasets.length + versions.length === 0) return null;
  return (
    <section className="run-card run-lineage">
      <h3>Data and models</h3>
      <dl className="run-surrounding-facts">
        {datasets.map((one) => (
          <div key={`${one.name} ${one.digest}`}>
            <dt>{one.context ?? "dataset"}</dt>
            <dd>
              <span>
                <b>{one.name}</b> <code>{one.digest}</code>
              </span>
              <Users runId={run.id} experiment={data.experiment} dataset={one} />
            </dd>
          </div>
        ))}
        {versions.map((one) => (
          <div key={`model ${one.name} ${one.version}`}>
            <dt>model</dt>
            <dd>
              <Link className="link" to={`/models/${encodeURIComponent(one.name)}`}>
                {one.name}, version {one.version}
              </Link>
              {(one.aliases ?? []).length > 0 && <small>{one.aliases?.join(", ")}</small>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface UsersProps {
  readonly runId: string;
  readonly experiment: string;
  readonly dataset: Dataset;
}

function Users({ runId, experiment, dataset }: UsersProps) {
  const { data } = useQuery(datasetUsersQuery(experiment, dataset));
  const others = data?.filter(({ id }) => id !== runId) ?? [];
  if (others.length === 0) return null;
  return (
    <small>
      also in{" "}
      {others.slice(0, MOST_USERS).map(({ id, name }, i) => (
        <span key={id}>
          {i > 0 && ", "}
          <Link className="link" to={`/r/${id}`}>
            {name}
          </Link>
        </span>
      ))}
      {others.length > MOST_USERS && " and more"}
    </small>
  );
}

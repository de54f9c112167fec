/** One registered model: its versions, the aliases that point at them, and the run that each came from. */
import { useQuery } from "@tanstack/react-query";
import { MOST_VERSIONS, modelQuery, versionsQuery, type ModelVersion } from "../../api/models";
import { runsQuery, type Run } from "../../api/runs";
import { useNow } from "../../lib/now";
import { age, fullTime } from "../../lib/time";
import { CopyButton } from "../../ui/CopyButton";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/Link";
import { Markdown } from "../../ui/Markdown";
import { Loading, Message } from "../../ui/Message";
import { TableHead, toTheRight } from "../../ui/TableHead";
import { AppBar } from "../shell/AppBar";
import { PageError } from "../shell/PageError";
import { useTitle } from "../shell/use-title";
import { Aliases } from "./Aliases";
import "./models.css";

/** Runs asked for at once by their ids. */
const MOST_RUNS = 100;

export function ModelPage({ name }: { readonly name: string }) {
  const model = useQuery(modelQuery(name));
  const versions = useQuery(versionsQuery(name));
  const found = versions.data?.versions ?? [];
  const runs = useRuns(found);
  useTitle(name);
  const alias = model.data?.aliases?.[0]?.alias;
  const uri = `models:/${name}${alias === undefined ? `/${found[0]?.version ?? 1}` : `@${alias}`}`;
  const error = model.error ?? versions.error;
  return (
    <div className="page">
      <AppBar
        crumb={
          <>
            <i>/</i>
            <Link to="/models">Models</Link>
            <i>/</i>
            <span className="here">
              <span>{name}</span>
            </span>
          </>
        }
      />
      <main className="models thin-scroll">
        <div className="models-column">
          <h1>{name}</h1>
          {error !== null ? (
            <PageError
              title="This model cannot be shown"
              error={error}
              onRetry={() => {
                void model.refetch();
                void versions.refetch();
              }}
              back={{ href: "/models", label: "All models" }}
            />
          ) : model.data === undefined || versions.data === undefined ? (
            <Loading label="Reading the model" />
          ) : (
            <>
              {(model.data.description ?? "") !== "" && <Markdown source={model.data.description ?? ""} />}
              <p className="models-tags">
                {(model.data.tags ?? []).map(({ key, value }) => (
                  <span key={key} className="pill">
                    {key}: {value}
                  </span>
                ))}
              </p>
              {found.length === 0 ? (
                <Message title="No version yet">The name is registered; a version appears when a model is logged under it.</Message>
              ) : (
                <>
                  <p className="models-uri">
                    <code>{uri}</code>
                    <CopyButton className="icon-button" label="Copy the address of the model" text={() => uri} done={<Icon name="check" />}>
                      <Icon name="copy" />
                    </CopyButton>
                  </p>
                  <VersionTable versions={found} runs={runs} />
                </>
              )}
              {versions.data.isCut && <p className="list-more">The {MOST_VERSIONS} newest versions.</p>}
            </>
          )}
        </div>
      </main>
    </div>
  );
}

/** The runs behind the versions, by id. One that is archived or gone is not among them. */
function useRuns(versions: readonly ModelVersion[]): ReadonlyMap<string, Run> {
  const ids = [...new Set(versions.map((one) => one.run_id ?? "").filter((id) => /^[0-9a-f]{32}$/.test(id)))].slice(0, MOST_RUNS);
  const filter = `id in (${ids.map((id) => `'${id}'`).join(", ")})`;
  const query = useQuery({
    ...runsQuery({ experimentId: null, status: null, search: "", filter, limit: MOST_RUNS }),
    enabled: ids.length > 0,
  });
  return new Map((query.data?.runs ?? []).map((run) => [run.id, run]));
}

function VersionTable({ versions, runs }: { readonly versions: readonly ModelVersion[]; readonly runs: ReadonlyMap<string, Run> }) {
  const now = useNow();
  const hasStages = versions.some((one) => (one.current_stage ?? "None") !== "None");
  const columns = [toTheRight("Version"), "Aliases", ...(hasStages ? ["Stage"] : []), "Run", "Description", "Source", "By", toTheRight("Made")];
  return (
    <div className="models-scroll" tabIndex={0} role="region" aria-label="Versions">
      <table className="list-table is-versions">
        <TableHead columns={columns} />
        <tbody>
          {versions.map((one) => (
            <tr key={one.version}>
              <td className="is-right">{one.version}</td>
              <td>
                <Aliases aliases={one.aliases ?? []} />
              </td>
              {hasStages && <td>{one.current_stage === "None" ? "" : one.current_stage}</td>}
              <td>
                <RunOf version={one} runs={runs} />
              </td>
              <td className="models-text" title={one.description ?? ""}>
                {one.description}
              </td>
              <td className="models-text" title={one.source ?? ""}>
                <code>{one.source}</code>
              </td>
              <td>{one.user_id}</td>
              <td className="is-right" title={fullTime(one.creation_timestamp)}>
                {age(one.creation_timestamp, now)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RunOf({ version, runs }: { readonly version: ModelVersion; readonly runs: ReadonlyMap<string, Run> }) {
  const id = version.run_id ?? "";
  if (id === "") return <span className="models-none">none</span>;
  return (
    <Link className="link" to={`/r/${id}`}>
      {runs.get(id)?.name ?? id.slice(0, 8)}
    </Link>
  );
}

/** The registered models of the tenant: what is published, under which aliases, and since when. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { MOST_MODELS, modelsQuery, type RegisteredModel } from "../../api/models";
import { useNow } from "../../lib/now";
import { age, fullTime } from "../../lib/time";
import { LinkedRow } from "../../ui/LinkedRow";
import { ErrorMessage, Loading, Message } from "../../ui/Message";
import { SearchField } from "../../ui/SearchField";
import { TableHead, toTheRight } from "../../ui/TableHead";
import { AppBar } from "../shell/AppBar";
import { HomeTabs } from "../shell/HomeTabs";
import { useTitle } from "../shell/use-title";
import { Aliases } from "./Aliases";
import "./models.css";

export function ModelsPage() {
  const [text, setText] = useState("");
  const search = useDeferredValue(text.trim());
  const query = useQuery({ ...modelsQuery(search), placeholderData: keepPreviousData });
  useTitle("Models");
  const models = query.data?.models;
  return (
    <div className="page">
      <AppBar tabs={<HomeTabs isModels />} />
      <main className="models thin-scroll">
        <div className="models-column">
          <div className="page-head">
            <h1>
              Models {models !== undefined && <small>{models.length}</small>}
            </h1>
            <SearchField label="Search models by name" text={text} onChange={setText} />
          </div>
          {query.error !== null ? (
            <ErrorMessage title="The models could not be read" error={query.error} onRetry={() => void query.refetch()} />
          ) : models === undefined ? (
            <Loading label="Reading models" />
          ) : models.length > 0 ? (
            <ModelTable models={models} />
          ) : search !== "" ? (
            <Message title={`No model is called “${search}”`} />
          ) : (
            <Message title="No model is registered yet">
              Log a model with registered_model_name, or call mlflow.register_model, with this server as the tracking URI: it appears here with its versions.
            </Message>
          )}
          {query.data?.isCut === true && <p className="list-more">The first {MOST_MODELS}. Search for a part of the name to find the others.</p>}
        </div>
      </main>
    </div>
  );
}

const COLUMNS = ["Name", "Aliases", toTheRight("Latest"), toTheRight("Changed")];

function ModelTable({ models }: { readonly models: readonly RegisteredModel[] }) {
  const now = useNow();
  return (
    <table className="list-table is-linked">
      <TableHead columns={COLUMNS} />
      <tbody>
        {models.map((model) => {
          const latest = Math.max(0, ...(model.latest_versions ?? []).map((one) => Number(one.version)));
          return (
            <LinkedRow key={model.name} to={`/models/${encodeURIComponent(model.name)}`} name={model.name} description={model.description ?? ""}>
              <td>
                <Aliases aliases={(model.aliases ?? []).map(({ alias, version }) => `${alias} → ${version}`)} />
              </td>
              <td className="is-right">{latest === 0 ? "–" : latest}</td>
              <td className="is-right" title={fullTime(model.last_updated_timestamp)}>
                {age(model.last_updated_timestamp, now)}
              </td>
            </LinkedRow>
          );
        })}
      </tbody>
    </table>
  );
}

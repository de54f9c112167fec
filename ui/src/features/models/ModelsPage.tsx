/** The registered models of the tenant: what is published, under which aliases, and since when. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useRef, useState } from "react";
import { useLocation } from "wouter";
import { MOST_MODELS, modelsQuery, type RegisteredModel } from "../../api/models";
import { useKeys } from "../../lib/keyboard";
import { useNow } from "../../lib/now";
import { age, fullTime } from "../../lib/time";
import { Link } from "../../ui/Link";
import { ErrorMessage, Loading, Message } from "../../ui/Message";
import { useTenantHref } from "../../ui/tenant";
import { AppBar } from "../shell/AppBar";
import { HomeTabs } from "../shell/HomeTabs";
import { useTitle } from "../shell/use-title";
import { Aliases } from "./Aliases";
import "./models.css";

export function ModelsPage() {
  const [text, setText] = useState("");
  const search = useDeferredValue(text.trim());
  const input = useRef<HTMLInputElement>(null);
  const query = useQuery({ ...modelsQuery(search), placeholderData: keepPreviousData });
  useTitle("Models");
  useKeys({ "/": () => input.current?.focus() });
  const models = query.data?.models;
  return (
    <div className="page">
      <AppBar tabs={<HomeTabs isModels />} />
      <main className="models thin-scroll">
        <div className="models-column">
          <div className="models-head">
            <h1>
              Models {models !== undefined && <small>{models.length}</small>}
            </h1>
            <input
              ref={input}
              className="field"
              type="search"
              placeholder="Search by name"
              aria-label="Search models by name"
              aria-keyshortcuts="/"
              value={text}
              onChange={(event) => setText(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === "Escape") event.currentTarget.blur();
              }}
            />
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
          {query.data?.isCut === true && <p className="models-more">The first {MOST_MODELS}. Search for a part of the name to find the others.</p>}
        </div>
      </main>
    </div>
  );
}

function ModelTable({ models }: { readonly models: readonly RegisteredModel[] }) {
  const now = useNow();
  const [, navigate] = useLocation();
  const href = useTenantHref();
  return (
    <table className="models-table">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Aliases</th>
          <th scope="col" className="is-right">
            Latest
          </th>
          <th scope="col" className="is-right">
            Changed
          </th>
        </tr>
      </thead>
      <tbody>
        {models.map((model) => {
          const to = `/models/${encodeURIComponent(model.name)}`;
          const latest = Math.max(0, ...(model.latest_versions ?? []).map((one) => Number(one.version)));
          return (
            <tr key={model.name} onClick={() => navigate(href(to))}>
              <td>
                <Link to={to} onClick={(event) => event.stopPropagation()}>
                  {model.name}
                </Link>
                {(model.description ?? "") !== "" && <span className="models-description">{model.description?.split("\n", 1)[0]}</span>}
              </td>
              <td>
                <Aliases aliases={(model.aliases ?? []).map(({ alias, version }) => `${alias} → ${version}`)} />
              </td>
              <td className="is-right">{latest === 0 ? "–" : latest}</td>
              <td className="is-right" title={fullTime(model.last_updated_timestamp)}>
                {age(model.last_updated_timestamp, now)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

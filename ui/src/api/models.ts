/** The model registry, read over MLflow's wire, where it is kept up: registered models and their versions. */
import { queryOptions } from "@tanstack/react-query";
import { integer, list, nullable, object, text, type Read } from "../lib/shape";
import { getJson, withQuery } from "./client";

interface Pair {
  readonly key: string;
  readonly value: string;
}

interface Alias {
  readonly alias: string;
  readonly version: string;
}

export interface RegisteredModel {
  readonly name: string;
  readonly description: string | null;
  readonly creation_timestamp: number;
  readonly last_updated_timestamp: number;
  readonly tags: readonly Pair[] | null;
  readonly aliases: readonly Alias[] | null;
  readonly latest_versions: readonly ModelVersion[] | null;
}

export interface ModelVersion {
  readonly name: string;
  readonly version: string;
  readonly creation_timestamp: number;
  readonly current_stage: string | null;
  readonly description: string | null;
  readonly source: string | null;
  readonly run_id: string | null;
  readonly user_id: string | null;
  readonly tags: readonly Pair[] | null;
  readonly aliases: readonly string[] | null;
}

const readPairs = nullable(list(object<Pair>({ key: text, value: text })));

const readVersion: Read<ModelVersion> = object<ModelVersion>({
  name: text,
  version: text,
  creation_timestamp: integer,
  current_stage: nullable(text),
  description: nullable(text),
  source: nullable(text),
  run_id: nullable(text),
  user_id: nullable(text),
  tags: readPairs,
  aliases: nullable(list(text)),
});

const readModel: Read<RegisteredModel> = object<RegisteredModel>({
  name: text,
  description: nullable(text),
  creation_timestamp: integer,
  last_updated_timestamp: integer,
  tags: readPairs,
  aliases: nullable(list(object<Alias>({ alias: text, version: text }))),
  latest_versions: nullable(list(readVersion)),
});

/** An empty list is absent on this wire, and so is the token of a last page. */
interface ModelPage {
  readonly registered_models: readonly RegisteredModel[] | null;
  readonly next_page_token: string | null;
}

interface VersionPage {
  readonly model_versions: readonly ModelVersion[] | null;
  readonly next_page_token: string | null;
}

const readModels = object<ModelPage>({ registered_models: nullable(list(readModel)), next_page_token: nullable(text) });
export const readVersions = object<VersionPage>({ model_versions: nullable(list(readVersion)), next_page_token: nullable(text) });
const readOne = object<{ registered_model: RegisteredModel }>({ registered_model: readModel });

export const WIRE = "ajax-api/2.0/mlflow";
export const MOST_MODELS = 500;
export const MOST_VERSIONS = 500;

/** A text within the quotes of the wire's filters, which know no escapes: what would end it becomes any character. */
export function quoted(value: string, isPattern: boolean): string {
  return `'${value.replaceAll("'", isPattern ? "_" : "''")}'`;
}

export function modelsQuery(search: string) {
  return queryOptions({
    queryKey: ["models", "list", search],
    queryFn: async ({ signal }) => {
      const filter = search === "" ? null : `name ILIKE ${quoted(`%${search}%`, true)}`;
      const path = withQuery(`${WIRE}/registered-models/search`, { max_results: MOST_MODELS, filter, order_by: ["name ASC"] });
      const page = await getJson(path, readModels, signal);
      return { models: page.registered_models ?? [], isCut: (page.next_page_token ?? "") !== "" };
    },
  });
}

export function modelQuery(name: string) {
  return queryOptions({
    queryKey: ["models", "one", name],
    queryFn: async ({ signal }) =>
      (await getJson(withQuery(`${WIRE}/registered-models/get`, { name }), readOne, signal)).registered_model,
  });
}

/** The newest first. */
export function versionsQuery(name: string) {
  return queryOptions({
    queryKey: ["models", "versions", name],
    queryFn: async ({ signal }) => {
      const path = withQuery(`${WIRE}/model-versions/search`, {
        filter: `name=${quoted(name, false)}`,
        max_results: MOST_VERSIONS,
        order_by: ["version_number DESC"],
      });
      const page = await getJson(path, readVersions, signal);
      return { versions: page.model_versions ?? [], isCut: (page.next_page_token ?? "") !== "" };
    },
  });
}

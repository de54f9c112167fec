/** What the server does by itself: rules over the metrics of an experiment, webhooks and what became of their messages. */
import { queryOptions } from "@tanstack/react-query";
import { double, flag, integer, list, nullable, object, plainObject, record, text, word, type Read } from "../lib/shape";
import { getJson, sendJson, withQuery } from "./client";
import type {
  DeliveryListResponse,
  DeliveryResponse,
  RuleListResponse,
  RuleMatch,
  RuleResponse,
  RuleSave,
  WebhookCreate,
  WebhookListResponse,
  WebhookMinted,
  WebhookPatch,
  WebhookResponse,
} from "./generated";

export type Webhook = WebhookResponse;
export type Delivery = DeliveryResponse;
export type WebhookEvent = Webhook["events"][number];

/** A rule, its value being a number. */
export interface Rule extends Omit<RuleResponse, "value"> {
  readonly value: number;
}

export const RULE_KINDS = ["threshold", "nonfinite", "no_progress", "silent"] as const;
export const AGGREGATES = ["last", "min", "max", "mean"] as const;
export const COMPARISONS = [">", ">=", "<", "<="] as const;
export const WEBHOOK_EVENTS = [
  "run.created",
  "run.finished",
  "run.failed",
  "run.killed",
  "run.resumed",
  "rule.fired",
  "model_version.created",
  "model_version.stage_changed",
  "model_alias.set",
  "model_alias.deleted",
] as const;

/** What webhooks that a client of MLflow made are told. */
const MLFLOW_EVENTS = [
  "registered_model.created",
  "model_version_tag.set",
  "model_version_tag.deleted",
  "model_version_alias.created",
  "model_version_alias.deleted",
  "prompt.created",
  "prompt_version.created",
  "prompt_tag.set",
  "prompt_tag.deleted",
  "prompt_version_tag.set",
  "prompt_version_tag.deleted",
  "prompt_alias.created",
  "prompt_alias.deleted",
] as const;

const readEvent = word(...WEBHOOK_EVENTS, ...MLFLOW_EVENTS, "webhook.test");

const readRule: Read<Rule> = object<Rule>({
  id: text,
  name: text,
  kind: word(...RULE_KINDS),
  metric: nullable(text),
  aggregate: word(...AGGREGATES),
  comparison: word(...COMPARISONS),
  value: double,
  direction: word("min", "max"),
  steps: nullable(double),
  minutes: nullable(double),
  filter: text,
  tags: record(text),
  webhook_id: nullable(text),
  end_run: flag,
  active: flag,
  created_by: text,
  created_at: text,
  last_updated: text,
});

const readWebhook: Read<Webhook> = object<Webhook>({
  id: text,
  name: text,
  url: text,
  events: list(readEvent),
  experiment_id: nullable(text),
  format: word("json", "slack", "mlflow"),
  active: flag,
  created_by: text,
  created_at: text,
  last_updated: text,
});

const readDelivery: Read<Delivery> = object<Delivery>({
  id: text,
  webhook_id: text,
  event: readEvent,
  state: word("waiting", "delivered", "dead"),
  attempts: integer,
  created_at: text,
  next_at: nullable(text),
  done_at: nullable(text),
  status: nullable(integer),
  error: nullable(text),
  body: text,
});

const readRules = object<Omit<RuleListResponse, "rules"> & { rules: Rule[] }>({ rules: list(readRule), total: integer });
const readWebhooks = object<WebhookListResponse>({ webhooks: list(readWebhook), total: integer });
const readMinted = object<WebhookMinted>({ secret: text, webhook: readWebhook });
const readDeliveries = object<DeliveryListResponse>({ deliveries: list(readDelivery), total: integer, limit: integer, offset: integer });
const readMatches = object<{ matches: RuleMatch[] }>({
  matches: list(object<RuleMatch>({ run_id: text, run_name: text, message: text })),
});

export const automationKeys = {
  rules: (experiment: string) => ["automation", "rules", experiment] as const,
  webhooks: ["automation", "webhooks"] as const,
  deliveries: (webhook: string) => ["automation", "deliveries", webhook] as const,
};

function rulesPath(experiment: string, ...rest: string[]): string {
  return ["api/v1/experiments", experiment, "rules", ...rest].map((part, at) => (at === 0 ? part : encodeURIComponent(part))).join("/");
}

function hookPath(...rest: string[]): string {
  return ["api/v1/webhooks", ...rest.map(encodeURIComponent)].join("/");
}

export function rulesQuery(experiment: string) {
  return queryOptions({
    queryKey: automationKeys.rules(experiment),
    queryFn: ({ signal }) => getJson(rulesPath(experiment), readRules, signal),
  });
}

export function saveRule(experiment: string, id: string | null, body: RuleSave): Promise<Rule> {
  return id === null ? sendJson("POST", rulesPath(experiment), body, readRule) : sendJson("PUT", rulesPath(experiment, id), body, readRule);
}

export async function deleteRule(experiment: string, id: string): Promise<void> {
  await sendJson("DELETE", rulesPath(experiment, id), undefined, plainObject);
}

export async function testRule(experiment: string, id: string): Promise<readonly RuleMatch[]> {
  return (await sendJson("POST", rulesPath(experiment, id, "test"), undefined, readMatches)).matches;
}

export const webhooksQuery = queryOptions({
  queryKey: automationKeys.webhooks,
  queryFn: ({ signal }) => getJson(hookPath(), readWebhooks, signal),
});

/** What was sent and what waits; asked again while something waits. */
export function deliveriesQuery(webhook: string) {
  return queryOptions({
    queryKey: automationKeys.deliveries(webhook),
    queryFn: ({ signal }) => getJson(withQuery(hookPath(webhook, "deliveries"), { limit: 10 }), readDeliveries, signal),
    refetchInterval: (query) => (query.state.data?.deliveries.some((each) => each.state === "waiting") === true ? 1_000 : false),
  });
}

export function createWebhook(body: WebhookCreate): Promise<WebhookMinted> {
  return sendJson("POST", hookPath(), body, readMinted);
}

export function patchWebhook(id: string, body: WebhookPatch): Promise<Webhook> {
  return sendJson("PATCH", hookPath(id), body, readWebhook);
}

export async function deleteWebhook(id: string): Promise<void> {
  await sendJson("DELETE", hookPath(id), undefined, plainObject);
}

export function testWebhook(id: string): Promise<Delivery> {
  return sendJson("POST", hookPath(id, "test"), undefined, readDelivery);
}

/**
 * Columns as the query language names them: `metrics.val/loss.min`, `params.lr`, `` tags.`a b` ``, `status`.
 *
 * A key is quoted where the language would read something else; a metric is always written with its aggregate, so that
 * a key that ends in `.min` is never mistaken for a minimum.
 */
export const AGGREGATES = ["last", "min", "max", "mean", "first", "n"] as const;
export type Aggregate = (typeof AGGREGATES)[number];

export type ColumnKind = "metric" | "param" | "tag" | "attribute";

export interface Column {
  /** What the API calls it; also its identity. */
  readonly id: string;
  readonly kind: ColumnKind;
  readonly key: string;
  /** `last` unless it is a metric's. */
  readonly aggregate: Aggregate;
}

const ENTITIES: Readonly<Record<string, ColumnKind>> = { metrics: "metric", params: "param", tags: "tag" };
const PREFIXES = { metric: "metrics.", param: "params.", tag: "tags.", attribute: "" } as const;
const BARE = /^[\w./@:-]+$/u;

export const ATTRIBUTE_LABELS: Readonly<Record<string, string>> = {
  name: "name",
  status: "status",
  start_time: "age",
  end_time: "ended",
  duration: "duration",
  created_by: "by",
  id: "id",
  description: "description",
};

export function metricColumn(key: string, aggregate: Aggregate): Column {
  return { id: `metrics.${quoted(key)}.${aggregate}`, kind: "metric", key, aggregate };
}

export function plainColumn(kind: "param" | "tag" | "attribute", key: string): Column {
  return { id: kind === "attribute" ? key : PREFIXES[kind] + quoted(key), kind, key, aggregate: "last" };
}

/** The name of a key within a filter: `params.lr`. A metric without an aggregate means its latest value. */
export function keyText(kind: ColumnKind, key: string): string {
  return kind === "attribute" ? key : PREFIXES[kind] + quoted(key);
}

function quoted(key: string): string {
  const isBare = BARE.test(key) && !/[.]$/.test(key) && aggregateOf(key) === null;
  return isBare ? key : `\`${key.replaceAll("`", "``")}\``;
}

function aggregateOf(text: string): Aggregate | null {
  const dot = text.lastIndexOf(".");
  if (dot <= 0) return null;
  return AGGREGATES.find((known) => known === text.slice(dot + 1)) ?? null;
}

/** Read a column's name; null when it is none. */
export function parseColumn(id: string): Column | null {
  const dot = id.indexOf(".");
  if (dot < 0) return id in ATTRIBUTE_LABELS ? plainColumn("attribute", id) : null;
  const kind = ENTITIES[id.slice(0, dot)];
  const rest = id.slice(dot + 1);
  if (kind === undefined || rest === "") return null;
  if (rest.startsWith("`")) return parseQuoted(id, kind, rest);
  if (kind !== "metric") return { id, kind, key: rest, aggregate: "last" };
  const aggregate = aggregateOf(rest);
  if (aggregate === null) return { id, kind, key: rest, aggregate: "last" };
  return { id, kind, key: rest.slice(0, rest.length - aggregate.length - 1), aggregate };
}

function parseQuoted(id: string, kind: ColumnKind, rest: string): Column | null {
  const match = /^`((?:[^`]|``)+)`(?:\.(\w+))?$/u.exec(rest);
  const key = match?.[1]?.replaceAll("``", "`");
  if (key === undefined) return null;
  const suffix = match?.[2];
  const aggregate = AGGREGATES.find((known) => known === suffix);
  if (suffix !== undefined && (aggregate === undefined || kind !== "metric")) return null;
  return { id, kind, key, aggregate: aggregate ?? "last" };
}

/** The heading: the last part of the key, with as much before it as tells it from the other columns. */
export function columnLabel(column: Column, others: readonly Column[]): string {
  if (column.kind === "attribute") return ATTRIBUTE_LABELS[column.key] ?? column.key;
  const parts = column.key.split("/");
  for (let n = 1; n < parts.length; n++) {
    const label = parts.slice(-n).join("/");
    const isTaken = others.some(
      (other) => other.kind === column.kind && other.key !== column.key && other.key.split("/").slice(-n).join("/") === label,
    );
    if (!isTaken && label !== "") return label;
  }
  return column.key;
}

export function isNumeric(column: Column): boolean {
  return column.kind === "metric";
}

/** The condition that a run is in a group. */
export function groupCondition(by: string, value: string | null): string {
  if (value === null) return `${by} is null`;
  return `${by} = '${value.replaceAll("'", "''")}'`;
}

export function allOf(conditions: readonly string[]): string {
  const given = conditions.filter((condition) => condition.trim() !== "");
  if (given.length <= 1) return given[0] ?? "";
  return given.map((condition) => (/\bor\b/i.test(condition) ? `(${condition})` : condition)).join(" and ");
}

/** The list with one item in the place of another. */
export function moved(ids: readonly string[], id: string, onto: string): string[] {
  const [from, to] = [ids.indexOf(id), ids.indexOf(onto)];
  if (from < 0 || to < 0) return [...ids];
  const rest = ids.filter((other) => other !== id);
  rest.splice(to, 0, id);
  return rest;
}

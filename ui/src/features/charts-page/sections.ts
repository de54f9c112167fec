/** Panels by the prefix of their metric, in an order a person expects: results first, the machine last. */
import type { PanelLayout } from "./view";
import { naturalOrder } from "../../lib/intl";

export interface Section {
  readonly name: string;
  readonly metrics: readonly string[];
}

/** Metrics without a prefix. */
export const NO_PREFIX = "metrics";

const FIRST = ["val", "valid", "validation", "eval", "test", "train", "training", NO_PREFIX];
const LAST = ["system", "sys"];

export function sectionOf(metric: string): string {
  const slash = metric.indexOf("/");
  return slash > 0 ? metric.slice(0, slash) : NO_PREFIX;
}

export function groupIntoSections(metrics: readonly string[], layout: PanelLayout): Section[] {
  const hidden = new Set(layout.hidden);
  const place = new Map(layout.order.map((metric, i) => [metric, i]));
  const names = new Map<string, string[]>();
  for (const metric of metrics) {
    if (hidden.has(metric)) continue;
    const name = sectionOf(metric);
    const list = names.get(name);
    if (list === undefined) names.set(name, [metric]);
    else list.push(metric);
  }
  const byPlace = (a: string, b: string): number =>
    (place.get(a) ?? place.size) - (place.get(b) ?? place.size) || naturalOrder(a, b);
  return [...names.entries()]
    .map(([name, list]) => ({ name, metrics: list.sort(byPlace) }))
    .sort((a, b) => rank(a.name) - rank(b.name) || naturalOrder(a.name, b.name));
}

/** The order after moving a panel one place within its section; the whole section becomes hand-made. */
export function moveMetric(section: Section, metric: string, by: -1 | 1, order: readonly string[]): string[] {
  const list = [...section.metrics];
  const from = list.indexOf(metric);
  const to = from + by;
  if (from < 0 || to < 0 || to >= list.length) return [...order];
  list.splice(from, 1);
  list.splice(to, 0, metric);
  const mine = new Set(list);
  return [...order.filter((other) => !mine.has(other)), ...list];
}

/** The order after dropping a panel onto another of its section. */
export function dropMetric(section: Section, metric: string, onto: string, order: readonly string[]): string[] {
  const [from, to] = [section.metrics.indexOf(metric), section.metrics.indexOf(onto)];
  if (from < 0 || to < 0 || from === to) return [...order];
  const list = section.metrics.filter((other) => other !== metric);
  list.splice(to, 0, metric);
  const mine = new Set(list);
  return [...order.filter((other) => !mine.has(other)), ...list];
}

function rank(name: string): number {
  const first = FIRST.indexOf(name.toLowerCase());
  if (first >= 0) return first - FIRST.length;
  return LAST.includes(name.toLowerCase()) ? 1 : 0;
}

/** Rules in words, and as they are sent. */
import type { Rule } from "../../api/automation";
import type { RuleSave } from "../../api/generated";

export const KIND_LABELS = {
  threshold: "A threshold",
  nonfinite: "NaN or infinity",
  no_progress: "No progress",
  silent: "Silence",
} as const;

export function conditionOf(rule: Rule): string {
  const where = rule.filter === "" ? "" : ` where ${rule.filter}`;
  const span = rule.steps === null ? `${rule.minutes ?? 0} min` : `${rule.steps} steps`;
  switch (rule.kind) {
    case "threshold":
      return `${rule.metric ?? ""}.${rule.aggregate} ${rule.comparison} ${rule.value}${where}`;
    case "nonfinite":
      return `NaN or infinity in ${rule.metric ?? "any metric"}${where}`;
    case "no_progress":
      return `${rule.metric ?? ""} (${rule.direction}) not better for ${span}${where}`;
    case "silent":
      return `nothing heard of a running run for ${span}${where}`;
  }
}

export function effectOf(rule: Rule): string {
  const parts = [rule.webhook_id === null ? "tells webhooks" : "tells one webhook"];
  for (const [key, value] of Object.entries(rule.tags)) parts.push(`tags ${key}=${value}`);
  if (rule.end_run) parts.push("ends the run");
  return parts.join(" · ");
}

export function bodyOf(rule: Rule): RuleSave {
  const { id: _id, created_by: _by, created_at: _at, last_updated: _updated, ...body } = rule;
  return body;
}

/** `key=value` pairs, separated by commas or line ends; what has no `=` is left out. */
export function tagsOf(written: string): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const pair of written.split(/[,\n]/)) {
    const at = pair.indexOf("=");
    if (at > 0) tags[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
  }
  return tags;
}

/** A positive number, or null for what is none. */
export function amountOf(written: string): number | null {
  const amount = Number(written);
  return written.trim() !== "" && Number.isFinite(amount) && amount > 0 ? amount : null;
}

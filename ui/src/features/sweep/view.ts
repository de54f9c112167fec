/** What the Sweep tab shows, as plain data for the URL. */
export const SWEEP_AGGREGATES = ["best", "last", "min", "max", "mean"] as const;
export type SweepAggregate = (typeof SWEEP_AGGREGATES)[number];

export interface SweepView {
  /** The metric that runs are judged by; null: chosen for the user. */
  readonly target: string | null;
  /** `best` is the smallest or the largest value, by the direction of the metric. */
  readonly aggregate: SweepAggregate;
  /** Parameters left out of the axes. */
  readonly without: readonly string[];
  /** The parameter across the scatter; null: the one with the strongest association. */
  readonly across: string | null;
  /** The parameter that colours the scatter; null: the colours of the shown runs. */
  readonly tint: string | null;
}

export const DEFAULT_SWEEP_VIEW: SweepView = { target: null, aggregate: "best", without: [], across: null, tint: null };

/** As entries of the URL; what is as usual is left out. */
export function sweepEntries(view: SweepView): Record<string, string> {
  const entries: Record<string, string> = {};
  if (view.target !== null) entries["target"] = view.target;
  if (view.aggregate !== DEFAULT_SWEEP_VIEW.aggregate) entries["by"] = view.aggregate;
  if (view.without.length > 0) entries["without"] = view.without.map(encodeURIComponent).join(",");
  if (view.across !== null) entries["across"] = view.across;
  if (view.tint !== null) entries["tint"] = view.tint;
  return entries;
}

/** Read entries of the URL; an entry that means nothing here is as usual. */
export function sweepViewOf(entries: Readonly<Record<string, string>>): SweepView {
  const { target, by, without, across, tint } = entries;
  return {
    target: target ?? null,
    aggregate: SWEEP_AGGREGATES.find((name) => name === by) ?? DEFAULT_SWEEP_VIEW.aggregate,
    without: without === undefined || without === "" ? [] : without.split(",").map(decoded),
    across: across ?? null,
    tint: tint ?? null,
  };
}

/** A stray percent sign in a hand-made address is itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

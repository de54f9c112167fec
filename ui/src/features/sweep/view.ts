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

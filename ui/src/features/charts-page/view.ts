/**
 * What the charts page shows, as plain data: the part of the view that lives in the URL. The page never keeps a copy; it asks
 * for changes through `onChange`.
 */
import type { ScaleChoice } from "../../charts/range";
import type { Range, XAxis } from "../../series/series";
import type { Smoothing } from "../../series/smoothing";

export const PANEL_SIZES = ["s", "m", "l"] as const;
export type PanelSize = (typeof PANEL_SIZES)[number];

export interface PanelLayout {
  readonly size: PanelSize;
  /** Metrics that are not shown. */
  readonly hidden: readonly string[];
  /** Metrics moved by hand; the others follow in the order of their names. */
  readonly order: readonly string[];
  /** Panels over the whole width. */
  readonly wide: readonly string[];
  /** Sections that are folded. */
  readonly folded: readonly string[];
  /** Panels whose y axis was chosen by hand. */
  readonly scales: Readonly<Record<string, ScaleChoice>>;
}

export interface ChartsView {
  readonly x: XAxis;
  /** The visible window of x; null shows everything. */
  readonly window: Range | null;
  readonly smoothing: Smoothing;
  /** Log axes where values spread over more than a decade. */
  readonly isLog: boolean;
  readonly isClipped: boolean;
  readonly hasBand: boolean;
  readonly layout: PanelLayout;
}

export const DEFAULT_LAYOUT: PanelLayout = { size: "m", hidden: [], order: [], wide: [], folded: [], scales: {} };

export const DEFAULT_CHARTS_VIEW: ChartsView = {
  x: "step",
  window: null,
  smoothing: { kind: "ema", weight: 0.82 },
  isLog: true,
  isClipped: true,
  hasBand: false,
  layout: DEFAULT_LAYOUT,
};

/** The axis a panel gets: its own choice, else what the switch of the page says. */
export function scaleOf(view: ChartsView, metric: string): ScaleChoice {
  return view.layout.scales[metric] ?? (view.isLog ? "auto" : "linear");
}

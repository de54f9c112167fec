/** The charts' part of the view in the query string; what is at its default is left out. */
import type { ScaleChoice } from "../../charts/range";
import {
  readFlag,
  readList,
  readNumber,
  readWord,
  writeFlag,
  writeList,
  type Params,
} from "../../lib/search-params";
import type { Range, XAxis } from "../../series/series";
import { SMOOTHING_KINDS, type Smoothing } from "../../series/smoothing";
import { DEFAULT_CHARTS_VIEW, PANEL_SIZES, type ChartsView, type PanelLayout } from "../charts-page/view";

const SCALES: readonly ScaleChoice[] = ["auto", "linear", "log"];
const METRIC_AXIS = "metrics.";

export function readChartsView(params: Params): ChartsView {
  const d = DEFAULT_CHARTS_VIEW;
  return {
    x: readAxis(params.get("x")),
    window: readWindow(params.get("z")),
    smoothing: readSmoothing(params.get("sm")),
    isLog: readFlag(params.get("log"), d.isLog),
    isClipped: readFlag(params.get("clip"), d.isClipped),
    hasBand: readFlag(params.get("band"), d.hasBand),
    layout: {
      size: readWord(params.get("size"), PANEL_SIZES, d.layout.size),
      hidden: readList(params.get("hide")),
      order: readList(params.get("order")),
      wide: readList(params.get("wide")),
      folded: readList(params.get("fold")),
      scales: readScales(params.get("scale")),
    },
  };
}

export function writeChartsView(view: ChartsView): [string, string | null][] {
  const d = DEFAULT_CHARTS_VIEW;
  return [
    ["x", view.x === "step" ? null : typeof view.x === "string" ? view.x : METRIC_AXIS + view.x.metric],
    ["z", view.window === null ? null : view.window.map(String).join(":")],
    ["sm", writeSmoothing(view.smoothing)],
    ["log", writeFlag(view.isLog, d.isLog)],
    ["clip", writeFlag(view.isClipped, d.isClipped)],
    ["band", writeFlag(view.hasBand, d.hasBand)],
    ...writeLayout(view.layout),
  ];
}

function writeLayout(layout: PanelLayout): [string, string | null][] {
  return [
    ["size", layout.size === DEFAULT_CHARTS_VIEW.layout.size ? null : layout.size],
    ["hide", writeList(layout.hidden)],
    ["order", writeList(layout.order)],
    ["wide", writeList(layout.wide)],
    ["fold", writeList(layout.folded)],
    ["scale", writeList(Object.entries(layout.scales).map(([metric, choice]) => `${metric}:${choice}`))],
  ];
}

function readAxis(text: string | undefined): XAxis {
  if (text === "relative" || text === "time") return text;
  if (text?.startsWith(METRIC_AXIS) === true && text.length > METRIC_AXIS.length) {
    return { metric: text.slice(METRIC_AXIS.length) };
  }
  return "step";
}

function readWindow(text: string | undefined): Range | null {
  const [lo, hi, ...rest] = (text ?? "").split(":").map(readNumber);
  if (lo === undefined || hi === undefined || lo === null || hi === null || rest.length > 0) return null;
  return lo < hi ? [lo, hi] : null;
}

function readSmoothing(text: string | undefined): Smoothing {
  const [kind, weight] = (text ?? "").split(":");
  const found = SMOOTHING_KINDS.find((known) => known === kind);
  const value = readNumber(weight);
  if (found === undefined || value === null) return DEFAULT_CHARTS_VIEW.smoothing;
  return { kind: found, weight: Math.max(0, Math.min(0.99, value)) };
}

function writeSmoothing(smoothing: Smoothing): string | null {
  const d = DEFAULT_CHARTS_VIEW.smoothing;
  if (smoothing.kind === d.kind && smoothing.weight === d.weight) return null;
  return `${smoothing.kind}:${smoothing.weight}`;
}

function readScales(text: string | undefined): Record<string, ScaleChoice> {
  const scales: [string, ScaleChoice][] = [];
  for (const item of readList(text)) {
    const colon = item.lastIndexOf(":");
    const choice = SCALES.find((known) => known === item.slice(colon + 1));
    if (colon > 0 && choice !== undefined) scales.push([item.slice(0, colon), choice]);
  }
  return Object.fromEntries(scales);
}

/**
 * A figure of plotly, read for drawing: planes with lines, points, bars and cells. What is read are numbers and texts and
 * nothing else; kinds of traces that are not drawn are named, so that a reader knows what is missing.
 */
import { evenly } from "../../lib/evenly";
import { plainObject } from "../../lib/shape";
import { columnOf, matrixOf, type Cell } from "./columns";

export interface Marks {
  readonly kind: "marks";
  readonly name: string;
  readonly x: readonly Cell[];
  readonly y: readonly Cell[];
  readonly hasLine: boolean;
  readonly hasPoints: boolean;
  readonly isDashed: boolean;
}

export interface Bars {
  readonly kind: "bars";
  readonly name: string;
  /** Where the bars stand, and how far they reach. */
  readonly at: readonly Cell[];
  readonly values: readonly Cell[];
  readonly isFlat: boolean;
}

export interface Cells {
  readonly kind: "cells";
  readonly name: string;
  readonly x: readonly Cell[];
  readonly y: readonly Cell[];
  readonly rows: readonly (readonly Cell[])[];
}

export type Trace = Marks | Bars | Cells;

export interface Plane {
  readonly traces: readonly Trace[];
  readonly x: AxisWords;
  readonly y: AxisWords;
}

export interface AxisWords {
  readonly title: string;
  readonly kind: string | null;
}

export interface Figure {
  readonly title: string;
  readonly planes: readonly Plane[];
  readonly isStacked: boolean;
  /** What the drawing leaves out, a sentence each. */
  readonly left: readonly string[];
}

type Given = Readonly<Record<string, unknown>>;

const MOST_TRACES = 48;
const MOST_POINTS = 4_000;
const MOST_CELLS_ASIDE = 120;
const BINS = 30;

/** Throws for what is no figure. */
export function readFigure(bytes: ArrayBuffer): Figure {
  const whole = plainObject(JSON.parse(new TextDecoder().decode(bytes)), "figure");
  const layout = objectOf(whole["layout"]);
  const given = (Array.isArray(whole["data"]) ? whole["data"] : []).map((one: unknown) => objectOf(one));
  const left = new Set<string>();
  const planes = new Map<string, { traces: Trace[]; x: AxisWords; y: AxisWords }>();
  for (const one of given.slice(0, MOST_TRACES)) {
    const trace = traceOf(one, left);
    if (trace === null) continue;
    const [across, up] = [axisName(one["xaxis"], "x"), axisName(one["yaxis"], "y")];
    const key = `${across} ${up}`;
    const plane = planes.get(key) ?? { traces: [], x: axisWords(layout[across]), y: axisWords(layout[up]) };
    planes.set(key, plane);
    plane.traces.push(trace);
  }
  if (given.length > MOST_TRACES) left.add(`${given.length - MOST_TRACES} more traces are not drawn.`);
  const isStacked = layout["barmode"] === "stack" || layout["barmode"] === "relative";
  return { title: wordsOf(layout["title"]), planes: [...planes.values()], isStacked, left: [...left] };
}

function traceOf(one: Given, left: Set<string>): Trace | null {
  const kind = typeof one["type"] === "string" ? one["type"] : "scatter";
  const name = wordsOf(one["name"]);
  if (kind === "scatter" || kind === "scattergl") return marksOf(one, name, left);
  if (kind === "bar") return barsOf(one, name);
  if (kind === "histogram" && one["x"] !== undefined) return binned(columnOf(one["x"]) ?? [], name);
  if (kind === "heatmap") return cellsOf(one, name, left);
  left.add(`A trace of the kind “${kind}” is not drawn.`);
  return null;
}

function marksOf(one: Given, name: string, left: Set<string>): Marks {
  const y = columnOf(one["y"]) ?? [];
  const x = columnOf(one["x"]) ?? y.map((_, i) => i);
  const mode = typeof one["mode"] === "string" ? one["mode"] : "lines+markers";
  const hasLine = mode.includes("lines");
  const count = Math.min(x.length, y.length);
  const chosen = evenly(Array.from({ length: count }, (_, i) => i), MOST_POINTS);
  if (chosen.length < count) left.add(`Of ${count.toLocaleString("en-US")} points ${chosen.length.toLocaleString("en-US")} are drawn.`);
  const dash = objectOf(one["line"])["dash"];
  return {
    kind: "marks",
    name,
    x: chosen.map((i) => x[i] ?? null),
    y: chosen.map((i) => y[i] ?? null),
    hasLine,
    hasPoints: !hasLine || (mode.includes("markers") && count <= 200),
    isDashed: typeof dash === "string" && dash !== "solid",
  };
}

function barsOf(one: Given, name: string): Bars {
  const isFlat = one["orientation"] === "h";
  const values = columnOf(one[isFlat ? "x" : "y"]) ?? [];
  return { kind: "bars", name, at: columnOf(one[isFlat ? "y" : "x"]) ?? values.map((_, i) => i), values, isFlat };
}

/** Values counted: words each for itself, numbers in even bins. */
function binned(values: readonly Cell[], name: string): Bars {
  const numbers = values.map(Number).filter(Number.isFinite);
  const counts = new Map<Cell, number>();
  if (values.some((value) => typeof value === "string")) {
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  } else if (numbers.length > 0) {
    let [lo, hi] = [Infinity, -Infinity];
    for (const value of numbers) [lo, hi] = [Math.min(lo, value), Math.max(hi, value)];
    const width = (hi > lo ? hi - lo : 1) / BINS;
    for (let bin = 0; bin < BINS; bin++) counts.set(lo + (bin + 0.5) * width, 0);
    for (const value of numbers) {
      const middle = lo + (Math.min(BINS - 1, Math.floor((value - lo) / width)) + 0.5) * width;
      counts.set(middle, (counts.get(middle) ?? 0) + 1);
    }
  }
  return { kind: "bars", name, at: [...counts.keys()], values: [...counts.values()], isFlat: false };
}

function cellsOf(one: Given, name: string, left: Set<string>): Cells {
  const rows = matrixOf(one["z"]);
  const width = Math.max(0, ...rows.map((row) => row.length));
  const down = evenly(rows.map((_, i) => i), MOST_CELLS_ASIDE);
  const across = evenly(Array.from({ length: width }, (_, i) => i), MOST_CELLS_ASIDE);
  if (down.length < rows.length || across.length < width) {
    left.add(`Of ${rows.length} × ${width} cells ${down.length} × ${across.length} are drawn.`);
  }
  const x = columnOf(one["x"]);
  const y = columnOf(one["y"]);
  return {
    kind: "cells",
    name,
    x: across.map((i) => String(x?.[i] ?? i)),
    y: down.map((i) => String(y?.[i] ?? i)),
    rows: down.map((i) => across.map((j) => rows[i]?.[j] ?? null)),
  };
}

/** `x2` in a trace is `xaxis2` in the layout. */
function axisName(given: unknown, letter: "x" | "y"): string {
  const name = typeof given === "string" && new RegExp(`^${letter}\\d*$`).test(given) ? given : letter;
  return `${letter}axis${name.slice(1)}`;
}

function axisWords(given: unknown): AxisWords {
  const axis = objectOf(given);
  return { title: wordsOf(axis["title"]), kind: typeof axis["type"] === "string" ? axis["type"] : null };
}

/** Plotly's texts may carry a few tags; here they are words. */
function wordsOf(given: unknown): string {
  const words = typeof given === "string" ? given : objectOf(given)["text"];
  return typeof words === "string" ? words.replace(/<br\s*\/?>/gi, " ").replace(/<[^<>]*>/g, "") : "";
}

function objectOf(given: unknown): Given {
  return typeof given === "object" && given !== null && !Array.isArray(given) ? plainObject(given, "figure") : {};
}

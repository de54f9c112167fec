/**
 * A panel as a picture: one list of shapes, from which both SVG and a canvas are drawn. Made from the data and not from the
 * screen, so it is sharp at any size, and with a legend.
 */
import { at, type Range, type XAxis } from "../series/series";
import type { Curve } from "./curves";
import { formatTick, xFormat } from "./numbers";
import { withAlpha } from "./palette";
import { lineColor, lineDash, type PlotStyle } from "./style";
import { gapOf, linearTicks, logTicks, xTicks } from "./ticks";

export type DownloadKind = "png" | "svg" | "csv";

export interface Picture {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly axis: XAxis;
  readonly x: Range;
  readonly y: Range;
  readonly isLog: boolean;
  readonly hasBand: boolean;
  readonly style: PlotStyle;
}

export interface PathShape {
  readonly kind: "path";
  readonly d: string;
  readonly stroke: string | null;
  readonly fill: string | null;
  readonly width: number;
  readonly dash: readonly number[];
  /** Cut at the edges of the plotting area. */
  readonly isInPlot: boolean;
}

export interface TextShape {
  readonly kind: "text";
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly color: string;
  readonly size: number;
  readonly weight: number;
  readonly anchor: "start" | "middle" | "end";
}

export type Shape = PathShape | TextShape;

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly plot: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  readonly background: string;
  readonly family: string;
  readonly title: string;
  readonly shapes: readonly Shape[];
}

const WIDTH = 720;
const HEIGHT = 400;
const EDGE = { left: 56, top: 40, right: 16, bottom: 34 };
const LEGEND_ROW = 18;
const LEGEND_COLUMNS = 3;
/** Letters of a legend entry that fit its column. */
const LEGEND_LETTERS = 36;

export function drawPanel(picture: Picture): Drawing {
  const { style, curves, title } = picture;
  const legendRows = Math.ceil(curves.length / LEGEND_COLUMNS);
  return {
    width: WIDTH,
    height: HEIGHT + legendRows * LEGEND_ROW + 10,
    plot: {
      left: EDGE.left,
      top: EDGE.top,
      width: WIDTH - EDGE.left - EDGE.right,
      height: HEIGHT - EDGE.top - EDGE.bottom,
    },
    background: style.surface,
    family: style.family,
    title,
    shapes: [
      write(16, 24, title, style.ink, { size: 14, weight: 600 }),
      ...axes(picture),
      ...curves.flatMap((curve) => lineShapes(picture, curve)),
      ...curves.flatMap((curve, i) => legend(style, curve, i)),
    ],
  };
}

function scaleX({ x: [lo, hi] }: Picture): (x: number) => number {
  return (x) => EDGE.left + ((x - lo) / (hi - lo)) * (WIDTH - EDGE.left - EDGE.right);
}

function scaleY({ y: [lo, hi], isLog }: Picture): (y: number) => number {
  const place = isLog ? (y: number) => Math.log10(Math.max(y, lo / 10)) : (y: number) => y;
  const [from, to] = [place(lo), place(hi)];
  return (y) => HEIGHT - EDGE.bottom - ((place(y) - from) / (to - from)) * (HEIGHT - EDGE.top - EDGE.bottom);
}

function axes(picture: Picture): Shape[] {
  const { style, isLog, axis } = picture;
  const [px, py] = [scaleX(picture), scaleY(picture)];
  const format = xFormat(axis);
  const across = xTicks(axis, picture.x, 8);
  const up = isLog ? logTicks(picture.y, 8) : linearTicks(picture.y, 8);
  return [
    ...up.flatMap((y) => [
      stroke(`M${EDGE.left} ${fixed(py(y))}H${WIDTH - EDGE.right}`, style.grid, 1),
      write(EDGE.left - 7, py(y) + 4, formatTick(y), style.axis, { anchor: "end" }),
    ]),
    ...across.map((x) =>
      write(px(x), HEIGHT - EDGE.bottom + 18, format.tick(x, gapOf(across)), style.axis, { anchor: "middle" }),
    ),
  ];
}

function lineShapes(picture: Picture, curve: Curve): Shape[] {
  const { line, series, values, isSmoothed } = curve;
  const [px, py] = [scaleX(picture), scaleY(picture)];
  const color = lineColor(picture.style, line.slot);
  const shapes: Shape[] = [];
  if (picture.hasBand || line.runIds.length > 1) {
    const d = bandPath(curve, px, py);
    shapes.push({ kind: "path", d, stroke: null, fill: withAlpha(color, 0.12), width: 0, dash: [], isInPlot: true });
  }
  if (isSmoothed) shapes.push(stroke(columnPath(series.x, series.mean, px, py), withAlpha(color, 0.2), 1, [], true));
  shapes.push(stroke(columnPath(series.x, values, px, py), color, 1.5, lineDash(picture.style, line.slot), true));
  return shapes;
}

type Place = (value: number) => number;

function columnPath(x: Float64Array, column: ArrayLike<number>, px: Place, py: Place): string {
  let d = "";
  let isDown = false;
  for (let i = 0; i < x.length; i++) {
    const y = at(column, i);
    if (Number.isNaN(y)) {
      isDown = false;
      continue;
    }
    d += `${isDown ? "L" : "M"}${fixed(px(at(x, i)))} ${fixed(py(y))}`;
    isDown = true;
  }
  return d;
}

function bandPath({ series }: Curve, px: Place, py: Place): string {
  const points: string[] = [];
  for (let i = 0; i < series.x.length; i++) {
    if (at(series.count, i) > 0) points.push(`${fixed(px(at(series.x, i)))} ${fixed(py(at(series.max, i)))}`);
  }
  for (let i = series.x.length - 1; i >= 0; i--) {
    if (at(series.count, i) > 0) points.push(`${fixed(px(at(series.x, i)))} ${fixed(py(at(series.min, i)))}`);
  }
  return points.length === 0 ? "" : `M${points.join("L")}Z`;
}

function legend(style: PlotStyle, { line }: Curve, i: number): Shape[] {
  const x = 16 + (i % LEGEND_COLUMNS) * ((WIDTH - 32) / LEGEND_COLUMNS);
  const y = HEIGHT + 10 + Math.floor(i / LEGEND_COLUMNS) * LEGEND_ROW;
  const words = `${line.label}  ${line.detail}`.trimEnd();
  const text = words.length > LEGEND_LETTERS ? `${words.slice(0, LEGEND_LETTERS - 1)}…` : words;
  return [
    stroke(`M${fixed(x)} ${y}h16`, lineColor(style, line.slot), 2, lineDash(style, line.slot)),
    write(x + 22, y + 4, text, style.ink),
  ];
}

function stroke(d: string, color: string, width: number, dash: readonly number[] = [], isInPlot = false): PathShape {
  return { kind: "path", d, stroke: color, fill: null, width, dash, isInPlot };
}

function write(
  x: number,
  y: number,
  text: string,
  color: string,
  { size = 11, weight = 450, anchor = "start" }: Partial<Pick<TextShape, "size" | "weight" | "anchor">> = {},
): TextShape {
  return { kind: "text", x, y, text, color, size, weight, anchor };
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}

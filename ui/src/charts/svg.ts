/** A panel as an SVG drawing: the same scales, lines and ticks as on the canvas, with a legend. */
import { at, type Range, type XAxis } from "../series/series";
import type { Curve } from "./curves";
import { formatTick, xFormat } from "./numbers";
import { lineColor, lineDash, type PlotStyle } from "./style";
import { gapOf, linearTicks, logTicks, xTicks } from "./ticks";

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

const WIDTH = 720;
const HEIGHT = 400;
const PLOT = { left: 56, top: 40, right: 16, bottom: 34 };
const LEGEND_ROW = 18;
const LEGEND_COLUMNS = 3;

export function toSvg(picture: Picture): string {
  const { style, curves } = picture;
  const legendHeight = Math.ceil(curves.length / LEGEND_COLUMNS) * LEGEND_ROW + 10;
  const height = HEIGHT + legendHeight;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" ` +
      `font-family="Archivo, system-ui, sans-serif" font-size="11" fill="${style.axis}">`,
    `<title>${escape(picture.title)}</title>`,
    `<rect width="100%" height="100%" fill="${style.surface}"/>`,
    `<text x="16" y="24" font-size="14" font-weight="600" fill="${style.ink}">${escape(picture.title)}</text>`,
    `<clipPath id="plot"><rect x="${PLOT.left}" y="${PLOT.top}" width="${WIDTH - PLOT.left - PLOT.right}" ` +
      `height="${HEIGHT - PLOT.top - PLOT.bottom}"/></clipPath>`,
    ...axes(picture),
    `<g clip-path="url(#plot)" fill="none" stroke-linejoin="round">`,
    ...curves.flatMap((curve) => lines(picture, curve)),
    "</g>",
    ...curves.map((curve, i) => legend(style, curve, i)),
    "</svg>",
  ];
  return parts.join("\n");
}

function scaleX({ x: [lo, hi] }: Picture): (x: number) => number {
  return (x) => PLOT.left + ((x - lo) / (hi - lo)) * (WIDTH - PLOT.left - PLOT.right);
}

function scaleY({ y: [lo, hi], isLog }: Picture): (y: number) => number {
  const place = isLog ? (y: number) => Math.log10(Math.max(y, lo / 10)) : (y: number) => y;
  const [from, to] = [place(lo), place(hi)];
  return (y) => HEIGHT - PLOT.bottom - ((place(y) - from) / (to - from)) * (HEIGHT - PLOT.top - PLOT.bottom);
}

function axes(picture: Picture): string[] {
  const [px, py] = [scaleX(picture), scaleY(picture)];
  const format = xFormat(picture.axis);
  const across = xTicks(picture.axis, picture.x, 8);
  const up = picture.isLog ? logTicks(picture.y, 8) : linearTicks(picture.y, 8);
  return [
    ...up.map(
      (y) =>
        `<path d="M${PLOT.left} ${fixed(py(y))}H${WIDTH - PLOT.right}" stroke="${picture.style.grid}"/>` +
        `<text x="${PLOT.left - 7}" y="${fixed(py(y) + 4)}" text-anchor="end">${escape(formatTick(y))}</text>`,
    ),
    ...across.map(
      (x) =>
        `<text x="${fixed(px(x))}" y="${HEIGHT - PLOT.bottom + 18}" text-anchor="middle">` +
        `${escape(format.tick(x, gapOf(across)))}</text>`,
    ),
  ];
}

function lines(picture: Picture, { line, series, values, isSmoothed }: Curve): string[] {
  const [px, py] = [scaleX(picture), scaleY(picture)];
  const color = lineColor(picture.style, line.slot);
  const dash = lineDash(picture.style, line.slot).join(" ");
  const path = (column: ArrayLike<number>): string => {
    let d = "";
    let isDown = false;
    for (let i = 0; i < series.x.length; i++) {
      const y = at(column, i);
      if (Number.isNaN(y)) {
        isDown = false;
        continue;
      }
      d += `${isDown ? "L" : "M"}${fixed(px(at(series.x, i)))} ${fixed(py(y))}`;
      isDown = true;
    }
    return d;
  };
  const out: string[] = [];
  if (picture.hasBand || line.runIds.length > 1) {
    const points: string[] = [];
    for (let i = 0; i < series.x.length; i++) {
      if (at(series.count, i) > 0) points.push(`${fixed(px(at(series.x, i)))},${fixed(py(at(series.max, i)))}`);
    }
    for (let i = series.x.length - 1; i >= 0; i--) {
      if (at(series.count, i) > 0) points.push(`${fixed(px(at(series.x, i)))},${fixed(py(at(series.min, i)))}`);
    }
    out.push(`<polygon points="${points.join(" ")}" fill="${color}" fill-opacity="0.12"/>`);
  }
  if (isSmoothed) out.push(`<path d="${path(series.mean)}" stroke="${color}" stroke-opacity="0.2"/>`);
  const dashes = dash === "" ? "" : ` stroke-dasharray="${dash}"`;
  out.push(`<path d="${path(values)}" stroke="${color}" stroke-width="1.5"${dashes}/>`);
  return out;
}

function legend(style: PlotStyle, { line }: Curve, i: number): string {
  const x = 16 + (i % LEGEND_COLUMNS) * ((WIDTH - 32) / LEGEND_COLUMNS);
  const y = HEIGHT + 10 + Math.floor(i / LEGEND_COLUMNS) * LEGEND_ROW;
  const dash = lineDash(style, line.slot).join(" ");
  const dashes = dash === "" ? "" : ` stroke-dasharray="${dash}"`;
  return (
    `<path d="M${fixed(x)} ${y}h16" stroke="${lineColor(style, line.slot)}" stroke-width="2"${dashes}/>` +
    `<text x="${fixed(x + 22)}" y="${y + 4}"><tspan fill="${style.ink}">${escape(line.label)}</tspan> ` +
    `${escape(line.detail)}</text>`
  );
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

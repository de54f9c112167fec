/**
 * What a panel draws besides uPlot's axes: lines, the raw ones behind smoothed ones, envelopes, the end of a running line,
 * where NaN begins, marks at the edge for spikes that clipping leaves out, and the line in focus on its own layer.
 */
import type uPlot from "uplot";
import { at } from "../series/series";
import { breakOf, type Curve } from "./curves";
import { frameOf, visibleSlice, type Frame } from "./frame";
import { linePath } from "./line-path";
import { withAlpha } from "./palette";
import { lineColor, lineDash, type PlotStyle } from "./style";

const GHOST_ALPHA = { light: 0.2, dark: 0.24 };
const BAND_ALPHA = { all: 0.1, group: 0.13, focused: 0.2 };
/** How much of what is out of focus is washed out. */
const WASH = 0.8;

export interface Painting {
  readonly curves: readonly Curve[];
  readonly style: PlotStyle;
  readonly hasBand: boolean;
  readonly isLog: boolean;
  readonly isClipped: boolean;
  /** While the window is dragged the raw lines stay away: half of the work, and nobody reads them then. */
  readonly isDraft: boolean;
}

const LINE_PIXELS = 1.5;
const FOCUS_PIXELS = 1.75;

/** From below: envelopes, the raw lines, and the lines themselves. */
export function paintLines(u: uPlot, { curves, style, hasBand, isLog, isDraft }: Painting): void {
  const frame = frameOf(u, isLog);
  if (frame === null) return;
  const { ctx } = frame;
  ctx.save();
  clipToPlot(ctx, u);
  for (const curve of curves) {
    const isGroup = curve.line.runIds.length > 1;
    if (!hasBand && !isGroup) continue;
    ctx.fillStyle = withAlpha(lineColor(style, curve.line.slot), isGroup ? BAND_ALPHA.group : BAND_ALPHA.all);
    paintBand(frame, curve);
  }
  for (const curve of isDraft ? [] : curves) paintGhost(frame, curve, style);
  // Bevelled joins cost half of round ones, and a line of one pixel a twentieth of a wider one: a dragged window keeps up.
  ctx.lineJoin = "bevel";
  for (const curve of curves) {
    const { slot } = curve.line;
    ctx.strokeStyle = lineColor(style, slot);
    ctx.lineWidth = (isDraft ? 1 : slot < 0 ? FOCUS_PIXELS : LINE_PIXELS) * frame.ratio;
    ctx.setLineDash(dashesOf(frame, curve, style));
    ctx.stroke(linePath(frame, curve));
  }
  ctx.restore();
}

function dashesOf({ ratio }: Frame, { line }: Curve, style: PlotStyle): number[] {
  return lineDash(style, line.slot).map((length) => length * ratio);
}

/**
 * Over the lines: running ends, breaks, and what was clipped away. The pen is given back as it was: uPlot remembers the
 * styles that it set, and draws its next grid with what it finds.
 */
export function paintFront(u: uPlot, { curves, style, isLog, isClipped, isDraft }: Painting): void {
  const frame = frameOf(u, isLog);
  if (frame === null) return;
  frame.ctx.save();
  for (const curve of curves) {
    paintEnds(frame, curve, style);
    if (isClipped && !isDraft) paintClipped(frame, curve, lineColor(style, curve.line.slot));
  }
  frame.ctx.restore();
}

/**
 * The line in focus, on a canvas of its own above the others, which are washed out: lifting a line costs one line, not a
 * page of panels.
 */
export function paintFocus(u: uPlot, layer: CanvasRenderingContext2D, curve: Curve, { style, isLog }: Painting): void {
  const found = frameOf(u, isLog);
  if (found === null) return;
  const { left, top, width, height } = u.bbox;
  const frame = { ...found, ctx: layer };
  const rim = 2 * frame.ratio;
  layer.fillStyle = withAlpha(style.surface, WASH);
  layer.fillRect(left - rim, top - rim, width + 2 * rim, height + 2 * rim);
  layer.save();
  clipToPlot(layer, u);
  layer.fillStyle = withAlpha(lineColor(style, curve.line.slot), BAND_ALPHA.focused);
  paintBand(frame, curve);
  paintGhost(frame, curve, style);
  layer.strokeStyle = lineColor(style, curve.line.slot);
  layer.lineWidth = FOCUS_PIXELS * frame.ratio;
  layer.lineJoin = "round";
  layer.setLineDash(dashesOf(frame, curve, style));
  layer.stroke(linePath(frame, curve));
  layer.setLineDash([]);
  paintEnds(frame, curve, style);
  layer.restore();
}

function clipToPlot(ctx: CanvasRenderingContext2D, { bbox }: uPlot): void {
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
}

/** The raw line of a smoothed one. */
function paintGhost(frame: Frame, curve: Curve, style: PlotStyle): void {
  if (!curve.isSmoothed || curve.line.runIds.length > 1) return;
  const { ctx, px, py } = frame;
  const { series } = curve;
  const [first, last] = visibleSlice(frame, series.x);
  ctx.lineWidth = frame.ratio;
  ctx.lineJoin = "bevel";
  ctx.strokeStyle = withAlpha(lineColor(style, curve.line.slot), GHOST_ALPHA[style.theme]);
  ctx.beginPath();
  let isDown = false;
  for (let i = first; i <= last; i++) {
    const y = at(series.mean, i);
    if (Number.isNaN(y)) {
      isDown = false;
      continue;
    }
    if (isDown) ctx.lineTo(px(at(series.x, i)), py(y));
    else ctx.moveTo(px(at(series.x, i)), py(y));
    isDown = true;
  }
  ctx.stroke();
}

function paintBand(frame: Frame, { series }: Curve): void {
  const { ctx, px, py } = frame;
  const [first, last] = visibleSlice(frame, series.x);
  ctx.beginPath();
  let isDown = false;
  for (let i = first; i <= last; i++) {
    const y = at(series.max, i);
    if (Number.isNaN(y)) continue;
    if (isDown) ctx.lineTo(px(at(series.x, i)), py(y));
    else ctx.moveTo(px(at(series.x, i)), py(y));
    isDown = true;
  }
  for (let i = last; i >= first; i--) {
    const y = at(series.min, i);
    if (!Number.isNaN(y)) ctx.lineTo(px(at(series.x, i)), py(y));
  }
  ctx.closePath();
  ctx.fill();
}

function paintEnds(frame: Frame, curve: Curve, style: PlotStyle): void {
  const color = lineColor(style, curve.line.slot);
  if (curve.line.isRunning) paintRunningEnd(frame, curve, color);
  paintBreak(frame, curve, color, style.surface);
}

function paintRunningEnd({ ctx, px, py, ratio, from, to }: Frame, curve: Curve, color: string): void {
  if (curve.last < 0) return;
  const x = at(curve.series.x, curve.last);
  if (x < from || x > to) return;
  const [cx, cy] = [px(x), py(at(curve.values, curve.last))];
  for (const [radius, alpha] of [[5.5, 0.22], [2.4, 1]] satisfies [number, number][]) {
    ctx.beginPath();
    ctx.arc(cx, cy, radius * ratio, 0, Math.PI * 2);
    ctx.fillStyle = withAlpha(color, alpha);
    ctx.fill();
  }
}

/**
 * A cross in a disc of the panel's colour: the last finite point before NaN or an infinity. Where clipping leaves that point
 * out it stands at the edge, inside of the triangle.
 */
function paintBreak({ ctx, px, py, ratio, from, to, top, bottom }: Frame, curve: Curve, color: string, surface: string): void {
  const found = breakOf(curve);
  if (found === null || found.x < from || found.x > to) return;
  const inset = 11 * ratio;
  const cx = px(found.x);
  const height = py(at(curve.values, found.index));
  const cy = height < top ? top + inset : height > bottom ? bottom - inset : height;
  const arm = 3 * ratio;
  ctx.beginPath();
  ctx.arc(cx, cy, 5.5 * ratio, 0, Math.PI * 2);
  ctx.fillStyle = surface;
  ctx.fill();
  ctx.beginPath();
  ctx.moveTo(cx - arm, cy - arm);
  ctx.lineTo(cx + arm, cy + arm);
  ctx.moveTo(cx + arm, cy - arm);
  ctx.lineTo(cx - arm, cy + arm);
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.75 * ratio;
  ctx.stroke();
}

/** Small triangles at the edge, pointing to where the value is; neighbours on the same spot share one. */
function paintClipped(frame: Frame, { series }: Curve, color: string): void {
  const { ctx, px, py, ratio, top, bottom } = frame;
  const [first, last] = visibleSlice(frame, series.x);
  const size = 3 * ratio;
  const beyond = 2 * ratio;
  let previous = Number.NEGATIVE_INFINITY;
  ctx.fillStyle = color;
  for (let i = first; i <= last; i++) {
    const y = at(series.mean, i);
    const x = at(series.x, i);
    if (Number.isNaN(y) || x < frame.from || x > frame.to) continue;
    const cy = py(y);
    const isAbove = cy < top - beyond;
    if (!isAbove && cy <= bottom + beyond) continue;
    const cx = px(x);
    if (cx - previous < size * 2) continue;
    previous = cx;
    const [edge, tip] = isAbove ? [top + size * 1.4, top] : [bottom - size * 1.4, bottom];
    ctx.beginPath();
    ctx.moveTo(cx - size, edge);
    ctx.lineTo(cx + size, edge);
    ctx.lineTo(cx, tip);
    ctx.fill();
  }
}

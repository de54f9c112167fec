/**
 * What a panel draws besides uPlot's lines and axes: raw lines behind smoothed ones, envelopes, the end of a running
 * line, where NaN begins, and marks at the edge for spikes that clipping leaves out.
 */
import type uPlot from "uplot";
import { at } from "../series/series";
import { breakOf, type Curve } from "./curves";
import { frameOf, visibleSlice, type Frame } from "./frame";
import { withAlpha } from "./palette";
import { lineColor, type PlotStyle } from "./style";

const GHOST_ALPHA = { light: 0.2, dark: 0.24 };
const BAND_ALPHA = { all: 0.1, group: 0.13, focused: 0.2 };
const DIMMED = 0.13;

export interface Painting {
  readonly curves: readonly Curve[];
  readonly style: PlotStyle;
  readonly focus: string | null;
  readonly hasBand: boolean;
  readonly isLog: boolean;
  readonly isClipped: boolean;
}

function clipped(u: uPlot, draw: () => void): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw();
  ctx.restore();
}

/** Under the lines: envelopes, then the raw lines. */
export function paintBehind(u: uPlot, painting: Painting): void {
  const frame = frameOf(u, painting.isLog);
  if (frame === null) return;
  clipped(u, () => {
    for (const curve of painting.curves) {
      const isFocused = painting.focus === curve.line.id;
      const isGroup = curve.line.runIds.length > 1;
      if (!isFocused && (painting.focus !== null || !(painting.hasBand || isGroup))) continue;
      const alpha = isFocused ? BAND_ALPHA.focused : isGroup ? BAND_ALPHA.group : BAND_ALPHA.all;
      frame.ctx.fillStyle = withAlpha(lineColor(painting.style, curve.line.slot), alpha);
      paintBand(frame, curve);
    }
    frame.ctx.lineWidth = frame.ratio;
    frame.ctx.lineJoin = "round";
    for (const curve of painting.curves) {
      if (!curve.isSmoothed || curve.line.runIds.length > 1) continue;
      const isDim = painting.focus !== null && painting.focus !== curve.line.id;
      const alpha = GHOST_ALPHA[painting.style.theme] * (isDim ? DIMMED * 2 : 1);
      frame.ctx.strokeStyle = withAlpha(lineColor(painting.style, curve.line.slot), alpha);
      paintRaw(frame, curve);
    }
  });
}

function paintRaw(frame: Frame, { series }: Curve): void {
  const { ctx, px, py } = frame;
  const [first, last] = visibleSlice(frame, series.x);
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

/** Over the lines: running ends, breaks, and what was clipped away. */
export function paintFront(u: uPlot, painting: Painting): void {
  const frame = frameOf(u, painting.isLog);
  if (frame === null) return;
  for (const curve of painting.curves) {
    if (painting.focus !== null && painting.focus !== curve.line.id) continue;
    const color = lineColor(painting.style, curve.line.slot);
    if (curve.line.isRunning) paintRunningEnd(frame, curve, color);
    paintBreak(frame, curve, color, painting.style.surface);
    if (painting.isClipped) paintClipped(frame, curve, color);
  }
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

/** A cross in a disc of the panel's colour: the last finite point before NaN or an infinity. */
function paintBreak({ ctx, px, py, ratio, from, to }: Frame, curve: Curve, color: string, surface: string): void {
  const found = breakOf(curve);
  if (found === null || found.x < from || found.x > to) return;
  const [cx, cy] = [px(found.x), py(at(curve.values, found.index))];
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

/** A small plane with two axes, for the scatter and for the best so far. */
import type { PlotStyle } from "../../charts/style";
import type { AxisScale } from "./axis-scale";
import type { Size } from "./use-canvas";

export interface Plane {
  readonly px: (share: number) => number;
  readonly py: (share: number) => number;
}

const EDGE = { left: 48, right: 14, top: 10, bottom: 24 };
/** Points keep off the axes. */
const INSET = 6;

export function planeOf({ width, height }: Size): Plane {
  const [left, right] = [EDGE.left + INSET, width - EDGE.right - INSET];
  const [top, bottom] = [EDGE.top + INSET, height - EDGE.bottom - INSET];
  return { px: (share) => left + share * (right - left), py: (share) => bottom - share * (bottom - top) };
}

export function paintPlane(
  context: CanvasRenderingContext2D,
  size: Size,
  style: PlotStyle,
  across: AxisScale,
  up: AxisScale,
): void {
  const plane = planeOf(size);
  context.font = `500 10px ${style.family}`;
  context.textBaseline = "middle";
  context.lineWidth = 1;
  for (const { place, label } of up.ticks) {
    const y = Math.round(plane.py(place)) + 0.5;
    context.strokeStyle = style.grid;
    context.beginPath();
    context.moveTo(EDGE.left, y);
    context.lineTo(size.width - EDGE.right, y);
    context.stroke();
    context.fillStyle = style.axis;
    context.textAlign = "right";
    context.fillText(short(label), EDGE.left - 6, y);
  }
  context.textAlign = "center";
  context.fillStyle = style.axis;
  for (const { place, label } of across.ticks) {
    context.fillText(short(label), plane.px(place), size.height - EDGE.bottom + 14);
  }
}

export function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, Math.PI * 2);
}

function short(label: string): string {
  return label.length > 12 ? `${label.slice(0, 11)}…` : label;
}

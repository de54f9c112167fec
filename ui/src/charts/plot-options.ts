/** The options of a panel's uPlot: quiet axes, our ticks, no lines (paint.ts draws them), no pointer handling of its own. */
import type uPlot from "uplot";
import type { XAxis } from "../series/series";
import { formatTick, xFormat } from "./numbers";
import type { PlotStyle } from "./style";
import { gapOf, linearTicks, logTicks, xTicks } from "./ticks";

export interface PlotWish {
  readonly width: number;
  readonly height: number;
  readonly axis: XAxis;
  readonly isLog: boolean;
  readonly x: { readonly min: number; readonly max: number };
  readonly y: () => [number, number];
  readonly style: () => PlotStyle;
  readonly lines: (u: uPlot) => void;
  readonly front: (u: uPlot) => void;
}

const X_TICK_PIXELS = 56;
const Y_TICK_PIXELS = 26;
const LETTER_PIXELS = 5.6;
const LEAST_Y_AXIS = 38;

/** The pointer is ours (pointer.ts): uPlot's own handlers would move the cursor a second time. */
const ignore = (): null => null;

export function plotOptions(wish: PlotWish): uPlot.Options {
  const { width, height, isLog, axis, style } = wish;
  const font = `500 10px ${style().family}`;
  const format = xFormat(axis);
  return {
    width,
    height,
    padding: [6, 14, 0, 0],
    legend: { show: false },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: false, auto: false, min: wish.x.min, max: wish.x.max },
      y: { auto: false, distr: isLog ? 3 : 1, range: () => wish.y() },
    },
    series: [{}, { paths: () => null, points: { show: false } }],
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      bind: {
        mousedown: ignore, mouseup: ignore, click: ignore, dblclick: ignore,
        mousemove: ignore, mouseleave: ignore, mouseenter: ignore,
      },
      // Our dots stand on the data of each line (cursor-dots.ts); uPlot insists on one element for each series.
      points: { show: () => document.createElement("i") },
    },
    axes: [
      {
        stroke: () => style().axis,
        font, size: 20, gap: 3,
        grid: { show: false },
        ticks: { stroke: () => style().grid, width: 1, size: 3 },
        splits: (u, _, min, max) => xTicks(axis, [min, max], u.bbox.width / devicePixelRatio / X_TICK_PIXELS),
        values: (_, splits) => splits.map((x) => format.tick(x, gapOf(splits))),
      },
      {
        stroke: () => style().axis,
        font, gap: 5,
        size: (_, values) =>
          Math.max(LEAST_Y_AXIS, 12 + LETTER_PIXELS * Math.max(0, ...(values ?? []).map((v) => v.length))),
        grid: { stroke: () => style().grid, width: 1 },
        // The ticks are ours. uPlot would look for a gap among its own, and leave the axis out where values span 1e100.
        incrs: [Number.MAX_VALUE],
        ticks: { show: false },
        splits: (u, _, min, max) => {
          const most = u.bbox.height / devicePixelRatio / Y_TICK_PIXELS;
          return isLog ? logTicks([min, max], most) : linearTicks([min, max], most);
        },
        filter: (_, splits) => splits,
        values: (_, splits) => splits.map(formatTick),
      },
    ],
    hooks: {
      drawAxes: [wish.lines],
      draw: [wish.front],
    },
  };
}

/**
 * Owns one uPlot and keeps it in step with the model of its panel, outside React.
 *
 * Changes are gathered and applied once a frame, and only while the panel is in view; what happened meanwhile is applied
 * when it comes back. Nothing that is shown is rebuilt for another run, only drawn again.
 * Pointer, zoom and focus arrive over the bus.
 */
import uPlot from "uplot";
import type { Range, XAxis } from "../series/series";
import type { ChartBus } from "./bus";
import { nearestX, readCurve, type Curve } from "./curves";
import type { Direction } from "./direction";
import { CursorDots, type Dot } from "./cursor-dots";
import { paintFocus, paintFront, paintLines, type Painting } from "./paint";
import type { FrameQueue } from "./frame-queue";
import { FocusLayer } from "./focus-layer";
import { plotOptions } from "./plot-options";
import { attachPointer } from "./pointer";
import { yRange } from "./range";
import { lineColor, type PlotStyle } from "./style";

export interface PanelModel {
  readonly metric: string;
  readonly direction: Direction;
  readonly curves: readonly Curve[];
  readonly axis: XAxis;
  /** The whole of x, shown when there is no window. */
  readonly extent: Range;
  readonly isLog: boolean;
  readonly isClipped: boolean;
  readonly hasBand: boolean;
  readonly style: PlotStyle;
}

/** What the panel reads under the cursor, best first. */
export interface Reading {
  readonly curve: Curve;
  readonly value: number;
  readonly index: number;
}

export interface PlotListener {
  /** The value to show in the header: of the line in focus, else of the best line under the cursor. */
  readonly onReading: (lead: Reading | null) => void;
  /** The pointer is over this very panel. */
  readonly onHover: (readings: readonly Reading[], x: number, nearest: Reading | null, at: { x: number; y: number }) => void;
  readonly onLeave: () => void;
  /** A frame with data has been handed to the browser. */
  readonly onDrawn: () => void;
}

const NEAR_PIXELS = 24;
const NO_VALUES = new Float64Array(0);

/** uPlot only needs to know that there is data: lines are drawn by paint.ts, each over its own x. */
function dataOf(model: PanelModel): [Float64Array, Float64Array] {
  return [Float64Array.from(model.extent), NO_VALUES];
}

export class PanelPlot {
  readonly id = Symbol("panel");
  private u: uPlot | null = null;
  private model: PanelModel | null = null;
  private drawn: PanelModel | null = null;
  private window: Range | null = null;
  private cursorX: number | null = null;
  private focus: string | null;
  private y: Range = [0, 1];
  private isInView = false;
  private isScaleDirty = false;
  private isDraft = false;
  private readonly off: (() => void)[];
  private readonly sizes: ResizeObserver;
  private layer: FocusLayer | null = null;
  private dots: CursorDots | null = null;
  private detachPointer: () => void = () => undefined;

  constructor(
    private readonly host: HTMLElement,
    private readonly bus: ChartBus,
    private readonly queue: FrameQueue,
    private readonly listener: PlotListener,
  ) {
    this.focus = bus.focused;
    this.off = [
      bus.on("cursor", ({ x }) => this.setCursor(x)),
      bus.on("focus", (line) => {
        this.focus = line;
        if (!this.isInView) return;
        this.lift();
        this.tell();
      }),
      bus.on("zoom", ({ window, isFinal }) => this.setWindow(window, !isFinal)),
    ];
    this.sizes = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = this.host;
      if (width === 0) return;
      if (this.u === null) this.schedule();
      else if (width !== this.u.width || height !== this.u.height) this.u.setSize({ width, height });
    });
    this.sizes.observe(host);
  }

  setModel(model: PanelModel): void {
    this.model = model;
    this.schedule();
  }

  /** `isDraft`: the window is being dragged. */
  setWindow(window: Range | null, isDraft = false): void {
    this.window = window;
    this.isDraft = isDraft;
    this.isScaleDirty = true;
    this.schedule();
  }

  setInView(isInView: boolean): void {
    this.isInView = isInView;
    if (isInView) this.schedule();
  }

  /** Put the cursor at x; also what the arrow keys do. */
  setCursor(x: number | null): void {
    this.cursorX = x;
    if (!this.isInView) return;
    this.placeCursor();
    this.tell();
  }

  get cursor(): number | null {
    return this.cursorX;
  }

  get visibleRange(): Range {
    return this.window ?? this.model?.extent ?? [0, 1];
  }

  get yScale(): Range {
    return this.y;
  }

  /** Values at x, best first; the line in focus leads. */
  readAt(x: number): Reading[] {
    if (this.model === null) return [];
    const readings: Reading[] = [];
    for (const curve of this.model.curves) {
      const found = readCurve(curve, x);
      if (found !== null) readings.push({ curve, value: found.value, index: found.index });
    }
    const sign = this.model.direction === "min" ? 1 : -1;
    return readings.toSorted((a, b) => sign * (a.value - b.value));
  }

  /** The canvas as it is, for a picture. */
  get canvas(): HTMLCanvasElement | null {
    return this.u?.ctx.canvas ?? null;
  }

  destroy(): void {
    for (const off of this.off) off();
    this.sizes.disconnect();
    this.queue.remove(this.flush);
    this.detachPointer();
    this.u?.destroy();
    this.u = null;
  }

  private schedule(): void {
    if (this.isInView) this.queue.add(this.flush);
  }

  private readonly flush = (): void => {
    const { model, drawn } = this;
    // Measured only before there is a plot: on every frame that would lay out the page anew.
    if (model === null || (this.u === null && this.host.clientWidth === 0)) return;
    const isRebuilt = drawn === null || drawn.isLog !== model.isLog || drawn.axis !== model.axis;
    if (isRebuilt || this.u === null) this.build(model);
    else if (!looksAlike(drawn, model)) this.change(this.u, drawn, model);
    else if (this.isScaleDirty) this.u.batch((u: uPlot) => this.setScales(u, model));
    this.drawn = model;
    this.isScaleDirty = false;
    this.placeCursor();
    this.listener.onDrawn();
  };

  private build(model: PanelModel): void {
    this.detachPointer();
    this.u?.destroy();
    const { clientWidth: width, clientHeight: height } = this.host;
    this.y = this.rangeOfY(model);
    const [min, max] = this.visibleRange;
    const options = plotOptions({
      width,
      height,
      axis: model.axis,
      isLog: model.isLog,
      x: { min, max },
      y: () => [this.y[0], this.y[1]],
      style: () => (this.model ?? model).style,
      lines: (u) => paintLines(u, this.painting(this.model ?? model)),
      front: (u) => {
        paintFront(u, this.painting(this.model ?? model));
        this.lift();
      },
    });
    this.u = new uPlot(options, dataOf(model), this.host);
    this.layer = new FocusLayer(this.u);
    this.dots = new CursorDots(this.u.over, () => (this.model ?? model).style.surface);
    this.detachPointer = attachPointer(this.u, {
      onMove: (left, clientX, clientY) => this.hover(left, clientX, clientY),
      onLeave: () => {
        this.bus.moveCursor(null, this.id);
        this.listener.onLeave();
      },
      onZoom: (window) => this.bus.zoom(window, true),
    });
  }

  private change(u: uPlot, drawn: PanelModel, model: PanelModel): void {
    u.batch(() => {
      u.setData(dataOf(model), false);
      this.setScales(u, model);
    });
    if (drawn.style !== model.style) u.redraw(true, true);
  }

  /** Within one batch of uPlot: every batch draws, one inside another as well. */
  private setScales(u: uPlot, model: PanelModel): void {
    this.y = this.rangeOfY(model);
    const [min, max] = this.visibleRange;
    u.setScale("x", { min, max });
    u.setScale("y", { min: this.y[0], max: this.y[1] });
  }

  private rangeOfY(model: PanelModel): Range {
    const { isClipped, isLog, hasBand } = model;
    return yRange(model.curves, this.window, { isClipped, isLog, hasBand });
  }

  private painting(model: PanelModel): Painting {
    return { ...model, isDraft: this.isDraft };
  }

  /** The line in focus, if this panel has it, goes above the others. */
  private lift(): void {
    const { u, model, focus, layer } = this;
    const curve = focus === null ? undefined : model?.curves.find(({ line }) => line.id === focus);
    if (u === null || model === null || layer === null) return;
    if (curve === undefined) layer.hide();
    else layer.show((context) => paintFocus(u, context, curve, this.painting(model)));
  }

  private hover(left: number, clientX: number, clientY: number): void {
    const { u, model } = this;
    if (u === null || model === null) return;
    const x = nearestX(model.curves, u.posToVal(left, "x"));
    if (x === null) return;
    const top = clientY - u.rect.top;
    this.bus.moveCursor(x, this.id);
    const readings = this.readAt(x);
    let nearest: Reading | null = null;
    let distance = NEAR_PIXELS;
    for (const reading of readings) {
      const away = Math.abs(u.valToPos(reading.value, "y") - top);
      if (away < distance) [nearest, distance] = [reading, away];
    }
    this.listener.onHover(readings, x, nearest, { x: clientX, y: clientY });
  }

  private placeCursor(): void {
    const { u, cursorX } = this;
    if (u === null) return;
    const [lo, hi] = this.visibleRange;
    const isShown = cursorX !== null && cursorX >= lo && cursorX <= hi;
    u.setCursor(isShown ? { left: u.valToPos(cursorX, "x"), top: 0 } : { left: -10, top: -10 }, false);
    this.dots?.show(isShown ? this.dotsAt(u, cursorX) : []);
  }

  private dotsAt(u: uPlot, x: number): Dot[] {
    const { model } = this;
    if (model === null) return [];
    const dots: Dot[] = [];
    const height = u.bbox.height / devicePixelRatio;
    for (const curve of model.curves) {
      const found = readCurve(curve, x);
      const here = found === null ? undefined : curve.series.x[found.index];
      if (found === null || here === undefined || (model.isLog && found.value <= 0)) continue;
      const top = u.valToPos(found.value, "y");
      if (top < -1 || top > height + 1) continue;
      dots.push({ left: u.valToPos(here, "x"), top, color: lineColor(model.style, curve.line.slot) });
    }
    return dots;
  }

  private tell(): void {
    if (this.isInView) this.listener.onReading(this.lead());
  }

  private lead(): Reading | null {
    const { cursorX, focus, model } = this;
    if (cursorX !== null) {
      const readings = this.readAt(cursorX);
      return (focus === null ? readings[0] : readings.find(({ curve }) => curve.line.id === focus)) ?? null;
    }
    const curve = model?.curves.find(({ line }) => line.id === focus);
    const value = curve?.values[curve.last];
    return curve === undefined || value === undefined ? null : { curve, value, index: curve.last };
  }
}

/** Whether nothing that is drawn differs: labels are not, and those of lines often come later than the lines. */
function looksAlike(a: PanelModel, b: PanelModel): boolean {
  if (a === b) return true;
  const isSameFrame =
    a.extent[0] === b.extent[0] && a.extent[1] === b.extent[1] && a.isClipped === b.isClipped && a.hasBand === b.hasBand;
  return isSameFrame && a.style === b.style && a.curves.length === b.curves.length && a.curves.every((curve, i) => isSameCurve(curve, b.curves[i]));
}

function isSameCurve(a: Curve, b: Curve | undefined): boolean {
  if (b === undefined || identityOf(a) !== identityOf(b) || a.line.isRunning !== b.line.isRunning) return false;
  return a.series === b.series && a.isSmoothed === b.isSmoothed && (!a.isSmoothed || a.values === b.values);
}

function identityOf({ line }: Curve): string {
  return `${line.id} ${line.slot}`;
}

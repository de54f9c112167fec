/**
 * The life of a panel's plot: made when the panel first comes near the view, fed by the loader and the bus, destroyed with
 * the panel. React hears only about what must be rendered around the canvas: the panel's state and its kind of y axis.
 */
import { useEffect, useRef, useState, type RefObject } from "react";
import type { SeriesLoader } from "../series/loader";
import type { Range, Series, XAxis } from "../series/series";
import type { Smoothing } from "../series/smoothing";
import { useCharts } from "./context";
import { makeCurve, type Curve, type Line } from "./curves";
import { directionOf } from "./direction";
import { xFormat } from "./numbers";
import { PanelPlot, type PlotListener, type Reading } from "./panel-plot";
import { isSameState, judgePanel, type PanelState } from "./panel-state";
import { wantsLog, type ScaleChoice } from "./range";
import type { ReadoutRow } from "./readout";
import { lineColor, type PlotStyle } from "./style";

export interface PanelSettings {
  readonly axis: XAxis;
  readonly extent: Range;
  /** The extent is that of data, not of a page that has none yet: before that lines have no place. */
  readonly hasExtent: boolean;
  readonly window: Range | null;
  readonly smoothing: Smoothing;
  readonly scale: ScaleChoice;
  readonly isClipped: boolean;
  readonly hasBand: boolean;
}

export interface PanelHooks {
  /** The value for the header: of the line in focus, else of the best line under the cursor. */
  readonly onReading: (lead: Reading | null) => void;
  readonly onDrawn: () => void;
}

export interface Panel {
  readonly state: PanelState;
  readonly isLog: boolean;
  readonly plot: RefObject<PanelPlot | null>;
  readonly curves: RefObject<readonly Curve[]>;
}

interface Inputs {
  readonly metric: string;
  readonly lines: readonly Line[];
  readonly settings: PanelSettings;
  readonly hooks: PanelHooks;
  readonly style: PlotStyle;
}

export function usePanel(
  host: RefObject<HTMLElement | null>,
  metric: string,
  lines: readonly Line[],
  settings: PanelSettings,
  hooks: PanelHooks,
  isInView: boolean,
): Panel {
  const { bus, queue, loader, style, readout } = useCharts();
  const [state, setState] = useState<PanelState>({ kind: "loading" });
  const [isLog, setIsLog] = useState(false);
  const plot = useRef<PanelPlot | null>(null);
  const curves = useRef<readonly Curve[]>([]);
  const inputs = useRef<Inputs>({ metric, lines, settings, hooks, style });
  const refresh = useRef<(smoothing: Smoothing) => void>(() => undefined);
  // The plot lives from the first sight on; panels never seen cost nothing.
  const [isSeen, setIsSeen] = useState(isInView);
  if (isInView && !isSeen) setIsSeen(true);

  useEffect(() => {
    inputs.current = { metric, lines, settings, hooks, style };
    refresh.current = (smoothing) => {
      const now = inputs.current;
      curves.current = readCurves(loader, now.metric, now.lines, smoothing, now.settings.extent);
      const next = judgePanel(loader.stateOf(now.metric), now.lines, curves.current);
      const log = next.kind === "lines" && wantsLog(now.settings.scale, curves.current);
      setState((before) => (isSameState(before, next) ? before : next));
      setIsLog(log);
      if (next.kind === "lines" && !now.settings.hasExtent) return;
      plot.current?.setModel({
        metric: now.metric,
        direction: directionOf(now.metric),
        curves: next.kind === "lines" ? curves.current : [],
        axis: now.settings.axis,
        extent: now.settings.extent,
        isLog: log,
        isClipped: now.settings.isClipped,
        hasBand: now.settings.hasBand,
        style: now.style,
      });
    };
    plot.current?.setWindow(settings.window);
    if (isInView) refresh.current(settings.smoothing);
  }, [metric, lines, settings, hooks, style, loader, isInView]);

  useEffect(() => {
    if (!isSeen || host.current === null) return;
    const listener: PlotListener = {
      onReading: (lead) => inputs.current.hooks.onReading(lead),
      onDrawn: () => inputs.current.hooks.onDrawn(),
      onLeave: () => readout?.hide(),
      onHover: (readings, x, nearest, pointer) => {
        const { metric: title, settings: now, style: colors } = inputs.current;
        const rows = readings.map((reading) => toRow(reading, colors));
        const content = { title, x: xFormat(now.axis).exact(x), rows, nearest: nearest?.curve.line.id ?? null };
        if (rows.length > 0) readout?.show({ ...content, note: noteOf(nearest) }, pointer);
        else readout?.hide();
      },
    };
    const made = new PanelPlot(host.current, bus, queue, listener);
    plot.current = made;
    made.setWindow(inputs.current.settings.window);
    made.setInView(true);
    refresh.current(inputs.current.settings.smoothing);
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [isSeen, host, bus, queue, readout]);

  useEffect(() => plot.current?.setInView(isInView), [isInView]);

  useEffect(() => {
    if (!isInView) return;
    const offLoader = loader.subscribe((keys) => {
      if (keys.has(metric)) refresh.current(inputs.current.settings.smoothing);
    });
    const offSmoothing = bus.on("smoothing", (smoothing) => refresh.current(smoothing));
    return () => {
      offLoader();
      offSmoothing();
    };
  }, [loader, bus, metric, isInView]);

  return { state, isLog, plot, curves };
}

function readCurves(
  loader: SeriesLoader,
  metric: string,
  lines: readonly Line[],
  smoothing: Smoothing,
  [lo, hi]: Range,
): Curve[] {
  const curves: Curve[] = [];
  for (const line of lines) {
    const members: Series[] = [];
    for (const runId of line.runIds) {
      const series = loader.read(runId, metric);
      if (series !== undefined && series !== null) members.push(series);
    }
    const curve = makeCurve(line, members, smoothing, hi - lo);
    if (curve !== null) curves.push(curve);
  }
  return curves;
}

function toRow({ curve, value }: Reading, style: PlotStyle): ReadoutRow {
  const { id, label, detail, slot } = curve.line;
  return { id, color: lineColor(style, slot), isDashed: slot < 0 || slot >= 12, label, detail, value };
}

function noteOf(nearest: Reading | null): string | null {
  if (nearest === null) return null;
  const { curve, index } = nearest;
  const { series } = curve;
  const count = series.count[index] ?? 0;
  if (curve.memberCount > 1) return `${count} runs`;
  return count > 1 ? `${count} points here` : null;
}

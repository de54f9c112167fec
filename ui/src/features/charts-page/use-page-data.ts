/**
 * What the page wants from the loader, and what it knows from it: the extent of x over everything shown, and the figures for
 * the footer. Panels report when they come into view; only those are asked for.
 */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { ChartBus } from "../../charts/bus";
import type { Line } from "../../charts/curves";
import type { FrameQueue } from "../../charts/frame-queue";
import type { LoaderAnswer, SeriesLoader } from "../../series/loader";
import { at, type Range } from "../../series/series";
import type { PaintTime } from "./Footer";
import type { ChartsView } from "./view";

export interface PageData {
  readonly extent: Range;
  readonly isEmpty: boolean;
  readonly points: number;
  readonly drawn: number;
  readonly panelsInView: number;
  readonly paint: PaintTime | null;
  readonly reportInView: (metric: string, isInView: boolean) => void;
  readonly reportDrawn: () => void;
}

interface Figures {
  readonly lo: number;
  readonly hi: number;
  readonly points: number;
  readonly drawn: number;
  readonly panelsInView: number;
}

const NO_FIGURES: Figures = { lo: 0, hi: 1, points: 0, drawn: 0, panelsInView: 0 };

export function usePageData(
  loader: SeriesLoader,
  bus: ChartBus,
  queue: FrameQueue,
  lines: readonly Line[],
  view: ChartsView,
  buckets: number,
): PageData {
  const [figures, setFigures] = useState<Figures>(NO_FIGURES);
  const [paint, setPaint] = useState<PaintTime | null>(null);
  const inView = useRef<Map<string, number>>(new Map());
  const want = useRef<(window: Range | null) => void>(() => undefined);
  const windowNow = useRef(view.window);

  // Before the page is painted: its first request need not wait for that.
  useLayoutEffect(() => {
    windowNow.current = view.window;
    want.current = (window) => {
      if (buckets === 0) return;
      const runIds = [...new Set(lines.flatMap((line) => line.runIds))];
      loader.want({ runIds, keys: [...inView.current.keys()], x: view.x, window, buckets });
    };
    want.current(view.window);
  }, [loader, lines, view.x, view.window, buckets]);

  useEffect(() => {
    const measure = (): void => {
      const next = measurePage(loader, lines, inView.current.keys());
      setFigures((before) => (isSame(before, next) ? before : next));
    };
    measure();
    const offLoader = loader.subscribe(measure);
    const offZoom = bus.on("zoom", ({ window }) => want.current(window));
    return () => {
      offLoader();
      offZoom();
    };
  }, [loader, bus, lines]);

  const reportInView = useCallback((metric: string, isInView: boolean): void => {
    // The same metric may be on screen twice: in its panel and enlarged.
    const count = (inView.current.get(metric) ?? 0) + (isInView ? 1 : -1);
    if (count > 0) inView.current.set(metric, count);
    else inView.current.delete(metric);
    want.current(windowNow.current);
  }, []);
  const reportDrawn = usePaintTime(loader, queue, setPaint);
  const { lo, hi, points, drawn, panelsInView } = figures;
  return { extent: useExtent(lo, hi), isEmpty: points === 0, points, drawn, panelsInView, paint, reportInView, reportDrawn };
}

/** A pair that stays the same object while its numbers do. */
function useExtent(lo: number, hi: number): Range {
  const [extent, setExtent] = useState<Range>([lo, hi]);
  if (extent[0] === lo && extent[1] === hi) return extent;
  const next: Range = [lo, hi];
  setExtent(next);
  return next;
}

function measurePage(loader: SeriesLoader, lines: readonly Line[], metrics: Iterable<string>): Figures {
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  let points = 0;
  let drawn = 0;
  let panelsInView = 0;
  for (const metric of metrics) {
    panelsInView++;
    for (const line of lines) {
      for (const runId of line.runIds) {
        const series = loader.read(runId, metric);
        if (series === undefined || series === null || series.x.length === 0) continue;
        lo = Math.min(lo, at(series.x, 0));
        hi = Math.max(hi, at(series.x, series.x.length - 1));
        points += series.n;
        drawn += series.x.length;
      }
    }
  }
  if (lo > hi) return { ...NO_FIGURES, panelsInView };
  // A single step has no width; the axis needs one.
  return { lo, hi: hi > lo ? hi : lo + 1, points, drawn, panelsInView };
}

function isSame(a: Figures, b: Figures): boolean {
  return (
    a.lo === b.lo && a.hi === b.hi && a.points === b.points && a.drawn === b.drawn && a.panelsInView === b.panelsInView
  );
}

/** Time from the last request to the frame in which the last panel showed its answer. */
function usePaintTime(loader: SeriesLoader, queue: FrameQueue, report: (paint: PaintTime) => void): () => void {
  const measured = useRef<LoaderAnswer | null>(null);
  return useCallback(() => {
    const answer = loader.lastAnswer;
    if (answer === null || measured.current === answer) return;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      if (!queue.isIdle || measured.current === answer) return;
      measured.current = answer;
      const now = performance.now();
      report({ total: now - answer.askedAt, draw: now - answer.cameAt });
    };
    // A message posted inside a frame is delivered once the frame has been produced.
    requestAnimationFrame(() => channel.port2.postMessage(null));
  }, [loader, queue, report]);
}

/** The pointer over a plot: moving reads, dragging selects a window of x, a double click shows everything again. */
import type uPlot from "uplot";
import type { Range } from "../series/series";

export interface PointerListener {
  readonly onMove: (left: number, clientX: number, clientY: number) => void;
  readonly onLeave: () => void;
  readonly onZoom: (window: Range | null) => void;
}

/** Less than this is a click of an unsteady hand. */
const DRAG_PIXELS = 5;

export function attachPointer(u: uPlot, listener: PointerListener): () => void {
  const { over } = u;
  const controller = new AbortController();
  const { signal } = controller;
  let start: number | null = null;

  const leftOf = (event: PointerEvent): number => {
    const { left, width } = u.rect;
    return Math.max(0, Math.min(width, event.clientX - left));
  };
  const select = (a: number, b: number): void => {
    const left = Math.min(a, b);
    u.setSelect({ left, top: 0, width: Math.abs(a - b), height: over.clientHeight }, false);
  };
  const end = (): void => {
    start = null;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };

  // uPlot remembers where it stands until something is scrolled or resized; a fold above moves it as well.
  over.addEventListener("pointerenter", () => u.syncRect(true), { signal });
  over.style.touchAction = "pan-y";
  over.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    start = leftOf(event);
    over.setPointerCapture(event.pointerId);
  }, { signal });
  over.addEventListener("pointermove", (event) => {
    const left = leftOf(event);
    if (start !== null && Math.abs(left - start) >= DRAG_PIXELS) select(start, left);
    listener.onMove(left, event.clientX, event.clientY);
  }, { signal });
  over.addEventListener("pointerup", (event) => {
    const [from, to] = [start, leftOf(event)];
    end();
    if (from === null || Math.abs(to - from) < DRAG_PIXELS) return;
    listener.onZoom([u.posToVal(Math.min(from, to), "x"), u.posToVal(Math.max(from, to), "x")]);
  }, { signal });
  over.addEventListener("pointercancel", end, { signal });
  over.addEventListener("pointerleave", () => {
    if (start === null) listener.onLeave();
  }, { signal });
  over.addEventListener("dblclick", () => listener.onZoom(null), { signal });
  return () => controller.abort();
}

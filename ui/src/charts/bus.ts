/**
 * What moves on every frame goes from panel to panel over this bus and never through React state: the cursor, the line
 * in focus, the zoom window and the smoothing while they are dragged. Several cursor moves within a frame reach the
 * listeners once.
 */
import type { Range } from "../series/series";
import { roundWindow } from "./rail-window";
import type { Smoothing } from "../series/smoothing";

export interface BusEvents {
  /** x under the pointer; null when it left. `from` is who moved it. */
  cursor: { readonly x: number | null; readonly from: symbol };
  /** The line to lift, null for none. */
  focus: string | null;
  /** The visible window of x; null shows everything. `isFinal`: the gesture has ended. */
  zoom: { readonly window: Range | null; readonly isFinal: boolean };
  /** The slider is being dragged: draw with this, the view takes it when the hand rests. */
  smoothing: Smoothing;
}

type Listener<K extends keyof BusEvents> = (event: BusEvents[K]) => void;
type Listeners = { [K in keyof BusEvents]: Set<Listener<K>> };

export class ChartBus {
  private readonly listeners: Listeners = { cursor: new Set(), focus: new Set(), zoom: new Set(), smoothing: new Set() };
  private cursorFrame: number | null = null;
  private nextCursor: BusEvents["cursor"] | null = null;
  private focusNow: string | null = null;

  on<K extends keyof BusEvents>(name: K, listener: Listener<K>): () => void {
    const set: Set<Listener<K>> = this.listeners[name];
    set.add(listener);
    return () => set.delete(listener);
  }

  /** Moves are gathered and told once a frame. */
  moveCursor(x: number | null, from: symbol): void {
    this.nextCursor = { x, from };
    this.cursorFrame ??= requestAnimationFrame(() => {
      this.cursorFrame = null;
      const event = this.nextCursor;
      this.nextCursor = null;
      if (event !== null) for (const listener of this.listeners.cursor) listener(event);
    });
  }

  focus(lineId: string | null): void {
    if (lineId === this.focusNow) return;
    this.focusNow = lineId;
    for (const listener of this.listeners.focus) listener(lineId);
  }

  get focused(): string | null {
    return this.focusNow;
  }

  /** The window that a gesture ends with is rounded: it goes into the URL, and a pixel is not that exact. */
  zoom(window: Range | null, isFinal: boolean): void {
    const exact = window === null || !isFinal ? window : roundWindow(window);
    for (const listener of this.listeners.zoom) listener({ window: exact, isFinal });
  }

  smooth(smoothing: Smoothing): void {
    for (const listener of this.listeners.smoothing) listener(smoothing);
  }
}

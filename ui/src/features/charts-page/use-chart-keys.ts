/** The keys of this page. They stay out of the way of typing, of menus and of the browser's own. */
import { useLayoutEffect, useRef } from "react";
import type { ChartBus } from "../../charts/bus";
import type { ChartsView } from "./view";

const WEIGHT_STEP = 0.05;
const AXES = ["step", "relative", "time"] as const;

export function useChartKeys(view: ChartsView, bus: ChartBus, onChange: (change: Partial<ChartsView>) => void): void {
  const latest = useRef({ view, onChange });
  useLayoutEffect(() => {
    latest.current = { view, onChange };
  }, [view, onChange]);
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const { view: now, onChange: change } = latest.current;
      if (event.key === "Escape") {
        if (now.window !== null) bus.zoom(null, true);
        else bus.focus(null);
        return;
      }
      const next = changeFor(event.key, now);
      if (next === null) return;
      event.preventDefault();
      change(next);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [bus]);
}

export function changeFor(key: string, view: ChartsView): Partial<ChartsView> | null {
  switch (key) {
    case "[":
      return { smoothing: { ...view.smoothing, weight: stepWeight(view.smoothing.weight, -WEIGHT_STEP) } };
    case "]":
      return { smoothing: { ...view.smoothing, weight: stepWeight(view.smoothing.weight, WEIGHT_STEP) } };
    case "l":
      return { isLog: !view.isLog };
    case "e":
      return { hasBand: !view.hasBand };
    case "x": {
      const here = AXES.findIndex((axis) => axis === view.x);
      return { x: AXES[(here + 1) % AXES.length] ?? "step", window: null };
    }
    default:
      return null;
  }
}

function stepWeight(weight: number, by: number): number {
  return Math.max(0, Math.min(0.99, Number((weight + by).toFixed(2))));
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return target.type !== "range" && target.type !== "checkbox";
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

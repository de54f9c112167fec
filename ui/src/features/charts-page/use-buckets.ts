/**
 * How many buckets a panel asks for: three for two pixels of its width, which keeps the grain of a raw line. In steps, so
 * that a resize seldom fetches.
 */
import { useEffect, useState, type RefObject } from "react";
import type { PanelSize } from "./view";

const STEPS = [400, 600, 800, 1000, 1200, 1600, 2000, 2500];
/** Axis, padding and border of a panel. */
const FRAME_PIXELS = 56;

export function bucketsFor(panelWidth: number): number {
  const wanted = 1.5 * (panelWidth - FRAME_PIXELS);
  return STEPS.find((step) => step >= wanted) ?? 2500;
}

export function useBuckets(scroll: RefObject<HTMLElement | null>, size: PanelSize): number {
  const [buckets, setBuckets] = useState(0);
  useEffect(() => {
    const element = scroll.current;
    if (element === null) return;
    const measure = (): void => {
      const panel = element.querySelector(".panel:not(.is-wide)") ?? element.querySelector(".panel") ?? element;
      setBuckets(bucketsFor(panel.clientWidth));
    };
    const sizes = new ResizeObserver(measure);
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [scroll, size]);
  return buckets;
}

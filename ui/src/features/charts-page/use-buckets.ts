/**
 * How many buckets a panel asks for: some more than it has pixels, which keeps the grain of a raw line. In steps, so that
 * a resize seldom fetches.
 */
import { useLayoutEffect, useState, type RefObject } from "react";
import type { PanelSize } from "./view";

const STEPS = [300, 400, 600, 800, 1000, 1200, 1600, 2000, 2500];
/** Axis, padding and border of a panel. */
const FRAME_PIXELS = 56;
const GAP_PIXELS = 8;
/** As --panel-min in charts-page.css. */
const LEAST_WIDTH: Record<PanelSize, number> = { s: 200, m: 280, l: 460 };

export function bucketsFor(width: number): number {
  const wanted = 1.2 * (width - FRAME_PIXELS);
  return STEPS.find((step) => step >= wanted) ?? 2500;
}

/** No fewer columns than this are made where they fit: one panel over the whole width says no more than half of it. */
const FEWEST = 2;

/** The columns that the longest section fills: shorter ones keep to them, so that panels stand below each other. */
export function mostColumns(sections: readonly { readonly metrics: readonly string[] }[]): number {
  return Math.max(FEWEST, ...sections.map((section) => section.metrics.length));
}

/** The width of one panel in a grid that fits as many as it can, up to `most` in a row. */
export function panelWidth(gridWidth: number, size: PanelSize, most: number): number {
  const fitting = Math.floor((gridWidth + GAP_PIXELS) / (LEAST_WIDTH[size] + GAP_PIXELS));
  const columns = Math.max(1, Math.min(most, fitting));
  return (gridWidth - (columns - 1) * GAP_PIXELS) / columns;
}

/** 0 until the page has a width. */
export function useBuckets(scroll: RefObject<HTMLElement | null>, size: PanelSize, most: number): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = scroll.current;
    if (element === null) return;
    // oxlint-disable-next-line react/set-state-in-effect -- the width is known once the page has been laid out
    setWidth(element.clientWidth);
    const sizes = new ResizeObserver(() => setWidth(element.clientWidth));
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [scroll]);
  return width === 0 ? 0 : bucketsFor(panelWidth(width, size, most));
}

/** Measures of the grid that come from the style sheet and the window. */
import { useEffect, useState, type RefObject } from "react";
import { usePreferences } from "../../lib/preferences";

export interface Measures {
  readonly row: number;
  readonly groupRow: number;
  /** Width of swatch, name and spark line at least. */
  readonly lead: number;
  readonly mostLead: number;
  readonly width: number;
  /** How far the columns are scrolled. */
  readonly left: number;
}

const NARROW_LEAD = 170;
const LEAD = 198;
/** Beside the charts of a small window: the spark line leaves its place to the name. */
export const NARROW = 430;
const WIDE = 760;
const WIDE_LEAD = 330;

/** What the columns leave is the leading cells'; they give a little way where that lets every column be seen. */
const GIVES = 26;

export function leadOf(measures: Measures, columnsWidth: number): number {
  const left = measures.width - columnsWidth;
  const least = left >= measures.lead - GIVES ? left : measures.lead;
  return Math.min(measures.mostLead, Math.max(least, left));
}

export function useMeasures(scroll: RefObject<HTMLDivElement | null>): Measures {
  const { density } = usePreferences();
  const [size, setSize] = useState({ width: 0, left: 0 });
  useEffect(() => {
    const element = scroll.current;
    if (element === null) return;
    const onSize = (): void => {
      const width = element.clientWidth;
      setSize((before) => (before.width === width ? before : { ...before, width }));
    };
    const onScroll = (): void => {
      const left = element.scrollLeft;
      setSize((before) => (before.left === left ? before : { ...before, left }));
    };
    const watch = new ResizeObserver(onSize);
    watch.observe(element);
    // Before the rows are drawn anew: to read a measure after that would lay the table out twice.
    const early = { passive: true, capture: true };
    element.addEventListener("scroll", onScroll, early);
    return () => {
      watch.disconnect();
      element.removeEventListener("scroll", onScroll, early);
    };
  }, [scroll]);
  const isCompact = density === "compact";
  return {
    row: isCompact ? 26 : 32,
    groupRow: isCompact ? 28 : 34,
    lead: size.width > 0 && size.width < NARROW ? NARROW_LEAD : LEAD,
    // In a wide table names and values must stay near each other.
    mostLead: size.width > WIDE ? WIDE_LEAD : Number.POSITIVE_INFINITY,
    ...size,
  };
}

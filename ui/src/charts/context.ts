/** What all panels of a page share. Made once by the page; a test can have two. */
import { createContext, useContext } from "react";
import type { SeriesLoader } from "../series/loader";
import type { ChartBus } from "./bus";
import type { FrameQueue } from "./frame-queue";
import type { Readout } from "./readout";
import type { PlotStyle } from "./style";

export interface ChartsContextValue {
  readonly bus: ChartBus;
  readonly queue: FrameQueue;
  readonly loader: SeriesLoader;
  readonly style: PlotStyle;
  /** Null until the page has mounted its read-out. */
  readonly readout: Readout | null;
}

export const ChartsContext = createContext<ChartsContextValue | null>(null);

export function useCharts(): ChartsContextValue {
  const value = useContext(ChartsContext);
  if (value === null) throw new Error("a chart needs a ChartsContext around it");
  return value;
}

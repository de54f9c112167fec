/**
 * The Charts tab: toolbar, rail, panels by section, footer. It holds no view of its own: `view` comes from the URL and
 * changes go back through `onChange`. The loader and the bus belong to the experiment page, which also feeds them:
 * `bus.focus` from the run table, `loader.refresh` from the live stream.
 */
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { ChartBus } from "../../charts/bus";
import { ChartsContext, type ChartsContextValue } from "../../charts/context";
import type { Line } from "../../charts/curves";
import type { PaletteMode, Theme } from "../../charts/palette";
import { FrameQueue } from "../../charts/frame-queue";
import { Rail } from "../../charts/Rail";
import { Readout } from "../../charts/readout";
import { readPlotStyle } from "../../charts/style";
import type { SeriesLoader } from "../../series/loader";
import { Footer } from "./Footer";
import type { MetricInfo } from "./MetricTree";
import { PanelItem } from "./PanelItem";
import { PanelSection } from "./PanelSection";
import { groupIntoSections } from "./sections";
import { Toolbar } from "./Toolbar";
import { mostColumns, useBuckets } from "./use-buckets";
import { useChartKeys } from "./use-chart-keys";
import { usePageData } from "./use-page-data";
import type { ChartsView } from "./view";
import "uplot/dist/uPlot.min.css";
import "../../charts/charts.css";
import "./charts-page.css";

export interface ChartsPageProps {
  readonly lines: readonly Line[];
  readonly metrics: readonly MetricInfo[];
  readonly view: ChartsView;
  readonly onChange: (change: Partial<ChartsView>) => void;
  readonly loader: SeriesLoader;
  readonly bus: ChartBus;
  readonly theme: Theme;
  readonly paletteMode?: PaletteMode;
  /** Controls of the surrounding page for the toolbar: named views. */
  readonly toolbar?: ReactNode;
}

export function ChartsPage(props: ChartsPageProps) {
  const { lines, metrics, view, onChange, loader, bus, theme, paletteMode = "hues", toolbar } = props;
  const scroll = useRef<HTMLDivElement>(null);
  const [readout, setReadout] = useState<Readout | null>(null);
  const [queue] = useState(() => new FrameQueue());
  const style = useMemo(() => readPlotStyle(theme, paletteMode), [theme, paletteMode]);
  const context = useMemo<ChartsContextValue>(
    () => ({ bus, queue, loader, style, readout }),
    [bus, queue, loader, style, readout],
  );
  const keys = useMemo(() => metrics.map(({ key }) => key), [metrics]);
  const sections = useMemo(() => groupIntoSections(keys, view.layout), [keys, view.layout]);
  const most = mostColumns(sections);
  const buckets = useBuckets(scroll, view.layout.size, most);
  const data = usePageData(loader, bus, queue, lines, view, buckets);
  const panelCount = sections.reduce((sum, section) => sum + section.metrics.length, 0);
  useChartKeys(view, bus, onChange);
  useEffect(
    () =>
      bus.on("zoom", ({ window, isFinal }) => {
        if (isFinal) onChange({ window });
      }),
    [bus, onChange],
  );
  const mountReadout = useCallback((element: HTMLDivElement | null) => {
    setReadout(element === null ? null : new Readout(element));
  }, []);

  const fold = (name: string, isFolded: boolean): void => {
    const others = view.layout.folded.filter((other) => other !== name);
    onChange({ layout: { ...view.layout, folded: isFolded ? [...others, name] : others } });
  };
  return (
    <ChartsContext value={context}>
      <div className="charts-page" data-size={view.layout.size}>
        <Toolbar view={view} metrics={metrics} bus={bus} onChange={onChange}>
          {toolbar}
        </Toolbar>
        <div className="rail-wrap">
          <Rail axis={view.x} extent={data.extent} window={view.window} isEmpty={data.isEmpty} />
        </div>
        <div className="charts-scroll" ref={scroll} style={{ "--most-columns": most }} onScroll={() => readout?.hide()}>
          {sections.map((section) => (
            <PanelSection
              key={section.name}
              section={section}
              isFolded={view.layout.folded.includes(section.name)}
              onFold={(isFolded) => fold(section.name, isFolded)}
            >
              {(metric) => (
                <PanelItem
                  key={metric}
                  metric={metric}
                  section={section}
                  lines={lines}
                  view={view}
                  extent={data.extent}
                  hasExtent={!data.isEmpty}
                  onChange={onChange}
                  onInView={data.reportInView}
                  onDrawn={data.reportDrawn}
                />
              )}
            </PanelSection>
          ))}
          {panelCount === 0 && <NoPanels hasMetrics={metrics.length > 0} />}
        </div>
        <Footer
          stats={{
            lines: lines.length,
            panels: panelCount,
            panelsInView: data.panelsInView,
            points: data.points,
            drawn: data.drawn,
          }}
          paint={data.paint}
        />
        <div ref={mountReadout} aria-hidden="true" />
      </div>
    </ChartsContext>
  );
}

function NoPanels({ hasMetrics }: { hasMetrics: boolean }) {
  return (
    <p className="no-panels">
      {hasMetrics ? "All panels are hidden. Choose some with “Panel”." : "No metric has been logged in this experiment yet."}
    </p>
  );
}

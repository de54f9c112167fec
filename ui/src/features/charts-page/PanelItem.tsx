/** A panel on the page: the chart with its menu, its dialogs, and its place in the section. */
import { lazy, Suspense, useMemo, useState, type DragEvent } from "react";
import { Chart } from "../../charts/Chart";
import { useCharts } from "../../charts/context";
import type { Curve, Line } from "../../charts/curves";
import type { DownloadKind } from "../../charts/picture";
import type { Range } from "../../series/series";
import type { Panel, PanelSettings } from "../../charts/use-panel";
import { PanelMenu } from "./PanelMenu";
import { dropMetric, moveMetric, type Section } from "./sections";
import { scaleOf, type ChartsView, type PanelLayout } from "./view";

interface Props {
  readonly metric: string;
  readonly section: Section;
  readonly lines: readonly Line[];
  readonly view: ChartsView;
  readonly extent: Range;
  readonly hasExtent: boolean;
  readonly onChange: (change: Partial<ChartsView>) => void;
  readonly onInView: (metric: string, isInView: boolean) => void;
  readonly onDrawn: () => void;
}

// Not needed to see a chart: these come when they are opened.
const Dialog = lazy(async () => ({ default: (await import("./Dialog")).Dialog }));
const TableDialog = lazy(async () => ({ default: (await import("./TableDialog")).TableDialog }));

const DRAG_TYPE = "text/x-gnomon-panel";

export function PanelItem({ metric, section, lines, view, extent, hasExtent, onChange, onInView, onDrawn }: Props) {
  const { style } = useCharts();
  const [table, setTable] = useState<readonly Curve[] | null>(null);
  const [isLarge, setIsLarge] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const { layout } = view;
  const scale = scaleOf(view, metric);
  const settings = useMemo<PanelSettings>(
    () => ({
      axis: view.x,
      extent,
      hasExtent,
      window: view.window,
      smoothing: view.smoothing,
      scale,
      isClipped: view.isClipped,
      hasBand: view.hasBand,
    }),
    [view.x, extent, hasExtent, view.window, view.smoothing, scale, view.isClipped, view.hasBand],
  );
  const change = (part: Partial<PanelLayout>): void => onChange({ layout: { ...layout, ...part } });
  const isWide = layout.wide.includes(metric);
  const place = section.metrics.indexOf(metric);
  const hide = (): void => change({ hidden: [...layout.hidden, metric] });

  const download = (kind: DownloadKind, { plot, curves, isLog }: Panel): void => {
    if (plot.current === null) return;
    const picture = {
      title: metric,
      curves: curves.current,
      axis: view.x,
      x: plot.current.visibleRange,
      y: plot.current.yScale,
      isLog,
      hasBand: view.hasBand,
      style,
    };
    import("../../charts/download")
      .then(({ downloadPanel }) => downloadPanel(kind, picture))
      .catch((error: unknown) => setFailure(String(error)));
  };
  const menu = (panel: Panel) => (
    <PanelMenu
      metric={metric}
      scale={layout.scales[metric] ?? "auto"}
      isWide={isWide}
      isFirst={place === 0}
      isLast={place === section.metrics.length - 1}
      onScale={(next) => change({ scales: { ...layout.scales, [metric]: next } })}
      onWide={(next) => change({ wide: next ? [...layout.wide, metric] : layout.wide.filter((other) => other !== metric) })}
      onMove={(by) => change({ order: moveMetric(section, metric, by, layout.order) })}
      onHide={hide}
      onEnlarge={() => setIsLarge(true)}
      onTable={() => setTable(panel.curves.current)}
      onDownload={(kind) => download(kind, panel)}
    />
  );
  const onDrop = (event: DragEvent): void => {
    const dragged = event.dataTransfer.getData(DRAG_TYPE);
    if (dragged === "" || dragged === metric) return;
    event.preventDefault();
    change({ order: dropMetric(section, dragged, metric, layout.order) });
  };
  return (
    <div
      className={`panel-item${isWide ? " is-wide" : ""}`}
      onDragOver={(event) => {
        if (event.dataTransfer.types.includes(DRAG_TYPE)) event.preventDefault();
      }}
      onDrop={onDrop}
    >
      <Chart
        metric={metric}
        lines={lines}
        settings={settings}
        onInView={onInView}
        onDrawn={onDrawn}
        menu={menu}
        onHide={hide}
        onDragStart={(event) => event.dataTransfer.setData(DRAG_TYPE, metric)}
      />
      {failure !== null && (
        <p className="panel-failure" role="alert">
          {failure}{" "}
          <button type="button" className="quiet" onClick={() => setFailure(null)}>
            Close
          </button>
        </p>
      )}
      <Suspense fallback={null}>
        {table !== null && (
          <TableDialog metric={metric} curves={table} axis={view.x} window={view.window} onClose={() => setTable(null)} />
        )}
        {isLarge && (
          <Dialog title={metric} className="is-large" onClose={() => setIsLarge(false)}>
            <Chart metric={metric} lines={lines} settings={settings} onInView={onInView} onDrawn={onDrawn} />
          </Dialog>
        )}
      </Suspense>
    </div>
  );
}

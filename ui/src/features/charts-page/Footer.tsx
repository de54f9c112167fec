/** What was drawn, honestly: how many points there are, how many marks stand for them, and how long it took. */
import { formatCount, group } from "../../charts/numbers";

export interface PageStats {
  readonly lines: number;
  readonly panels: number;
  readonly panelsInView: number;
  /** Points behind what is in view. */
  readonly points: number;
  /** Buckets drawn for them. */
  readonly drawn: number;
}

export interface PaintTime {
  /** From the request to pixels. */
  readonly total: number;
  /** From the answer in hand to pixels. */
  readonly draw: number;
}

export function Footer({ stats, paint }: { stats: PageStats; paint: PaintTime | null }) {
  const { lines, panels, panelsInView, points, drawn } = stats;
  const isEvery = points > 0 && drawn >= points;
  return (
    <footer className="charts-footer">
      <span>
        {lines} {lines === 1 ? "line" : "lines"} × {panels} {panels === 1 ? "panel" : "panels"}
        {panelsInView < panels && `, ${panelsInView} in view`}
      </span>
      {points > 0 && (
        <span
          title={`${group(points)} points, ${group(drawn)} buckets. Each bucket keeps the mean, minimum and maximum of all of its points.`}
        >
          {isEvery ? `${formatCount(points)} points, every one drawn` : `${formatCount(points)} points, ${formatCount(drawn)} drawn, extremes exact`}
        </span>
      )}
      {paint !== null && (
        <span className="paint-time" title={`${Math.round(paint.draw)} ms from the answer to pixels, ${Math.round(paint.total)} ms from the request`}>
          data to pixels {Math.round(paint.total)} ms
        </span>
      )}
      <span className="grow" />
      <span className="keys">
        <kbd>Drag</kbd> zoom
      </span>
      <span className="keys">
        <kbd>Esc</kbd> reset
      </span>
      <span className="keys">
        <kbd>[</kbd>
        <kbd>]</kbd> smoothing
      </span>
      <span className="keys">
        <kbd>?</kbd> all keys
      </span>
    </footer>
  );
}

/**
 * Distributions over the steps: a column for each step, the darker the more values lie there. Of many steps an even
 * choice is drawn, and the note says so.
 */
import { useQueries } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import { artifactBytesQuery } from "../../api/artifacts";
import { formatValue } from "../../charts/numbers";
import { MOST_TEXT } from "../artifacts/file-kind";
import type { MediaItem } from "./items";
import { columnsOf, type ValueRange } from "./histogram-steps";
import { readHistogram } from "./table";
import { drawnSteps, filesOf } from "./use-histogram-range";

interface Props {
  readonly runId: string;
  readonly color: string;
  readonly steps: ReadonlyMap<number, readonly MediaItem[]>;
  /** The chosen step, marked. */
  readonly step: number;
  readonly range: ValueRange | null;
}

const CELL = 5;
const ROWS = 40;

export function HistogramSteps({ runId, color, steps, step, range }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const chosen = useMemo(() => drawnSteps(steps), [steps]);
  const answers = useQueries({ queries: filesOf(steps).map((file) => artifactBytesQuery(runId, file, MOST_TEXT)) });
  const loaded = answers.filter(({ data }) => data !== undefined).length;
  const grid = useMemo(
    () => (range === null ? null : columnsOf(answers.map(({ data }) => (data === undefined ? null : readHistogram(data))), ROWS, range)),
    // The answers are a new list each time; how many have come decides.
    // oxlint-disable-next-line react/exhaustive-deps
    [loaded, chosen, range],
  );
  useEffect(() => {
    const context = canvas.current?.getContext("2d") ?? null;
    if (context === null || grid === null) return;
    context.clearRect(0, 0, chosen.length * CELL, ROWS);
    context.fillStyle = color.startsWith("#") ? color : "#808080";
    grid.shares.forEach((column, i) =>
      column.forEach((share, row) => {
        context.globalAlpha = share;
        context.fillRect(i * CELL, ROWS - 1 - row, CELL, 1);
      }),
    );
  }, [grid, color, chosen]);
  if (chosen.length < 2 || grid === null) return null;
  const marked = chosen.findLastIndex((at) => at <= step);
  return (
    <figure className="media-item media-steps">
      <div>
        <canvas ref={canvas} width={chosen.length * CELL} height={ROWS} role="img" aria-label={`Distribution over ${steps.size} steps`} />
        {marked >= 0 && <i style={{ left: `${((marked + 0.5) / chosen.length) * 100}%` }} />}
      </div>
      <figcaption>
        {formatValue(grid.lo)} to {formatValue(grid.hi)}, over {steps.size === chosen.length ? steps.size : `${chosen.length} of ${steps.size}`} steps
      </figcaption>
    </figure>
  );
}

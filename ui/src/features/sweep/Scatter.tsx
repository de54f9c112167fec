/** Each run as a point: one parameter across, the target up, coloured by another parameter or as on the charts. */
import { useCallback, useMemo, useRef, type MouseEvent, type PointerEvent } from "react";
import { colorOf, rampColor } from "../../charts/palette";
import type { PlotStyle } from "../../charts/style";
import { at } from "../../series/series";
import { axisScale } from "./axis-scale";
import { dot, paintPlane, planeOf } from "./plane";
import type { Dimension, Sweep } from "./sweep-data";
import { useCanvas, useSize } from "./use-canvas";

interface Props {
  readonly sweep: Sweep;
  readonly across: Dimension;
  readonly tint: Dimension | null;
  /** Colours of the runs shown on the charts. */
  readonly slots: ReadonlyMap<string, number>;
  readonly style: PlotStyle;
  readonly within: readonly boolean[];
  readonly focus: number | null;
  readonly onFocus: (run: number | null) => void;
  readonly onOpen: (run: number) => void;
}

const RADIUS = 3.5;
const HIT_PIXELS = 12;

export function Scatter({ sweep, across, tint, slots, style, within, focus, onFocus, onOpen }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const scales = useMemo(() => ({ across: axisScale(across, 6), up: axisScale(sweep.target, 6) }), [across, sweep.target]);
  const color = useMemo(() => tintOf(sweep, tint, slots, style), [sweep, tint, slots, style]);
  const points = useMemo(() => {
    const plane = planeOf(size);
    return sweep.runs.map((_, i) => ({
      x: plane.px(scales.across.place(at(across.values, i))),
      y: plane.py(scales.up.place(at(sweep.target.values, i))),
    }));
  }, [size, sweep, across, scales]);
  const canvas = useCanvas(
    size,
    useCallback(
      (context, area) => {
        paintPlane(context, area, style, scales.across, scales.up);
        points.forEach(({ x, y }, i) => {
          if (Number.isNaN(x) || Number.isNaN(y)) return;
          const fill = color(i);
          context.globalAlpha = within[i] === true ? 1 : 0.15;
          dot(context, x, y, focus === i ? RADIUS + 2 : RADIUS);
          context.fillStyle = fill ?? style.surface;
          context.fill();
          context.strokeStyle = focus === i ? style.ink : (fill ?? style.axis);
          context.lineWidth = focus === i ? 2 : 1.2;
          context.stroke();
        });
        context.globalAlpha = 1;
      },
      [style, scales, points, color, within, focus],
    ),
  );
  const runUnder = (event: PointerEvent | MouseEvent): number | null => {
    const bounds = event.currentTarget.getBoundingClientRect();
    const [px, py] = [event.clientX - bounds.left, event.clientY - bounds.top];
    let best: number | null = null;
    let distance = HIT_PIXELS;
    points.forEach(({ x, y }, i) => {
      const away = Math.hypot(x - px, y - py);
      if (within[i] === true && away < distance) [best, distance] = [i, away];
    });
    return best;
  };
  return (
    <div
      className="sweep-plot"
      ref={box}
      onPointerMove={(event) => onFocus(runUnder(event))}
      onPointerLeave={() => onFocus(null)}
      onClick={(event) => {
        const run = runUnder(event);
        if (run !== null) onOpen(run);
      }}
    >
      <canvas ref={canvas} role="img" aria-label={`${sweep.target.key} by ${across.key}, ${sweep.runs.length} runs`} />
    </div>
  );
}

function tintOf(
  sweep: Sweep,
  tint: Dimension | null,
  slots: ReadonlyMap<string, number>,
  style: PlotStyle,
): (run: number) => string | null {
  if (tint === null) {
    return (run) => {
      const slot = slots.get(sweep.runs[run]?.id ?? "");
      return slot === undefined ? null : colorOf(slot, style.theme, style.mode);
    };
  }
  if (tint.kind === "category") {
    return (run) => {
      const value = at(tint.values, run);
      return Number.isNaN(value) ? null : colorOf(value, style.theme);
    };
  }
  const { place } = axisScale(tint, 5);
  return (run) => {
    const share = place(at(tint.values, run));
    return Number.isNaN(share) ? null : rampColor(share, style.theme);
  };
}

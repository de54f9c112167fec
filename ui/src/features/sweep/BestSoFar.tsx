/** Each run in the order it began, and the line of the best value known by then: whether the search still gains. */
import { useCallback, useMemo, useRef, type PointerEvent } from "react";
import { withAlpha } from "../../charts/palette";
import type { PlotStyle } from "../../charts/style";
import { axisScale } from "./axis-scale";
import { bestSoFar } from "./best-so-far";
import { dot, paintPlane, planeOf } from "./plane";
import { makeDimension, type Sweep } from "./sweep-data";
import { useCanvas, useSize } from "./use-canvas";

interface Props {
  readonly sweep: Sweep;
  readonly style: PlotStyle;
  readonly focus: number | null;
  readonly onFocus: (run: number | null) => void;
}

const HIT_PIXELS = 12;

export function BestSoFar({ sweep, style, focus, onFocus }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const steps = useMemo(() => bestSoFar(sweep), [sweep]);
  const { across, up, points } = useMemo(() => {
    const order = axisScale(makeDimension("run", "run", steps.map((step) => step.order)), 6);
    const value = axisScale(sweep.target, 6);
    const plane = planeOf(size);
    return {
      across: order,
      up: value,
      points: steps.map((step) => ({
        ...step,
        x: plane.px(order.place(step.order)),
        y: plane.py(value.place(step.value)),
        bestY: plane.py(value.place(step.best)),
      })),
    };
  }, [steps, sweep.target, size]);
  const canvas = useCanvas(
    size,
    useCallback(
      (context, area) => {
        paintPlane(context, area, style, across, up);
        context.beginPath();
        points.forEach(({ x, bestY }, i) => {
          const before = points[i - 1];
          if (before === undefined) context.moveTo(x, bestY);
          else {
            context.lineTo(x, before.bestY);
            context.lineTo(x, bestY);
          }
        });
        context.strokeStyle = style.accent;
        context.lineWidth = 1.75;
        context.stroke();
        for (const { x, y, isBest, run } of points) {
          const isFocused = run === focus;
          dot(context, x, y, isFocused ? 5 : isBest ? 3.5 : 2.5);
          context.fillStyle = isFocused ? style.ink : isBest ? style.accent : withAlpha(style.axis, 0.5);
          context.fill();
        }
      },
      [style, across, up, points, focus],
    ),
  );
  const onPointerMove = (event: PointerEvent): void => {
    const bounds = event.currentTarget.getBoundingClientRect();
    const [px, py] = [event.clientX - bounds.left, event.clientY - bounds.top];
    let best: number | null = null;
    let distance = HIT_PIXELS;
    for (const { x, y, run } of points) {
      const away = Math.hypot(x - px, y - py);
      if (away < distance) [best, distance] = [run, away];
    }
    onFocus(best);
  };
  const gains = steps.filter((step) => step.isBest);
  const last = gains.at(-1);
  return (
    <>
      <div className="sweep-plot" ref={box} onPointerMove={onPointerMove} onPointerLeave={() => onFocus(null)}>
        <canvas ref={canvas} role="img" aria-label={`Best ${sweep.target.key} so far over ${steps.length} runs`} />
      </div>
      <p className="sweep-note">
        {last === undefined
          ? "No run has a finite value yet."
          : `The best came with run ${last.order} of ${steps.length}, ${sweep.runs[last.run]?.name ?? ""}.`}
      </p>
    </>
  );
}

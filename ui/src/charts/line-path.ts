/**
 * The path of a line, over its own x. Lines of one panel need not share an axis, so runs that log at different steps, or
 * any runs over time, cost no more than those that share one, and each bucket stands where its data is.
 */
import { at } from "../series/series";
import type { Curve } from "./curves";
import type { Frame } from "./frame";
import { visibleSlice } from "./frame";

export function linePath(frame: Frame, { series, values }: Curve): Path2D {
  const path = new Path2D();
  const { px, py, ratio } = frame;
  const [first, last] = visibleSlice(frame, series.x);
  let isDown = false;
  for (let i = first; i <= last; i++) {
    const y = at(values, i);
    if (Number.isNaN(y)) {
      isDown = false;
      continue;
    }
    const x = px(at(series.x, i));
    if (isDown) path.lineTo(x, py(y));
    else {
      const next = values[i + 1];
      // A point with no neighbour has no line; it is a dot.
      if (next === undefined || Number.isNaN(next)) path.arc(x, py(y), ratio, 0, Math.PI * 2);
      else path.moveTo(x, py(y));
    }
    isDown = true;
  }
  return path;
}

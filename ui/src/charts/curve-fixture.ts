/** Curves for tests. Nothing here is shipped. */
import { reducePoints } from "../series/series-fixture";
import { makeCurve, type Curve, type Line } from "./curves";

export function lineOf(id: string, change: Partial<Line> = {}): Line {
  return { id, label: id, detail: "", runIds: [id], slot: 0, isRunning: false, ...change };
}

export function curveOf(points: readonly (readonly [number, number])[], change: Partial<Line> = {}, buckets = 400): Curve {
  const line = lineOf(change.id ?? "a", change);
  const curve = makeCurve(line, [reducePoints(points, buckets)], { kind: "none", weight: 0 }, 1);
  if (curve === null) throw new Error("a curve needs points");
  return curve;
}

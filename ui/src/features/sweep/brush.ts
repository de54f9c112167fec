/** Stretches of axes that were marked: a run is in when it lies within each of them. */
import { at } from "../../series/series";
import { axisScale } from "./axis-scale";
import type { Dimension } from "./sweep-data";

/** From and to on the axis of a dimension, 0 to 1. */
export type Brushes = ReadonlyMap<string, readonly [from: number, to: number]>;

export function runsWithin(dimensions: readonly Dimension[], brushes: Brushes, count: number): boolean[] {
  const within = new Array<boolean>(count).fill(true);
  for (const dimension of dimensions) {
    const brush = brushes.get(dimension.key);
    if (brush === undefined) continue;
    const { place } = axisScale(dimension, 5);
    for (let i = 0; i < count; i++) {
      const where = place(at(dimension.values, i));
      if (!(where >= brush[0] && where <= brush[1])) within[i] = false;
    }
  }
  return within;
}

/** What a brush marks, in the values of its axis: the runs' own smallest and largest, or the categories. */
export function brushedValues({ kind, values, labels }: Dimension, place: (value: number) => number, brush: readonly [number, number]): {
  readonly lo: number;
  readonly hi: number;
  readonly labels: readonly string[];
} | null {
  const inside = [...values].filter((value) => place(value) >= brush[0] && place(value) <= brush[1]);
  if (inside.length === 0) return null;
  return {
    lo: Math.min(...inside),
    hi: Math.max(...inside),
    labels: kind === "category" ? [...new Set(inside)].toSorted((a, b) => a - b).flatMap((i) => labels[i] ?? []) : [],
  };
}

/** The runs in the order they began, and the best value known after each of them. */
import { at } from "../../series/series";
import type { Sweep } from "./sweep-data";

export interface BestStep {
  /** Index of the run in the sweep. */
  readonly run: number;
  readonly order: number;
  readonly value: number;
  readonly best: number;
  readonly isBest: boolean;
}

export function bestSoFar({ runs, target, direction }: Sweep): BestStep[] {
  const order = runs
    .map((run, i) => ({ i, startedAt: run.startedAt ?? Number.POSITIVE_INFINITY }))
    .filter(({ i }) => Number.isFinite(at(target.values, i)))
    .toSorted((a, b) => (a.startedAt === b.startedAt ? a.i - b.i : a.startedAt - b.startedAt));
  let best: number | null = null;
  return order.map(({ i }, place) => {
    const value = at(target.values, i);
    const isBest = best === null || (direction === "min" ? value < best : value > best);
    if (isBest) best = value;
    return { run: i, order: place + 1, value, best: best ?? value, isBest };
  });
}

/** What a panel says when it has no lines to show, or something to say about those it shows. */
import type { KeyState } from "../series/loader";
import { type Curve, type Line } from "./curves";

/** Past this many lines nobody can tell them apart, and each frame pays for them. */
export const MOST_LINES = 100;

export type PanelState =
  | { readonly kind: "loading" }
  | { readonly kind: "error"; readonly message: string }
  | { readonly kind: "no-runs" }
  | { readonly kind: "none"; readonly shown: number }
  | { readonly kind: "waiting"; readonly run: string }
  | { readonly kind: "all-nan"; readonly run: string; readonly from: number | null }
  | { readonly kind: "too-many"; readonly count: number }
  | { readonly kind: "lines"; readonly broken: readonly BrokenLine[]; readonly problem: string | null };

export interface BrokenLine {
  readonly label: string;
  readonly count: number;
  readonly from: number | null;
}

export function judgePanel(loaded: KeyState, lines: readonly Line[], curves: readonly Curve[]): PanelState {
  if (lines.length === 0) return { kind: "no-runs" };
  if (loaded.state === "loading") return { kind: "loading" };
  if (loaded.state === "error") return { kind: "error", message: loaded.message };
  const [first] = curves;
  if (first === undefined) {
    const running = lines.find((line) => line.isRunning);
    return running === undefined ? { kind: "none", shown: lines.length } : { kind: "waiting", run: running.label };
  }
  if (curves.every((curve) => curve.last < 0)) {
    return { kind: "all-nan", run: first.line.label, from: first.series.nonfiniteFirst };
  }
  if (curves.length > MOST_LINES) return { kind: "too-many", count: curves.length };
  const broken = curves
    .filter((curve) => curve.series.nonfinite > 0)
    .map(({ line, series }) => ({ label: line.label, count: series.nonfinite, from: series.nonfiniteFirst }));
  return { kind: "lines", broken, problem: loaded.problem };
}

/** Whether React has anything new to render: two states that say the same are the same. */
export function isSameState(a: PanelState, b: PanelState): boolean {
  return a === b || (a.kind === b.kind && JSON.stringify(a) === JSON.stringify(b));
}

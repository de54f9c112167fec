/** Where a cell lies along an axis of a figure, from 0 to 1, and what the axis says. */
import { formatTick, xFormat } from "../../charts/numbers";
import { gapOf, linearTicks, logTicks, timeTicks } from "../../charts/ticks";
import { kindOf, type Cell } from "./columns";

export interface Scale {
  /** NaN for what has no place. */
  readonly place: (cell: Cell) => number;
  readonly ticks: readonly { readonly place: number; readonly label: string }[];
  /** Of a bar or a cell: the share of the axis that one takes. */
  readonly slot: number;
}

interface Wish {
  readonly cells: readonly Cell[];
  /** As the layout gives it. */
  readonly kind: string | null;
  readonly mostTicks: number;
  /** Bars begin at zero. */
  readonly hasZero: boolean;
  /** Bars and cells need room to both sides of their middle. */
  readonly isSlotted: boolean;
}

const MARGIN = 0.04;

export function scaleOf({ cells, kind: given, mostTicks, hasZero, isSlotted }: Wish): Scale {
  const kind = kindOf(cells, given);
  if (kind === "category") return categories(cells, mostTicks);
  const isLog = kind === "log";
  const measure = (cell: Cell): number => {
    if (cell === null || cell === "") return Number.NaN;
    const value = kind === "time" && typeof cell === "string" ? Date.parse(cell) : Number(cell);
    return isLog ? (value > 0 ? Math.log10(value) : Number.NaN) : value;
  };
  const values = [...new Set(cells.map(measure).filter(Number.isFinite))].sort((a, b) => a - b);
  const [first, last] = [values[0] ?? 0, values.at(-1) ?? 1];
  const slot = isSlotted ? leastGap(values) : 0;
  let lo = first - slot / 2;
  let hi = last + slot / 2;
  if (hasZero && !isLog) [lo, hi] = [Math.min(0, lo), Math.max(0, hi)];
  if (lo === hi) [lo, hi] = [lo - 0.5, hi + 0.5];
  if (!isSlotted) {
    const margin = (hi - lo) * MARGIN;
    if (!(hasZero && lo === 0)) lo -= margin;
    if (!(hasZero && hi === 0)) hi += margin;
  }
  const share = (value: number): number => (value - lo) / (hi - lo);
  const at = isLog ? logTicks([10 ** lo, 10 ** hi], mostTicks) : kind === "time" ? timeTicks([lo, hi], mostTicks, true) : linearTicks([lo, hi], mostTicks);
  const label = kind === "time" ? (tick: number) => xFormat("time").tick(tick, gapOf(at)) : formatTick;
  return {
    place: (cell) => share(measure(cell)),
    ticks: at.map((tick) => ({ place: share(isLog ? Math.log10(tick) : tick), label: label(tick) })),
    slot: slot / (hi - lo),
  };
}

function categories(cells: readonly Cell[], mostTicks: number): Scale {
  const words = [...new Set(cells.filter((cell) => cell !== null).map(String))];
  const index = new Map(words.map((word, i) => [word, i]));
  const place = (i: number | undefined): number => (i === undefined ? Number.NaN : (i + 0.5) / words.length);
  const skip = Math.ceil(words.length / Math.max(1, mostTicks));
  return {
    place: (cell) => place(cell === null ? undefined : index.get(String(cell))),
    ticks: words.flatMap((word, i) => (i % skip === 0 ? [{ place: place(i), label: word }] : [])),
    slot: 1 / Math.max(1, words.length),
  };
}

/** The distance of the two nearest. */
function leastGap(values: readonly number[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 1; i < values.length; i++) least = Math.min(least, (values[i] ?? 0) - (values[i - 1] ?? 0));
  return Number.isFinite(least) ? least : 1;
}

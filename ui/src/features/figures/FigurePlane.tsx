/** One plane of a figure as SVG: axes, and on them lines, points, bars and cells. All words are text. */
import { colorOf, type PaletteMode, type Theme } from "../../charts/palette";
import { formatValue } from "../../charts/numbers";
import type { Cell } from "./columns";
import type { Bars, Cells, Marks, Plane } from "./figure";
import { scaleOf, type Scale } from "./scale";

interface Props {
  readonly plane: Plane;
  readonly isStacked: boolean;
  readonly theme: Theme;
  readonly palette: PaletteMode;
}

const WIDTH = 480;
const HEIGHT = 280;
const EDGE = { left: 56, right: 12, top: 8, bottom: 38 };
const INNER = { width: WIDTH - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
const LONGEST = 12;
/** Of its slot a bar leaves so much free. */
const BAR_SHARE = 0.82;
const LEVELS = 16;

const px = (share: number): number => EDGE.left + share * INNER.width;
const py = (share: number): number => EDGE.top + (1 - share) * INNER.height;

export function FigurePlane({ plane, isStacked, theme, palette }: Props) {
  const { traces } = plane;
  const bars = traces.filter((trace) => trace.kind === "bars");
  const stacks = isStacked ? stacksOf(bars) : bars.map(({ values }) => values.map((): number => 0));
  const isSlotted = bars.length > 0 || traces.some(({ kind }) => kind === "cells");
  const isFlat = bars.some((one) => one.isFlat);
  const reach = bars.flatMap(({ values }, i) => values.map((value, j) => Number(value ?? 0) + (stacks[i]?.[j] ?? 0)));
  const along: Cell[] = [...traces.flatMap((trace) => (trace.kind === "bars" ? trace.at : isFlat ? trace.y : trace.x))];
  const over: Cell[] = [...traces.flatMap((trace) => (trace.kind === "bars" ? [] : isFlat ? trace.x : trace.y)), ...reach];
  const hasCells = traces.some(({ kind }) => kind === "cells");
  const [acrossCells, upCells] = isFlat ? [over, along] : [along, over];
  const across = scaleOf({ cells: acrossCells, kind: hasCells ? "category" : plane.x.kind, mostTicks: 7, hasZero: isFlat, isSlotted: isSlotted && !isFlat });
  const up = scaleOf({ cells: upCells, kind: hasCells ? "category" : plane.y.kind, mostTicks: 6, hasZero: bars.length > 0 && !isFlat, isSlotted: isFlat || hasCells });
  return (
    <svg className="figure-plane" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={labelOf(plane)}>
      <Axes across={across} up={up} plane={plane} />
      {traces.map((trace, i) => {
        const color = colorOf(i, theme, palette);
        if (trace.kind === "marks") return <MarksOf key={i} trace={trace} across={across} up={up} color={color} />;
        if (trace.kind === "cells") return <CellsOf key={i} trace={trace} across={across} up={up} />;
        const place = bars.indexOf(trace);
        const beside = isStacked ? { index: 0, count: 1 } : { index: place, count: bars.length };
        return <BarsOf key={i} trace={trace} across={across} up={up} color={color} beside={beside} from={stacks[place] ?? []} />;
      })}
    </svg>
  );
}

function Axes({ across, up, plane }: { readonly across: Scale; readonly up: Scale; readonly plane: Plane }) {
  return (
    <>
      {up.ticks.map(({ place, label }) => (
        <g key={label}>
          <line className="figure-grid" x1={EDGE.left} x2={WIDTH - EDGE.right} y1={py(place)} y2={py(place)} />
          <text className="figure-tick" x={EDGE.left - 5} y={py(place) + 3.5} textAnchor="end">
            {short(label)}
          </text>
        </g>
      ))}
      {across.ticks.map(({ place, label }) => (
        <text key={label} className="figure-tick" x={px(place)} y={HEIGHT - EDGE.bottom + 13} textAnchor="middle">
          {short(label)}
        </text>
      ))}
      <text className="figure-axis" x={EDGE.left + INNER.width / 2} y={HEIGHT - 6} textAnchor="middle">
        {plane.x.title}
      </text>
      <text className="figure-axis" transform={`translate(11 ${EDGE.top + INNER.height / 2}) rotate(-90)`} textAnchor="middle">
        {plane.y.title}
      </text>
    </>
  );
}

interface Placed<T> {
  readonly trace: T;
  readonly across: Scale;
  readonly up: Scale;
}

function MarksOf({ trace, across, up, color }: Placed<Marks> & { readonly color: string }) {
  const places = trace.x.map((x, i) => [px(across.place(x)), py(up.place(trace.y[i] ?? null))] as const);
  let path = "";
  let isDown = false;
  for (const [x, y] of places) {
    const isPlaced = Number.isFinite(x) && Number.isFinite(y);
    if (isPlaced) path += `${isDown ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    isDown = isPlaced;
  }
  return (
    <>
      {trace.hasLine && <path d={path} fill="none" stroke={color} strokeWidth={1.5} strokeDasharray={trace.isDashed ? "5 3" : undefined} />}
      {trace.hasPoints &&
        places.map(([x, y], i) => Number.isFinite(x) && Number.isFinite(y) && <circle key={i} cx={x} cy={y} r={trace.hasLine ? 2 : 2.5} fill={color} />)}
    </>
  );
}

interface BarsProps extends Placed<Bars> {
  readonly color: string;
  /** Which of the bars that share a slot. */
  readonly beside: { readonly index: number; readonly count: number };
  /** Where each begins. */
  readonly from: readonly number[];
}

function BarsOf({ trace, across, up, color, beside, from }: BarsProps) {
  const [along, over] = trace.isFlat ? [up, across] : [across, up];
  const thick = (along.slot * BAR_SHARE) / beside.count;
  return (
    <>
      {trace.at.map((cell, i) => {
        const begin = along.place(cell) - (along.slot * BAR_SHARE) / 2 + thick * beside.index;
        const foot = from[i] ?? 0;
        const ends = [over.place(foot), over.place(foot + Number(trace.values[i] ?? 0))];
        const [low, high] = [Math.min(...ends), Math.max(...ends)];
        if (![begin, low, high].every(Number.isFinite)) return null;
        const box = trace.isFlat
          ? { x: px(low), y: py(begin + thick), width: (high - low) * INNER.width, height: thick * INNER.height }
          : { x: px(begin), y: py(high), width: thick * INNER.width, height: (high - low) * INNER.height };
        return (
          <rect key={i} {...box} fill={color}>
            <title>{`${String(cell)}: ${formatValue(Number(trace.values[i] ?? 0))}`}</title>
          </rect>
        );
      })}
    </>
  );
}

/** Cells of about the same value are one path, so that many cells are few elements. */
function CellsOf({ trace, across, up }: Placed<Cells>) {
  const values = trace.rows.flat().filter((cell) => typeof cell === "number");
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [lo, hi] = [Math.min(lo, value), Math.max(hi, value)];
  const paths: string[] = Array.from({ length: LEVELS }, () => "");
  const [width, height] = [across.slot * INNER.width, up.slot * INNER.height];
  trace.rows.forEach((row, i) =>
    row.forEach((cell, j) => {
      if (typeof cell !== "number") return;
      const level = hi > lo ? Math.round(((cell - lo) / (hi - lo)) * (LEVELS - 1)) : LEVELS - 1;
      const [x, y] = [px(across.place(trace.x[j] ?? null)) - width / 2, py(up.place(trace.y[i] ?? null)) - height / 2];
      paths[level] += `M${x.toFixed(1)} ${y.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h-${width.toFixed(1)}z`;
    }),
  );
  return (
    <>
      {paths.map((path, level) => path !== "" && <path key={level} d={path} className="figure-cells" fillOpacity={0.04 + (0.96 * level) / (LEVELS - 1)} />)}
      {values.length > 0 && (
        <text className="figure-axis" x={WIDTH - EDGE.right} y={HEIGHT - 6} textAnchor="end">
          {formatValue(lo)} to {formatValue(hi)}
        </text>
      )}
    </>
  );
}

/** Where each bar of a stack begins: on those of the traces before it that stand at the same place. */
function stacksOf(bars: readonly Bars[]): number[][] {
  const tops = new Map<string, number>();
  return bars.map(({ at, values }) =>
    at.map((cell, i) => {
      const key = String(cell);
      const below = tops.get(key) ?? 0;
      tops.set(key, below + Number(values[i] ?? 0));
      return below;
    }),
  );
}

function labelOf({ traces, x, y }: Plane): string {
  const names = traces.map(({ name }) => name).filter((name) => name !== "");
  const axes = [y.title, x.title].filter((title) => title !== "").join(" over ");
  return [axes === "" ? "Figure" : axes, ...names].join(", ");
}

function short(label: string): string {
  return label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label;
}

/** A panel as a table: what the lines say, in numbers that can be read, copied and searched. */
import { breakOf, type Curve } from "../../charts/curves";
import { directionOf } from "../../charts/direction";
import { formatValue, group, xFormat } from "../../charts/numbers";
import { at, axisName, type Range, type XAxis } from "../../series/series";
import { Dialog } from "./Dialog";

interface Props {
  readonly metric: string;
  readonly curves: readonly Curve[];
  readonly axis: XAxis;
  readonly window: Range | null;
  readonly onClose: () => void;
}

interface Row {
  readonly curve: Curve;
  readonly last: { readonly x: number; readonly value: number } | null;
  readonly min: { readonly x: number; readonly value: number } | null;
  readonly max: { readonly x: number; readonly value: number } | null;
  readonly points: number;
}

export function TableDialog({ metric, curves, axis, window, onClose }: Props) {
  const format = xFormat(axis);
  const rows = curves.map((curve) => summarize(curve, window));
  const sign = directionOf(metric) === "min" ? 1 : -1;
  rows.sort((a, b) => sign * ((a.last?.value ?? Number.NaN) - (b.last?.value ?? Number.NaN)) || 0);
  const where = (found: Row["last"]) => (
    <td className="num">
      {found === null ? "–" : formatValue(found.value)}
      {found !== null && <small>{format.exact(found.x)}</small>}
    </td>
  );
  return (
    <Dialog title={metric} className="is-table" onClose={onClose}>
      <p>
        {window === null ? "All points" : `Points from ${format.exact(window[0])} to ${format.exact(window[1])}`}, x is{" "}
        {axisName(axis)}. Small figures say where.
      </p>
      <div className="table-scroll" tabIndex={0} role="region" aria-label={`${metric} as a table`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col">Differs in</th>
              <th scope="col" className="num">Last</th>
              <th scope="col" className="num">Minimum</th>
              <th scope="col" className="num">Maximum</th>
              <th scope="col" className="num">Points</th>
              <th scope="col">Not finite</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ curve, last, min, max, points }) => (
              <tr key={curve.line.id}>
                <th scope="row">{curve.line.label}</th>
                <td>{curve.line.detail}</td>
                {where(last)}
                {where(min)}
                {where(max)}
                <td className="num">{group(points)}</td>
                <td>{brokenText(curve, format.exact)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Dialog>
  );
}

function brokenText(curve: Curve, exact: (x: number) => string): string {
  const { nonfinite } = curve.series;
  if (nonfinite === 0) return "";
  const from = breakOf(curve)?.from ?? null;
  return from === null ? group(nonfinite) : `${group(nonfinite)}, from ${exact(from)}`;
}

function summarize(curve: Curve, window: Range | null): Row {
  const { series } = curve;
  let last: Row["last"] = null;
  let min: Row["min"] = null;
  let max: Row["max"] = null;
  let points = 0;
  for (let i = 0; i < series.x.length; i++) {
    const x = at(series.x, i);
    if (at(series.count, i) === 0 || (window !== null && (x < window[0] || x > window[1]))) continue;
    points += at(series.count, i);
    last = { x, value: at(series.mean, i) };
    if (min === null || at(series.min, i) < min.value) min = { x, value: at(series.min, i) };
    if (max === null || at(series.max, i) > max.value) max = { x, value: at(series.max, i) };
  }
  return { curve, last, min, max, points };
}

/** One distribution as bars. How it changed over the steps is drawn by HistogramSteps. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { artifactBytesQuery, type ArtifactInfo } from "../../api/artifacts";
import { formatValue } from "../../charts/numbers";
import { Loading } from "../../ui/Message";
import { MOST_TEXT } from "../artifacts/file-kind";
import type { ValueRange } from "./histogram-steps";
import { readHistogram, type Histogram } from "./table";

const WIDTH = 240;
const HEIGHT = 96;

interface Props {
  readonly runId: string;
  readonly file: ArtifactInfo;
  readonly color: string;
  /** The values from the left to the right; those of this one alone where others are not known. */
  readonly range: ValueRange | null;
}

export function HistogramView({ runId, file, color, range }: Props) {
  const { data, error } = useQuery({ ...artifactBytesQuery(runId, file, MOST_TEXT), placeholderData: keepPreviousData });
  if (error !== null) return <p className="media-note">{error.message}</p>;
  if (data === undefined) return <Loading />;
  const histogram = readHistogram(data);
  if (histogram === null) return <p className="media-note">The distribution cannot be read.</p>;
  return (
    <figure className="media-item">
      {histogram.counts.length === 0 ? <p className="media-note">No finite value.</p> : <Bars histogram={histogram} color={color} range={range} />}
      <figcaption>{wordsOf(histogram)}</figcaption>
    </figure>
  );
}

interface BarsProps extends Pick<Props, "color" | "range"> {
  readonly histogram: Histogram;
}

function Bars({ histogram: { edges, counts }, color, range }: BarsProps) {
  const [lo, hi] = range ?? [edges[0] ?? 0, edges.at(-1) ?? 1];
  const most = Math.max(1, ...counts);
  const place = (x: number): number => (hi > lo ? ((x - lo) / (hi - lo)) * WIDTH : 0);
  return (
    <>
      <svg className="media-bars" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label="Distribution" fill={color}>
        {counts.map((count, i) => {
          const [from, to] = [place(edges[i] ?? lo), place(edges[i + 1] ?? hi)];
          const height = (count / most) * HEIGHT;
          return (
            <rect key={i} x={from} y={HEIGHT - height} width={Math.max(0.5, to - from - 0.4)} height={height}>
              <title>{`${formatValue(edges[i] ?? lo)} to ${formatValue(edges[i + 1] ?? hi)}: ${count.toLocaleString("en-US")}`}</title>
            </rect>
          );
        })}
      </svg>
      <p className="media-ends">
        <span>{formatValue(lo)}</span>
        <span>{formatValue(hi)}</span>
      </p>
    </>
  );
}

function wordsOf({ total, nonfinite, mean }: Histogram): string {
  const parts = [`${total.toLocaleString("en-US")} values`];
  if (mean !== null) parts.push(`mean ${formatValue(mean)}`);
  if (nonfinite > 0) parts.push(`${nonfinite.toLocaleString("en-US")} not finite`);
  return parts.join(", ");
}

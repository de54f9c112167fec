import { memo } from "react";
import type { Series } from "../../series/series";
import { sparkPath } from "./use-sparks";

interface Props {
  readonly series: Series | null;
  /** How far runs usually go: a running run's line ends where the run is. Null: the line fills its place. */
  readonly usualEnd: number | null;
  readonly color: string;
}

export const Spark = memo(function Spark({ series, usualEnd, color }: Props) {
  const path = series === null ? "" : sparkPath(series, Math.max(usualEnd ?? 0, series.x.at(-1) ?? 0));
  return (
    <svg className="spark" width="54" height="16" aria-hidden="true">
      {path !== "" && <path d={path} fill="none" stroke={color} strokeWidth="1.15" />}
    </svg>
  );
});

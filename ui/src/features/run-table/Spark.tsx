import { memo } from "react";
import type { Series } from "../../series/series";
import { sparkPath } from "./use-sparks";

interface Props {
  readonly series: Series | null;
  readonly end: number;
  readonly color: string;
}

export const Spark = memo(function Spark({ series, end, color }: Props) {
  const path = series === null ? "" : sparkPath(series, end);
  return (
    <svg className="spark" width="54" height="16" aria-hidden="true">
      {path !== "" && <path d={path} fill="none" stroke={color} strokeWidth="1.15" />}
    </svg>
  );
});

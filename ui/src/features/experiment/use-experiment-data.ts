/** What all tabs of an experiment share: its keys, the columns, the shown runs and their lines. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Line } from "../../charts/curves";
import type { Theme } from "../../charts/palette";
import { useAtOnce } from "../../api/at-once";
import { keysQuery, type KeyInfo } from "../../api/keys";
import { fetchRows, tableKeys } from "../../api/table";
import type { Preferences } from "../../lib/preferences";
import { plainColumn, type Column } from "../run-table/columns";
import { differingColumns } from "../run-table/differing";
import { rankMetrics } from "../run-table/headline";
import type { ExperimentView } from "../view/view";
import { autoColumns, chosenColumns, headlineOf, SIDE, WIDE } from "./auto-columns";
import { useGroupLines } from "./use-group-lines";
import { colorsOf, useShown, type Shown } from "./use-shown";

/** Runs looked at, and params read, to say which params differ. */
const SAMPLE_RUNS = 200;
const MOST_PARAMS = 120;

const NO_KEYS: readonly KeyInfo[] = [];
const NO_COLUMNS: readonly Column[] = [];

export interface ExperimentData {
  /** The filter is still being checked: nothing may be asked with it. */
  readonly isHeld: boolean;
  readonly keys: readonly KeyInfo[];
  readonly keysError: Error | null;
  readonly metrics: readonly { readonly key: string; readonly runCount: number }[];
  /** Keys of metrics, the most telling first. */
  readonly ranked: readonly string[];
  /** Keys of params. */
  readonly params: readonly string[];
  readonly columns: readonly Column[];
  readonly differing: readonly Column[];
  readonly headline: Column | null;
  readonly shown: Shown;
  readonly lines: readonly Line[];
  readonly colors: ReadonlyMap<string, string>;
}

interface Asked {
  readonly experimentId: string;
  readonly view: ExperimentView;
  /** The filter of the view is still being checked: nothing may be asked with it. */
  readonly isHeld: boolean;
  readonly theme: Theme;
  readonly palette: Preferences["palette"];
  readonly isWide: boolean;
}

export function useExperimentData({ experimentId, view, isHeld, theme, palette, isWide }: Asked): ExperimentData {
  useAtOnce(keysQuery(experimentId));
  const keyQuery = useQuery(keysQuery(experimentId));
  const keys = keyQuery.data?.keys ?? NO_KEYS;
  const params = useMemo(() => keys.filter((key) => key.kind === "param").slice(0, MOST_PARAMS), [keys]);
  const sample = useQuery({ ...sampleQuery(experimentId, params, view.filter), enabled: params.length > 0 && !isHeld });
  const differing = useMemo(() => (sample.data === undefined ? NO_COLUMNS : differingColumns(sample.data)), [sample.data]);
  const ranked = useMemo(() => rankMetrics(keys), [keys]);
  const sortColumn = view.sort?.column ?? null;
  const headline = useMemo(() => headlineOf(sortColumn, ranked), [sortColumn, ranked]);
  const isReady = !isHeld && keyQuery.isSuccess && (params.length === 0 || !sample.isPending);
  const columns = useMemo(() => {
    if (view.columns !== null) return chosenColumns(view.columns);
    // All at once, when it is known which there are.
    return isReady ? autoColumns(headline, ranked, differing, view.group, isWide ? WIDE : SIDE) : NO_COLUMNS;
  }, [view.columns, view.group, headline, ranked, differing, isWide, isReady]);
  const withHeadline = useMemo(
    () => (headline === null || columns.some(({ id }) => id === headline.id) ? columns : [headline, ...columns]),
    [columns, headline],
  );
  const shown = useShown({ experimentId, view, columns: withHeadline, differing, isHeld, isReady });
  const groupLines = useGroupLines(experimentId, view, headline === null ? [] : [headline.id], isHeld);
  const lines = groupLines ?? shown.lines;
  const colors = useMemo(() => colorsOf(lines, theme, palette), [lines, theme, palette]);
  const metrics = useMemo(
    () => keys.filter((key) => key.kind === "metric").map((key) => ({ key: key.key, runCount: key.runs })),
    [keys],
  );
  const paramKeys = useMemo(() => params.map((param) => param.key), [params]);
  return { isHeld, keys, keysError: keyQuery.error, metrics, ranked, params: paramKeys, columns, differing, headline, shown, lines, colors };
}

function sampleQuery(experimentId: string, params: readonly KeyInfo[], filter: string) {
  const columns = params.map((param) => plainColumn("param", param.key).id);
  const search = { experimentId, columns, filter, orderBy: null };
  return queryOptions({
    queryKey: [...tableKeys.all(experimentId), "sample", search],
    queryFn: ({ signal }) => fetchRows(search, 0, SAMPLE_RUNS, signal),
    staleTime: 30_000,
    retry: false,
  });
}

/** The rows of a comparison: one for each key, one value for each run. Pure, so that it can be tested. */
import { directionOf, type Direction } from "../../charts/direction";
import { formatValue } from "../../charts/numbers";
import type { Run } from "../../api/runs";
import { FACT_NAMES, isSurrounding, surroundingsOf } from "../../lib/surroundings";
import { fullTime, duration } from "../../lib/time";
import { isResult } from "../run-table/headline";
import { formatParam } from "../run-table/cells";
import { naturalOrder } from "../../lib/intl";

export interface CompareCell {
  readonly text: string;
  readonly isBest: boolean;
  /** The difference to the baseline, where there is one. */
  readonly delta: number | null;
}

export interface CompareRow {
  readonly key: string;
  readonly isDifferent: boolean;
  /** Which end is better; null where neither is. */
  readonly direction: Direction | null;
  readonly isNumeric: boolean;
  readonly cells: readonly (CompareCell | null)[];
}

export interface CompareSection {
  readonly name: string;
  readonly rows: readonly CompareRow[];
}

/** `packages` of the runs that kept a list of them, by id. */
export function compareSections(
  runs: readonly Run[],
  baselineId: string | null,
  packages: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(),
): CompareSection[] {
  const baseline = runs.findIndex((run) => run.id === baselineId);
  return [
    { name: "Metrics", rows: metricRows(runs, baseline) },
    { name: "Params", rows: textRows(runs.map((run) => run.params), formatParam) },
    { name: "Environment", rows: environmentRows(runs, packages) },
    { name: "Tags", rows: textRows(runs.map((run) => plainTags(run.tags)), (text) => text) },
    { name: "Run", rows: attributeRows(runs) },
  ];
}

function metricRows(runs: readonly Run[], baseline: number): CompareRow[] {
  return keysOf(runs.map((run) => run.metrics)).map((key) => {
    const direction = directionOf(key);
    const values = runs.map((run) => run.metrics[key] ?? null);
    const best = isResult(key) ? bestOf(values, direction) : null;
    const base = values[baseline] ?? null;
    return {
      key,
      direction: isResult(key) ? direction : null,
      isNumeric: true,
      isDifferent: differ(values),
      cells: values.map((value, i) =>
        value === null
          ? null
          : {
              text: formatValue(value),
              isBest: value === best && differ(values),
              delta: base === null || i === baseline ? null : finite(value - base),
            },
      ),
    };
  });
}

function textRows(maps: readonly Readonly<Record<string, string>>[], write: (text: string) => string): CompareRow[] {
  return keysOf(maps).map((key) => {
    const values = maps.map((map) => map[key] ?? null);
    return { key, direction: null, isNumeric: false, isDifferent: differ(values), cells: values.map((value) => plain(value === null ? null : write(value))) };
  });
}

function attributeRows(runs: readonly Run[]): CompareRow[] {
  const row = (key: string, values: readonly (string | null)[]): CompareRow => ({
    key,
    direction: null,
    isNumeric: false,
    isDifferent: differ(values),
    cells: values.map(plain),
  });
  return [
    row("status", runs.map((run) => run.status)),
    row("started", runs.map((run) => fullTime(Date.parse(run.start_time)))),
    row("duration", runs.map((run) => (run.duration_ms === null ? null : duration(run.duration_ms)))),
    row("by", runs.map((run) => run.created_by || null)),
    row("description", runs.map((run) => run.description || null)),
  ].filter((one) => one.cells.some((cell) => cell !== null));
}

/** Notes are prose, and have their place on the pages of the runs; where a run came from is told above. */
function plainTags(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => key !== "mlflow.note.content" && !isSurrounding(key)));
}

/** Code, command and machine from the tags, then the packages. */
function environmentRows(runs: readonly Run[], packages: ReadonlyMap<string, ReadonlyMap<string, string>>): CompareRow[] {
  const told = runs.map((run) => Object.fromEntries(surroundingsOf(run.tags).map(({ name, text }) => [name, text])));
  const rows = new Map(textRows(told, (text) => text).map((row) => [row.key, row]));
  const inOrder = FACT_NAMES.flatMap((name) => rows.get(name) ?? []);
  const installed = runs.map((run) => Object.fromEntries(packages.get(run.id) ?? []));
  return [...inOrder, ...textRows(installed, (text) => text).map((row) => ({ ...row, key: `package ${row.key}` }))];
}

function keysOf(maps: readonly Readonly<Record<string, unknown>>[]): string[] {
  return [...new Set(maps.flatMap((map) => Object.keys(map)))].sort(naturalOrder);
}

/** Whether not all are the same; NaN is the same as NaN. */
function differ(values: readonly unknown[]): boolean {
  return values.some((value) => !Object.is(value, values[0]));
}

/** NaN never wins. */
function bestOf(values: readonly (number | null)[], direction: Direction): number | null {
  const given = values.filter((value) => value !== null && !Number.isNaN(value)).map(Number);
  if (given.length === 0) return null;
  return direction === "min" ? Math.min(...given) : Math.max(...given);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function plain(text: string | null): CompareCell | null {
  return text === null ? null : { text, isBest: false, delta: null };
}

/** The shown runs side by side: metrics with the best marked, params, tags; only what differs, unless asked. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo, useState } from "react";
import { formatDelta } from "../run-table/cells";
import { runsQuery, type Run } from "../../api/runs";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/Link";
import { ErrorMessage, Loading, Message } from "../../ui/Message";
import { Status } from "../../ui/Status";
import { compareSections, type CompareRow } from "./compare-rows";
import { MOST_WITH_PACKAGES, usePackages } from "./use-packages";
import "./compare.css";

interface Props {
  readonly runIds: readonly string[];
  readonly baseline: string | null;
  readonly colors: ReadonlyMap<string, string>;
  readonly showsAll: boolean;
  readonly onShowAll: (showsAll: boolean) => void;
}

const MOST_RUNS = 100;
const MOST_ROWS = 400;

export function ComparePage({ runIds, baseline, colors, showsAll, onShowAll }: Props) {
  const [text, setText] = useState("");
  const search = useDeferredValue(text.trim().toLowerCase());
  const ids = runIds.slice(0, MOST_RUNS);
  const filter = `id in (${ids.map((id) => `'${id}'`).join(", ")})`;
  const query = useQuery({
    ...runsQuery({ experimentId: null, status: null, search: "", filter, limit: MOST_RUNS }),
    enabled: ids.length > 0,
    placeholderData: keepPreviousData,
  });
  const found = query.data?.runs;
  const runs = useMemo(
    () => (found ?? []).filter((run) => runIds.includes(run.id)).sort((a, b) => runIds.indexOf(a.id) - runIds.indexOf(b.id)),
    [found, runIds],
  );
  const packages = usePackages(runs);
  const sections = useMemo(() => compareSections(runs, baseline, packages), [runs, baseline, packages]);
  if (ids.length < 2) {
    return (
      <div className="compare-empty">
        <Message title="Nothing to compare yet">Show at least two runs with their swatches in the table at the left.</Message>
      </div>
    );
  }
  if (query.error !== null) {
    return <ErrorMessage title="The runs could not be read" error={query.error} onRetry={() => void query.refetch()} />;
  }
  if (found === undefined) return <Loading label="Reading runs" />;
  const isWanted = (row: CompareRow): boolean =>
    (showsAll || row.isDifferent) && (search === "" || row.key.toLowerCase().includes(search));
  return (
    <div className="compare">
      <div className="compare-bar">
        <b>{runs.length} runs</b>
        <input
          className="field"
          type="search"
          placeholder="Search keys"
          aria-label="Search keys"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="button" className="button" aria-pressed={!showsAll} onClick={() => onShowAll(!showsAll)}>
          Only differences
        </button>
        {runs.length > MOST_WITH_PACKAGES && <span>Packages are compared for up to {MOST_WITH_PACKAGES} runs</span>}
        {runIds.length > MOST_RUNS && <span>The first {MOST_RUNS} of {runIds.length} shown runs</span>}
      </div>
      <div className="compare-scroll thin-scroll" tabIndex={0} role="region" aria-label="Comparison">
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span className="sr-only">Key</span>
              </th>
              {runs.map((run) => (
                <RunHead key={run.id} run={run} color={colors.get(run.id) ?? null} isBaseline={run.id === baseline} />
              ))}
            </tr>
          </thead>
          {sections.map(({ name, rows }) => {
            const wanted = rows.filter(isWanted);
            if (rows.length === 0) return null;
            return (
              <tbody key={name}>
                <tr className="compare-section">
                  <th scope="rowgroup" colSpan={runs.length + 1}>
                    {name} <small>{summary(wanted.length, rows.length, showsAll, search)}</small>
                  </th>
                </tr>
                {wanted.slice(0, MOST_ROWS).map((row) => (
                  <Row key={row.key} row={row} runs={runs} baseline={baseline} />
                ))}
                {wanted.length > MOST_ROWS && (
                  <tr>
                    <td colSpan={runs.length + 1} className="compare-more">
                      {wanted.length - MOST_ROWS} more. Search for a part of the key to see them.
                    </td>
                  </tr>
                )}
              </tbody>
            );
          })}
        </table>
      </div>
    </div>
  );
}

function summary(wanted: number, all: number, showsAll: boolean, search: string): string {
  if (search !== "") return `${wanted} of ${all} match`;
  if (showsAll) return String(all);
  return wanted === 0 ? `all ${all} the same` : `${wanted} of ${all} differ`;
}

interface RunHeadProps {
  readonly run: Run;
  readonly color: string | null;
  readonly isBaseline: boolean;
}

function RunHead({ run, color, isBaseline }: RunHeadProps) {
  return (
    <th scope="col">
      <span className="compare-run">
        <i style={{ background: color ?? "var(--ink-4)" }} />
        <Link to={`/r/${run.id}`} title={run.name}>
          {run.name}
        </Link>
        {isBaseline && <Icon name="pin" size={12} />}
      </span>
      <Status status={run.status} />
    </th>
  );
}

interface RowProps {
  readonly row: CompareRow;
  readonly runs: readonly Run[];
  readonly baseline: string | null;
}

function Row({ row, runs, baseline }: RowProps) {
  return (
    <tr>
      <th scope="row" title={row.key}>
        {row.key}
        {row.direction !== null && <small title={row.direction === "min" ? "lower is better" : "higher is better"}>{row.direction === "min" ? "↓" : "↑"}</small>}
      </th>
      {row.cells.map((cell, i) => {
        const id = runs[i]?.id ?? String(i);
        if (cell === null) {
          return (
            <td key={id} className="is-absent">
              <span aria-label="absent">–</span>
            </td>
          );
        }
        return (
          <td key={id} className={`${row.isNumeric ? "is-number" : ""}${cell.isBest ? " is-best" : ""}`} title={cell.text}>
            {cell.delta !== null && baseline !== null && <small>{formatDelta(cell.delta, 0)}</small>}
            {cell.text}
            {cell.isBest && <span className="sr-only"> best</span>}
          </td>
        );
      })}
    </tr>
  );
}

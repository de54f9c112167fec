/** The list behind the button: search, and a tick for each metric. */
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import type { MetricTreeProps } from "./MetricTree";
import { groupIntoSections } from "./sections";
import { DEFAULT_LAYOUT } from "./view";

/** More rows than this are not read but searched. */
const MOST_ROWS = 300;

export function MetricTreeList({ metrics, hidden, onHidden }: MetricTreeProps) {
  const [search, setSearch] = useState("");
  const wanted = useDeferredValue(search);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const counts = useMemo(() => new Map(metrics.map(({ key, runCount }) => [key, runCount])), [metrics]);
  const found = useMemo(() => {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    return metrics.map(({ key }) => key).filter((key) => words.every((word) => key.toLowerCase().includes(word)));
  }, [metrics, wanted]);
  const sections = useMemo(() => groupIntoSections(found.slice(0, MOST_ROWS), DEFAULT_LAYOUT), [found]);
  const hiddenSet = useMemo(() => new Set(hidden), [hidden]);
  const shownCount = metrics.length - metrics.filter(({ key }) => hiddenSet.has(key)).length;

  const set = (keys: readonly string[], isShown: boolean): void => {
    const next = new Set(hidden);
    for (const key of keys) {
      if (isShown) next.delete(key);
      else next.add(key);
    }
    onHidden([...next]);
  };
  return (
    <>
      <input
        ref={input}
        type="search"
        value={search}
        placeholder="Search metrics"
        aria-label="Search metrics"
        onChange={(event) => setSearch(event.target.value)}
      />
      <div className="tree-actions">
        <span role="status">
          {wanted === "" ? `${shownCount} of ${metrics.length} shown` : `${found.length} of ${metrics.length} match`}
        </span>
        <button type="button" className="quiet" onClick={() => set(found, true)}>
          Show all
        </button>
        <button type="button" className="quiet" onClick={() => set(found, false)}>
          Hide all
        </button>
      </div>
      <div className="tree-rows" tabIndex={-1}>
        {sections.map(({ name, metrics: keys }) => (
          <fieldset key={name}>
            <legend>{name}</legend>
            {keys.map((key) => (
              <label key={key}>
                <input type="checkbox" checked={!hiddenSet.has(key)} onChange={(event) => set([key], event.target.checked)} />
                <span title={key}>{key.startsWith(`${name}/`) ? key.slice(name.length + 1) : key}</span>
                <small>{runCountText(counts.get(key) ?? null)}</small>
              </label>
            ))}
          </fieldset>
        ))}
        {found.length > MOST_ROWS && <p>{found.length - MOST_ROWS} more match. Search for a part of the name.</p>}
        {found.length === 0 && <p>No metric matches “{wanted}”.</p>}
      </div>
    </>
  );
}

function runCountText(count: number | null): string {
  if (count === null) return "";
  return count === 1 ? "1 run" : `${count} runs`;
}

/** Which columns the table has: a searchable tree of all keys; a metric brings any of its aggregates. */
import { lazy, Suspense, useDeferredValue, useMemo, useState } from "react";
import type { KeyInfo } from "../../api/keys";
import { Icon } from "../../ui/Icon";
import { Popover } from "../../ui/Popover";
import type { Column } from "./columns";

interface Props {
  readonly keys: readonly KeyInfo[];
  readonly columns: readonly Column[];
  readonly isChosen: boolean;
  readonly onChange: (columns: readonly string[] | null) => void;
}

// A table is seen without it.
const ColumnTree = lazy(async () => ({ default: (await import("./ColumnTree")).ColumnTree }));

export function ColumnPicker(props: Props) {
  return (
    <Popover
      label="Columns"
      className="column-picker"
      button={
        <>
          <Icon name="columns" />
          Columns <b>{props.columns.length}</b>
        </>
      }
    >
      {() => <Picker {...props} />}
    </Popover>
  );
}

function Picker({ keys, columns, isChosen, onChange }: Props) {
  const [search, setSearch] = useState("");
  const wanted = useDeferredValue(search);
  const shown = useMemo(() => new Set(columns.map((column) => column.id)), [columns]);
  const toggle = (id: string): void => {
    const ids = columns.map((column) => column.id);
    onChange(shown.has(id) ? ids.filter((other) => other !== id) : [...ids, id]);
  };
  return (
    <>
      <input
        className="field"
        type="search"
        placeholder="Search keys"
        aria-label="Search keys"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <button type="button" className="button" aria-pressed={!isChosen} onClick={() => onChange(null)}>
        Only what differs
      </button>
      <Suspense fallback={null}>
        <ColumnTree keys={keys} wanted={wanted} shown={shown} onToggle={toggle} />
      </Suspense>
    </>
  );
}

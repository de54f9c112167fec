/** The row of tools above the table: group, sort, columns, and how many of how many are shown. */
import { memo, useMemo } from "react";
import type { KeyInfo } from "../../api/keys";
import { shownIds, type Sort, type TableView } from "../../lib/view";
import { Icon } from "../../ui/Icon";
import { ColumnPicker } from "./ColumnPicker";
import { columnLabel, metricColumn, parseColumn, plainColumn, type Column } from "./columns";
import { isDescendingFirst } from "./GridHeader";
import { bestColumn } from "./headline";
import { KeyPicker, type Choice } from "./KeyPicker";

interface Props {
  readonly view: TableView;
  readonly keys: readonly KeyInfo[];
  readonly columns: readonly Column[];
  readonly shownCount: number;
  readonly total: number | null;
  readonly onChange: (change: Partial<TableView>) => void;
}

export const TableTools = memo(function TableTools({ view, keys, columns, shownCount, total, onChange }: Props) {
  const groupChoices = useMemo(() => groupChoicesOf(keys), [keys]);
  const sortChoices = useMemo(() => sortChoicesOf(keys), [keys]);
  const sorted = view.sort === null ? null : parseColumn(view.sort.column);
  const sort = (id: string): void => onChange({ sort: nextSort(view.sort, id) });
  return (
    <div className="table-tools">
      <KeyPicker
        label="Group by"
        hotkey="g"
        button={
          <>
            <Icon name="group" />
            Group {view.group.length > 0 && <b>{view.group.map((id) => parseColumn(id)?.key ?? id).join(", ")}</b>}
          </>
        }
        choices={groupChoices}
        chosen={view.group}
        clearLabel="No groups"
        onClear={() => onChange({ group: [], folded: [] })}
        onChoose={(id) =>
          onChange({
            group: view.group.includes(id) ? view.group.filter((other) => other !== id) : [...view.group, id],
            folded: [],
          })
        }
      >
        {view.group.length > 0 && (
          <label className="group-lines">
            <input
              type="checkbox"
              checked={view.hasGroupLines}
              onChange={(event) => onChange({ hasGroupLines: event.target.checked })}
            />
            Charts draw the mean of each group
          </label>
        )}
      </KeyPicker>
      <KeyPicker
        label="Sort by"
        hotkey="s"
        button={
          <>
            <Icon name="sort" />
            Sort <b>{sorted === null ? "newest" : columnLabel(sorted, columns)}</b>
          </>
        }
        choices={sortChoices}
        chosen={view.sort === null ? [] : [view.sort.column]}
        clearLabel="Newest first"
        onClear={() => onChange({ sort: null })}
        onChoose={sort}
      />
      <ColumnPicker
        keys={keys}
        columns={columns}
        isChosen={view.columns !== null}
        onChange={(next) => onChange({ columns: next })}
      />
      <span className="grow" />
      <span className="table-count">
        {total === null ? (
          ""
        ) : (
          <>
            {view.shown !== null && shownIds(view.shown).length === 0 ? <b>none</b> : <b>{shownCount}</b>} shown of{" "}
            {total.toLocaleString("en-US")}
          </>
        )}
      </span>
    </div>
  );
});

export function nextSort(sort: Sort | null, id: string): Sort {
  if (sort?.column === id) return { column: id, isDescending: !sort.isDescending };
  const column = parseColumn(id);
  return { column: id, isDescending: column !== null && isDescendingFirst(column) };
}

function groupChoicesOf(keys: readonly KeyInfo[]): Choice[] {
  const found: Choice[] = [];
  for (const { kind, key, runs } of keys) {
    if (kind !== "metric") found.push({ id: plainColumn(kind, key).id, label: key, hint: `${kind}, ${runs}` });
  }
  return [...found, { id: "status", label: "status", hint: "run" }, { id: "created_by", label: "created by", hint: "run" }];
}

function sortChoicesOf(keys: readonly KeyInfo[]): Choice[] {
  const runs = ["start_time", "name", "duration"].map((key) => ({ id: key, label: key.replace("_", " "), hint: "run" }));
  const found = keys.flatMap(({ kind, key }): Choice[] => {
    if (kind !== "metric") return [{ id: plainColumn(kind, key).id, label: key, hint: kind }];
    const best = bestColumn(key);
    return [
      { id: best.id, label: key, hint: best.aggregate },
      { id: metricColumn(key, "last").id, label: key, hint: "last" },
    ];
  });
  return [...runs, ...found];
}

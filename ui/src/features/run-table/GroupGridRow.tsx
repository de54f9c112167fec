/** The heading of a group: its values, how many of its runs are shown, mean and spread of the headline metric. */
import { memo } from "react";
import { formatValue } from "../../charts/numbers";
import { Icon } from "../../ui/Icon";
import { cellNumber } from "./cells";
import { parseColumn } from "./columns";
import type { Group } from "./use-rows";

interface Props {
  readonly group: Group;
  readonly by: readonly string[];
  readonly rowIndex: number;
  readonly ariaRow: number;
  readonly isActive: boolean;
  /** The column whose mean and spread are shown. */
  readonly aggregated: string | null;
  readonly onToggle: (label: string) => void;
  readonly onActivate: (rowIndex: number) => void;
}

export const GroupGridRow = memo(function GroupGridRow(props: Props) {
  const { group, by, rowIndex, isActive, aggregated, onToggle, onActivate } = props;
  const numbers = aggregated === null ? undefined : group.row.aggregates[aggregated];
  const mean = cellNumber(numbers?.["mean"]);
  const spread = cellNumber(numbers?.["std"]);
  const toggle = (): void => onToggle(group.label);
  return (
    <div
      role="row"
      aria-rowindex={props.ariaRow}
      aria-expanded={!group.isFolded}
      data-row={rowIndex}
      tabIndex={isActive ? 0 : -1}
      className={`grid-row is-group${isActive ? " is-active" : ""}`}
      onFocus={() => onActivate(rowIndex)}
    >
      <div className="grid-lead is-group">
        <span role="gridcell" className="group-name" aria-colindex={1}>
          <button type="button" tabIndex={-1} onClick={toggle}>
            <Icon name={group.isFolded ? "right" : "down"} size={12} />
            {by.map((column) => (
              <span key={column}>
                {parseColumn(column)?.key ?? column} <b>{group.row.values[column] ?? "none"}</b>
              </span>
            ))}
            <small>{group.row.n.toLocaleString("en-US")}</small>
          </button>
        </span>
        {mean !== null && (
          <span role="gridcell" className="group-mean" aria-colindex={2}>
            <small>mean</small> {formatValue(mean)}
            {spread !== null && Number.isFinite(spread) && group.row.n > 1 && <small> ± {formatValue(spread)}</small>}
          </span>
        )}
      </div>
    </div>
  );
});

/** Rows of cells under headings, numbers to the right. */
import { formatValue } from "../../charts/numbers";

interface Props {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Long fractions in few digits; the title has all of them. */
  readonly isRounded?: boolean;
}

/** More digits than a reader compares. */
const LONG = 8;

export function RowTable({ head, rows, isRounded = false }: Props) {
  return (
    <table className="artifact-table">
      <thead>
        <tr>
          {head.map((cell, i) => (
            <th key={i} scope="col">
              {cell}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, j) => (
              <td key={j} className={cell !== "" && Number.isFinite(Number(cell)) ? "is-number" : ""} title={cell}>
                {isRounded && cell.length > LONG && cell.includes(".") && Number.isFinite(Number(cell)) ? formatValue(Number(cell)) : cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

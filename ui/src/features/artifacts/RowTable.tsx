/** Rows of cells under headings, numbers to the right. */
interface Props {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function RowTable({ head, rows }: Props) {
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
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The headings of a plain table. */
interface Props {
  readonly columns: readonly (Heading | string)[];
  /** A last column of buttons, whose heading is only heard. */
  readonly hasActions?: boolean;
}

export interface Heading {
  readonly label: string;
  readonly className: string;
}

export function TableHead({ columns, hasActions = false }: Props) {
  return (
    <thead>
      <tr>
        {columns.map((column) =>
          typeof column === "string" ? (
            <th key={column} scope="col">
              {column}
            </th>
          ) : (
            <th key={column.label} scope="col" className={column.className}>
              {column.label}
            </th>
          ),
        )}
        {hasActions && (
          <th scope="col">
            <span className="sr-only">Actions</span>
          </th>
        )}
      </tr>
    </thead>
  );
}

/** The heading of a column of numbers. */
export function toTheRight(label: string): Heading {
  return { label, className: "is-right" };
}

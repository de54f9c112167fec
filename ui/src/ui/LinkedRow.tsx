/** A row of a list that opens what it is about, wherever it is pressed; its first cell is the link that keyboards reach. */
import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { Link } from "./Link";
import { useTenantHref } from "./tenant";

interface Props {
  readonly to: string;
  readonly name: string;
  /** Shown after the name; its first line. */
  readonly description: string;
  /** The other cells. */
  readonly children: ReactNode;
}

export function LinkedRow({ to, name, description, children }: Props) {
  const [, navigate] = useLocation();
  const href = useTenantHref();
  return (
    <tr onClick={() => navigate(href(to))}>
      <td>
        <Link to={to} onClick={(event) => event.stopPropagation()}>
          {name}
        </Link>
        {description !== "" && <span className="list-description">{firstLine(description)}</span>}
      </td>
      {children}
    </tr>
  );
}

/** Descriptions are Markdown; one may begin with a heading. */
function firstLine(text: string): string {
  return (text.split("\n", 1)[0] ?? "").replace(/^#+\s*/, "");
}

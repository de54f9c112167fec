/** A native select in the dress of this page. */
import type { ReactNode } from "react";
import { Icon } from "./icons";

interface Props {
  readonly label: string;
  readonly value: string;
  readonly className?: string;
  readonly onChange: (value: string) => void;
  readonly children: ReactNode;
}

export function Select({ label, value, className, onChange, children }: Props) {
  return (
    <span className={`select ${className ?? ""}`}>
      <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value)}>
        {children}
      </select>
      <Icon name="down" size={12} />
    </span>
  );
}

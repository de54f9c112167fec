/** The search above a list: "/" goes there, Escape leaves it. */
import { useRef } from "react";
import { useKeys } from "../lib/keyboard";

interface Props {
  readonly label: string;
  readonly text: string;
  readonly onChange: (text: string) => void;
}

export function SearchField({ label, text, onChange }: Props) {
  const input = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => input.current?.focus() });
  return (
    <input
      ref={input}
      className="field"
      type="search"
      placeholder="Search by name"
      aria-label={label}
      aria-keyshortcuts="/"
      value={text}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") event.currentTarget.blur();
      }}
    />
  );
}

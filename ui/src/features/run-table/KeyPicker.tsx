/** Choose one or several keys from a searchable list: what to group by, what to sort by. */
import { useState, type ReactNode } from "react";
import { Icon } from "../../ui/Icon";
import { Popover } from "../../ui/Popover";

export interface Choice {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
}

interface Props {
  readonly label: string;
  readonly hotkey: string;
  readonly button: ReactNode;
  readonly choices: readonly Choice[];
  readonly chosen: readonly string[];
  readonly onChoose: (id: string) => void;
  readonly onClear: () => void;
  readonly clearLabel: string;
  /** More to decide, below the list. */
  readonly children?: ReactNode;
}

const MOST = 200;

export function KeyPicker({ label, hotkey, button, choices, chosen, onChoose, onClear, clearLabel, children }: Props) {
  return (
    <Popover label={label} button={button} className="key-picker" hotkey={hotkey}>
      {(close) => (
        <List
          label={label}
          choices={choices}
          chosen={chosen}
          clearLabel={clearLabel}
          onChoose={onChoose}
          onClear={() => {
            onClear();
            close();
          }}
        >
          {children}
        </List>
      )}
    </Popover>
  );
}

type ListProps = Omit<Props, "button" | "hotkey">;

function List({ label, choices, chosen, onChoose, onClear, clearLabel, children }: ListProps) {
  const [search, setSearch] = useState("");
  const wanted = search.toLowerCase();
  const found = choices.filter((choice) => `${choice.label} ${choice.hint}`.toLowerCase().includes(wanted));
  return (
    <>
      <input
        className="field"
        type="search"
        placeholder="Search"
        aria-label={`${label}: search`}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
        onKeyDown={(event) => {
          const [first] = found;
          if (event.key === "Enter" && first !== undefined) onChoose(first.id);
        }}
      />
      {children}
      {chosen.length > 0 && (
        <button type="button" className="menu-item" onClick={onClear}>
          <span className="menu-tick" />
          {clearLabel}
        </button>
      )}
      {found.slice(0, MOST).map((choice) => (
        <button
          key={choice.id}
          type="button"
          className="menu-item"
          aria-pressed={chosen.includes(choice.id)}
          onClick={() => onChoose(choice.id)}
        >
          <span className="menu-tick">{chosen.includes(choice.id) && <Icon name="check" size={12} />}</span>
          <span className="menu-label">{choice.label}</span>
          <small>{choice.hint}</small>
        </button>
      ))}
      {found.length > MOST && <p className="popover-note">{found.length - MOST} more match. Search for a part of the name.</p>}
      {found.length === 0 && <p className="popover-note">Nothing matches “{search}”.</p>}
    </>
  );
}

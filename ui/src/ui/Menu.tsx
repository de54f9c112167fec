/** A button with a menu of actions, or of choices of which one is taken. */
import type { ReactNode } from "react";
import { Icon } from "./Icon";
import { Popover } from "./Popover";

export interface MenuItem {
  readonly label: string;
  readonly hint?: string;
  /** Present for choices. */
  readonly isChecked?: boolean;
  readonly onSelect: () => void;
}

interface Props {
  readonly label: string;
  readonly button: ReactNode;
  readonly buttonLabel?: string;
  readonly buttonClass?: string;
  readonly items: readonly MenuItem[];
  readonly empty?: string;
}

export function Menu({ label, button, buttonLabel, buttonClass, items, empty }: Props) {
  return (
    <Popover label={label} button={button} kind="menu" buttonClass={buttonClass ?? ""} buttonLabel={buttonLabel}>
      {(close) =>
        items.length === 0 ? (
          <p className="popover-note">{empty}</p>
        ) : (
          items.map((item) => (
            <button
              key={item.label}
              type="button"
              className="menu-item"
              role={item.isChecked === undefined ? "menuitem" : "menuitemradio"}
              aria-checked={item.isChecked}
              tabIndex={-1}
              onClick={() => {
                close();
                item.onSelect();
              }}
            >
              <span className="menu-tick">{item.isChecked === true && <Icon name="check" size={12} />}</span>
              <span className="menu-label">{item.label}</span>
              {item.hint !== undefined && <small>{item.hint}</small>}
            </button>
          ))
        )
      }
    </Popover>
  );
}

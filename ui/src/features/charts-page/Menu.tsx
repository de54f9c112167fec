/** A button with a menu: arrow keys move, Escape and a press outside close, the focus goes back to the button. */
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

export interface MenuItem {
  readonly label: string;
  readonly onSelect: () => void;
  /** Present for items of which one is chosen. */
  readonly isChecked?: boolean;
  /** A line above the item. */
  readonly isFirstOfGroup?: boolean;
  readonly isDisabled?: boolean;
}

interface Props {
  readonly label: string;
  readonly className?: string;
  readonly button: ReactNode;
  readonly items: () => readonly MenuItem[];
}

export function Menu({ label, className, button, items }: Props) {
  const [open, setOpen] = useState<readonly MenuItem[] | null>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  useEffect(() => {
    if (open === null) return;
    list.current?.querySelector<HTMLElement>("[role^=menuitem]:not([disabled])")?.focus();
    const outside = (event: PointerEvent): void => {
      const target = event.target;
      if (target instanceof Node && !list.current?.contains(target) && !trigger.current?.contains(target)) setOpen(null);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  const close = (): void => {
    setOpen(null);
    trigger.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const entries = [...(list.current?.querySelectorAll<HTMLElement>("[role^=menuitem]:not([disabled])") ?? [])];
    const here = entries.findIndex((entry) => entry === document.activeElement);
    const go = (to: number): void => entries.at(to % entries.length)?.focus();
    if (event.key === "Escape" || event.key === "Tab") close();
    else if (event.key === "ArrowDown") go(here + 1);
    else if (event.key === "ArrowUp") go(here - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <span className={`menu ${className ?? ""}`}>
      <button
        type="button"
        ref={trigger}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open !== null}
        aria-controls={open === null ? undefined : id}
        onClick={() => setOpen(open === null ? items() : null)}
      >
        {button}
      </button>
      {open !== null && (
        <div className="menu-list" role="menu" id={id} aria-label={label} ref={list} onKeyDown={onKeyDown}>
          {open.map((item) => (
            <button
              key={item.label}
              type="button"
              role={item.isChecked === undefined ? "menuitem" : "menuitemradio"}
              aria-checked={item.isChecked}
              disabled={item.isDisabled}
              className={item.isFirstOfGroup === true ? "is-first" : undefined}
              tabIndex={-1}
              onClick={() => {
                close();
                item.onSelect();
              }}
            >
              {item.label}
            </button>
          ))}
        </div>
      )}
    </span>
  );
}

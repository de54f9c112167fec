/** One saved view in the list. */
import { useRef, useState } from "react";
import type { SavedView } from "../../api/views";
import { Icon } from "../../ui/Icon";

interface Props {
  readonly view: SavedView;
  readonly isCurrent: boolean;
  readonly hint: string;
  readonly onOpen: () => void;
  /** Whether it has the name now. */
  readonly onRename: (name: string) => Promise<boolean>;
  readonly onRemove: () => void;
}

export function ViewRow({ view, isCurrent, hint, onOpen, onRename, onRemove }: Props) {
  const [name, setName] = useState<string | null>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const back = (): void => {
    setName(null);
    requestAnimationFrame(() => opener.current?.focus());
  };
  if (name !== null) {
    return (
      <li>
        <form
          className="view-rename"
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() === "" || name === view.name) back();
            else void onRename(name).then((isDone) => isDone && back());
          }}
        >
          <input
            className="field"
            aria-label={`New name of the view ${view.name}`}
            ref={focusAndSelect}
            maxLength={256}
            value={name}
            onChange={(event) => setName(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== "Escape") return;
              event.stopPropagation();
              back();
            }}
          />
        </form>
      </li>
    );
  }
  return (
    <li className="view-row">
      <button
        type="button"
        ref={opener}
        className="menu-item view-open"
        aria-current={isCurrent ? "true" : undefined}
        title={`${view.name}, by ${view.created_by}`}
        aria-keyshortcuts="F2 Delete"
        onClick={onOpen}
        onKeyDown={(event) => {
          if (event.key === "F2") setName(view.name);
          else if (event.key === "Delete") onRemove();
          else return;
          event.preventDefault();
        }}
      >
        <span className="menu-tick">{isCurrent && <Icon name="check" size={12} />}</span>
        <span className="menu-label">{view.name}</span>
        <small>{hint}</small>
      </button>
      <button type="button" className="icon-button" aria-label={`Rename the view ${view.name}`} title="Rename (F2)" onClick={() => setName(view.name)}>
        <Icon name="pencil" size={13} />
      </button>
      <button type="button" className="icon-button" aria-label={`Delete the view ${view.name}`} title="Delete" onClick={onRemove}>
        <Icon name="trash" size={13} />
      </button>
    </li>
  );
}

function focusAndSelect(input: HTMLInputElement | null): void {
  if (input === null || document.activeElement === input) return;
  input.focus();
  input.select();
}

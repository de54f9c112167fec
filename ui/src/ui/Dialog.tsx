/** A modal dialog: the browser's own element, which keeps the focus inside and closes on Escape. */
import { useEffect, useRef, type ReactNode } from "react";
import { Icon } from "./Icon";

interface Props {
  readonly label: string;
  readonly className?: string;
  readonly onClose: () => void;
  /** Without a title the content brings its own. */
  readonly hasTitle?: boolean;
  readonly children: ReactNode;
}

export function Dialog({ label, className, onClose, hasTitle = true, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element === null || element.open) return;
    element.showModal();
    element.querySelector<HTMLElement>("[data-autofocus]")?.focus();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-label={label}
      className={`dialog ${className ?? ""}`}
      onClose={onClose}
      onPointerDown={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div className="dialog-body">
        {hasTitle && (
          <div className="dialog-head">
            <h2>{label}</h2>
            <button type="button" className="icon-button" aria-label="Close" onClick={() => dialog.current?.close()}>
              <Icon name="close" />
            </button>
          </div>
        )}
        {children}
      </div>
    </dialog>
  );
}

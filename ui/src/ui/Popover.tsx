/**
 * A button and what opens below it: any content, closed by Escape, by a press outside, or by the content itself. The
 * focus goes into the content and comes back to the button. The content is fixed to the window, so no ancestor clips it.
 */
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { useKeys } from "../lib/keyboard";

interface Props {
  /** What the content is, for those who cannot see it. */
  readonly label: string;
  readonly button: ReactNode;
  readonly buttonLabel?: string | undefined;
  readonly buttonClass?: string;
  readonly className?: string;
  readonly kind?: "dialog" | "menu" | "listbox";
  /** A key of the page that opens it. */
  readonly hotkey?: string;
  readonly children: (close: () => void) => ReactNode;
}

const EDGE = 8;

export function Popover({ label, button, buttonLabel, buttonClass, className, kind = "dialog", hotkey, children }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const trigger = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();

  useKeys(hotkey === undefined ? {} : { [hotkey]: () => setIsOpen(true) });

  const close = useCallback((): void => {
    setIsOpen(false);
    trigger.current?.focus();
  }, []);

  useLayoutEffect(() => {
    const [button_, content] = [trigger.current, panel.current];
    if (!isOpen || button_ === null || content === null) return;
    const place = (): void => {
      const from = button_.getBoundingClientRect();
      const width = content.offsetWidth;
      content.style.left = `${Math.max(EDGE, Math.min(from.left, window.innerWidth - width - EDGE))}px`;
      content.style.top = `${from.bottom + 4}px`;
      content.style.maxHeight = `${Math.max(160, window.innerHeight - from.bottom - 4 - EDGE)}px`;
    };
    place();
    content.querySelector<HTMLElement>("[data-autofocus], input, [role^=menuitem], [role=option], button")?.focus();
    const watch = new ResizeObserver(place);
    watch.observe(content);
    window.addEventListener("resize", place);
    return () => {
      watch.disconnect();
      window.removeEventListener("resize", place);
    };
  }, [isOpen]);

  useEffect(() => {
    if (!isOpen) return;
    const onPress = (event: PointerEvent): void => {
      const target = event.target;
      if (!(target instanceof Node) || panel.current?.contains(target) || trigger.current?.contains(target)) return;
      setIsOpen(false);
    };
    document.addEventListener("pointerdown", onPress);
    return () => document.removeEventListener("pointerdown", onPress);
  }, [isOpen]);

  return (
    <>
      <button
        type="button"
        ref={trigger}
        className={buttonClass}
        aria-label={buttonLabel}
        aria-haspopup={kind}
        aria-expanded={isOpen}
        aria-keyshortcuts={hotkey}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setIsOpen(!isOpen)}
      >
        {button}
      </button>
      {isOpen &&
        createPortal(
          <div
            ref={panel}
            id={id}
            role={kind}
            aria-label={label}
            className={`popover thin-scroll ${className ?? ""}`}
            onKeyDown={(event) => {
              if (event.key === "Escape" || (event.key === "Tab" && kind !== "dialog")) {
                event.preventDefault();
                close();
              } else if (kind !== "dialog") moveFocus(event.key, panel.current);
              // Single keys of the page must not act behind an open panel.
              event.stopPropagation();
              event.nativeEvent.stopPropagation();
            }}
          >
            {/* oxlint-disable-next-line react/refs -- `close` reads its ref when it is called, not now */}
            {children(close)}
          </div>,
          document.body,
        )}
    </>
  );
}

/** Arrow keys, Home and End among the items of a menu. */
export function moveFocus(key: string, root: HTMLElement | null): void {
  const items = [...(root?.querySelectorAll<HTMLElement>("[role^=menuitem]:not([disabled]), [role=option]") ?? [])];
  const here = items.findIndex((item) => item === document.activeElement);
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 }[key];
  if (to !== undefined && items.length > 0) items.at(to % items.length)?.focus();
}

/** Single keys as commands: out of the way of typing, of open menus and dialogs, and of the browser's own. */
import { useEffect, useLayoutEffect, useRef } from "react";

/** By the key's name: "j", "?", "Shift+Space", "Mod+k" (Mod is Ctrl, or Cmd on a Mac). */
export type KeyMap = Readonly<Record<string, (event: KeyboardEvent) => void>>;

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return target.type !== "range" && target.type !== "checkbox";
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

export function keyName(event: Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey">): string {
  const key = event.key === " " ? "Space" : event.key;
  if (event.ctrlKey || event.metaKey) return `Mod+${event.shiftKey ? "Shift+" : ""}${key.toLowerCase()}`;
  // A capital or a sign already says that Shift is down; a named key does not.
  if (event.shiftKey && (key.length > 1 || /[a-z]/i.test(key))) return `Shift+${key.length === 1 ? key.toLowerCase() : key}`;
  return key;
}

/** Keys of the whole page, as long as the component is there; `mayAct` leaves them to the element that has the focus. */
export function useKeys(map: KeyMap, mayAct: (event: KeyboardEvent) => boolean = always): void {
  const latest = useRef({ map, mayAct });
  // Before the next key can come: one that follows at once must act on what the last one made.
  useLayoutEffect(() => {
    latest.current = { map, mayAct };
  }, [map, mayAct]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.altKey) return;
      const name = keyName(event);
      const isModified = name.startsWith("Mod+");
      if (!isModified && (isTyping(event.target) || document.querySelector("dialog[open]") !== null)) return;
      const command = latest.current.map[name];
      if (command === undefined || !latest.current.mayAct(event)) return;
      event.preventDefault();
      command(event);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}

function always(): boolean {
  return true;
}

/** "Mod" as this machine calls it. */
export const MOD = typeof navigator !== "undefined" && /mac/i.test(navigator.userAgent) ? "⌘" : "Ctrl ";

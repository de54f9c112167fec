/**
 * The session of a person who signed in with the identity provider. It lasts as long as the tab, so it is in no link,
 * no other tab and no file of this browser; signing in again costs one click while the provider knows the person.
 */
import { useSyncExternalStore } from "react";

const STORE = "gnomon.session";

let current: string | null = load();
const listeners = new Set<() => void>();

/** Storage may be forbidden to the page; then the session lasts as long as the page. */
function load(): string | null {
  try {
    return sessionStorage.getItem(STORE);
  } catch {
    return null;
  }
}

export function setSession(secret: string | null): void {
  current = secret;
  try {
    if (secret === null) sessionStorage.removeItem(STORE);
    else sessionStorage.setItem(STORE, secret);
  } catch {
    // Not kept beyond this page: the session itself still holds.
  }
  for (const listener of listeners) listener();
}

export function hasSession(): boolean {
  return current !== null;
}

export function useSession(): string | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

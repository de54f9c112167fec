/** Words about what was just done, with a way back: they stay for some seconds, longer while looked at. */
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: "plain" | "bad";
  readonly action: { readonly label: string; readonly run: () => void } | null;
}

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();
/** More at once would hide the page. */
const MOST = 3;

export function toast(text: string, action: Toast["action"] = null): void {
  lastId++;
  set([...toasts, { id: lastId, text, tone: "plain" as const, action }].slice(-MOST));
}

/** Something that was asked for did not happen. */
export function toastError(what: string, error: unknown): void {
  lastId++;
  const why = error instanceof Error ? error.message : String(error);
  set([...toasts, { id: lastId, text: `${what}: ${why}`, tone: "bad" as const, action: null }].slice(-MOST));
}

export function dismiss(id: number): void {
  set(toasts.filter((one) => one.id !== id));
}

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export function onToasts(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function currentToasts(): readonly Toast[] {
  return toasts;
}

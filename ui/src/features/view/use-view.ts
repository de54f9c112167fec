/**
 * The view of the page that is open, read from the URL, and changed by writing the URL: there is no second copy.
 *
 * A change replaces the present entry of the browser's history, so "back" leaves the page and never undoes half a
 * thought; undo and redo have a history of their own, one for each page.
 */
import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";
import { readSearch, writeSearch } from "../../lib/search-params";
import { UndoStack } from "../../lib/undo";
import { readView, viewEntries, type ExperimentView } from "./view";

export type Change = Partial<ExperimentView>;

export interface ViewControl {
  readonly view: ExperimentView;
  readonly change: (change: Change) => void;
  readonly undo: () => void;
  readonly redo: () => void;
  /** Replace everything, as a saved view does, on another page of the same experiment if need be. */
  readonly open: (search: string, path?: string) => void;
}

const stacks = new Map<string, UndoStack<string>>();

function stackOf(page: string): UndoStack<string> {
  let stack = stacks.get(page);
  if (stack === undefined) {
    stack = new UndoStack();
    stacks.set(page, stack);
  }
  return stack;
}

/** `page` names what the history belongs to: an experiment or a run. */
export function useView(page: string): ViewControl {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const view = useMemo(() => readView(search), [search]);

  const go = useCallback(
    (next: string): void => navigate(next === "" ? path : `${path}?${next}`, { replace: true }),
    [navigate, path],
  );
  const change = useCallback(
    (wanted: Change): void => {
      // Two changes within one event must both count, so the present URL is read and not the one of the last render.
      const now = currentSearch();
      const next = withView(now, { ...readView(now), ...wanted });
      if (next === now) return;
      stackOf(page).push(now, gestureOf(wanted));
      go(next);
    },
    [go, page],
  );
  const undo = useCallback((): void => {
    const previous = stackOf(page).undo(currentSearch());
    if (previous !== null) go(previous);
  }, [go, page]);
  const redo = useCallback((): void => {
    const next = stackOf(page).redo(currentSearch());
    if (next !== null) go(next);
  }, [go, page]);
  const open = useCallback(
    (wanted: string, to: string = path): void => {
      const now = currentSearch();
      const next = withView(now, readView(wanted));
      if (next !== now) stackOf(page).push(now, null);
      navigate(next === "" ? to : `${to}?${next}`, { replace: to === path });
    },
    [navigate, page, path],
  );
  return useMemo(() => ({ view, change, undo, redo, open }), [view, change, undo, redo, open]);
}

/** Sliders and zooming come as many changes; all else is one decision at a time. */
function gestureOf(change: Change): string | null {
  const names = Object.keys(change);
  const [name] = names;
  return names.length === 1 && (name === "charts" || name === "mediaStep") ? name : null;
}

function currentSearch(): string {
  return window.location.search.replace(/^\?/, "");
}

/** The query string of a view, with the entries that do not belong to a view kept in front. */
export function withView(search: string, view: ExperimentView): string {
  const tenant = readSearch(search).get("tenant") ?? null;
  return writeSearch([["tenant", tenant], ...viewEntries(view)]);
}

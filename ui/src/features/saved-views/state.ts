/**
 * What a saved view keeps: the page's view as its URL writes it, and the tab it was saved on. What the page chose by
 * itself (the newest runs, the columns that differ) is left open, so that a view keeps up with new runs.
 */
import { readSearch, writeSearch } from "../../lib/search-params";
import { tabOf, type Tab } from "../experiment/tabs";
import { readView, viewEntries, writeView, type ExperimentView } from "../view/view";

export function stateOf(view: ExperimentView, tab: Tab): string {
  return writeSearch([...viewEntries({ ...view, savedView: null }), ["tab", tab === "charts" ? null : tab]]);
}

export function tabOfState(state: string): Tab {
  return tabOf(readSearch(state).get("tab"));
}

/** Whether the page shows something else than the saved view does; the tab does not count. */
export function isChanged(view: ExperimentView, state: string): boolean {
  return writeView({ ...view, savedView: null }) !== writeView({ ...readView(state), savedView: null });
}

/** The query string that opens a saved view. */
export function searchOf(id: string, state: string): string {
  return writeView({ ...readView(state), savedView: id });
}

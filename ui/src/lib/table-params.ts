/** The table's part of the view in the query string; what is at its default is left out. */
import { readFlag, readList, writeFlag, writeList, type Params } from "./search-params";
import { DEFAULT_TABLE_VIEW, type Sort, type TableView } from "./view";

export function readTableView(params: Params): TableView {
  const shown = params.get("v");
  const columns = params.get("c");
  return {
    filter: params.get("q") ?? "",
    group: readList(params.get("g")),
    sort: readSort(params.get("s")),
    columns: columns === undefined ? null : readList(columns),
    shown: shown === undefined ? null : readList(shown).map((id) => (id === "" ? null : id)),
    baseline: params.get("b") ?? null,
    folded: readList(params.get("gf")),
    hasGroupLines: readFlag(params.get("gl"), DEFAULT_TABLE_VIEW.hasGroupLines),
  };
}

export function writeTableView(view: TableView): [string, string | null][] {
  return [
    ["q", view.filter === "" ? null : view.filter],
    ["g", writeList(view.group)],
    ["s", view.sort === null ? null : `${view.sort.isDescending ? "-" : ""}${view.sort.column}`],
    // An empty choice differs from no choice, so it is written.
    ["c", view.columns === null ? null : (writeList(view.columns) ?? "")],
    ["v", view.shown === null ? null : (writeList(view.shown.map((id) => id ?? "")) ?? "")],
    ["b", view.baseline],
    ["gf", writeList(view.folded)],
    ["gl", writeFlag(view.hasGroupLines, DEFAULT_TABLE_VIEW.hasGroupLines)],
  ];
}

function readSort(text: string | undefined): Sort | null {
  if (text === undefined || text === "" || text === "-") return null;
  return text.startsWith("-") ? { column: text.slice(1), isDescending: true } : { column: text, isDescending: false };
}

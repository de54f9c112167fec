/** All keys of the app, for the sheet and the settings page. */
export interface KeyGroup {
  readonly name: string;
  readonly keys: readonly (readonly [keys: string, does: string])[];
}

export function keyGroups(mod: string): readonly KeyGroup[] {
  return [
    {
      name: "Everywhere",
      keys: [
        [`${mod}K`, "jump to an experiment, run or action"],
        ["D", "light or dark"],
        ["?", "all keys"],
        ["1 … 7", "tabs of an experiment or a run"],
        ["V", "saved views: Enter opens, F2 renames, Delete removes"],
        ["U", "undo a change of the view"],
        ["Shift U", "redo it"],
      ],
    },
    {
      name: "Runs",
      keys: [
        ["/", "filter"],
        ["J K", "next, previous run"],
        ["Space", "show or hide the run"],
        ["Shift Space", "show only this run"],
        ["P", "pin as baseline"],
        ["Enter", "open the run"],
        ["Delete", "archive the run; its message takes it back"],
        ["← →", "fold, unfold the group"],
        ["G", "group"],
        ["S", "sort"],
        ["C", "compare the shown runs"],
        ["Alt ← →", "move the column in focus"],
      ],
    },
    {
      name: "Logs",
      keys: [
        ["/", "search"],
        ["N", "next match"],
        ["Shift N", "previous match"],
      ],
    },
    {
      name: "Traces",
      keys: [
        ["↑ ↓", "next, previous span"],
        ["← →", "fold, unfold the span"],
      ],
    },
    {
      name: "Charts",
      keys: [
        ["Drag", "zoom"],
        ["Esc", "reset the zoom, then the focus"],
        ["[ ]", "less, more smoothing"],
        ["L", "logarithmic y"],
        ["E", "min–max band"],
        ["X", "next x axis"],
        ["← →", "move the cursor of a panel in focus"],
      ],
    },
  ];
}

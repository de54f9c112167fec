/** The keys of the run table. J and K work anywhere on the page; the others where the focus is on nothing else. */
import { useKeys, type KeyMap } from "../../lib/keyboard";

export interface GridCommands {
  readonly move: (by: number) => void;
  readonly moveTo: (row: number) => void;
  readonly toggle: () => void;
  readonly solo: () => void;
  readonly pin: () => void;
  readonly open: () => void;
  readonly archive: () => void;
  readonly fold: (isFolded: boolean) => void;
  readonly rowCount: number;
}

const PAGE = 15;

export function useGridKeys(commands: GridCommands): void {
  const everywhere: KeyMap = {
    j: () => commands.move(1),
    k: () => commands.move(-1),
    p: commands.pin,
  };
  const whenFree: KeyMap = {
    ArrowDown: () => commands.move(1),
    ArrowUp: () => commands.move(-1),
    PageDown: () => commands.move(PAGE),
    PageUp: () => commands.move(-PAGE),
    Home: () => commands.moveTo(0),
    End: () => commands.moveTo(commands.rowCount - 1),
    ArrowRight: () => commands.fold(false),
    ArrowLeft: () => commands.fold(true),
    Space: commands.toggle,
    "Shift+Space": commands.solo,
    Enter: commands.open,
    Delete: commands.archive,
  };
  useKeys(everywhere);
  useKeys(whenFree, isFree);
}

/** Keys that buttons, links and scrolling areas use as well are left to them. */
function isFree(event: KeyboardEvent): boolean {
  const target = event.target;
  if (target === document.body) return true;
  return target instanceof HTMLElement && target.getAttribute("role") === "row";
}

/** The views of an experiment: open one with Enter, rename it with F2, remove it with Delete, save the present one. */
import { useEffect, useRef, useState } from "react";
import type { SavedView } from "../../api/views";
import { useNow } from "../../lib/now";
import { age } from "../../lib/time";
import { Icon } from "../../ui/Icon";
import { tabPath } from "../experiment/tabs";
import { isChanged, searchOf, stateOf, tabOfState } from "./state";
import { useSavedViews } from "./use-saved-views";
import type { ViewMenuProps } from "./ViewMenu";
import { ViewRow } from "./ViewRow";

interface Props extends ViewMenuProps {
  readonly onClose: () => void;
}

/** From this many on, a search helps. */
const MANY = 8;

export function ViewPanel({ experimentId, tab, control, onClose }: Props) {
  const { view, change, open } = control;
  const saved = useSavedViews(experimentId);
  const [search, setSearch] = useState("");
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const panel = useRef<HTMLDivElement>(null);
  const now = useNow(0);
  const current = saved.views.find((one) => one.id === view.savedView);
  const hasChanges = current !== undefined && isChanged(view, current.state);
  const found = saved.views.filter((one) => one.name.toLowerCase().includes(search.trim().toLowerCase()));

  const count = saved.isPending ? null : saved.views.length;
  // The panel comes later than the popover that holds it, so it takes the focus by itself; and again when the view that
  // had the focus is gone.
  useEffect(() => {
    const place = panel.current;
    if (count === null || place?.contains(document.activeElement) === true) return;
    (place?.querySelector<HTMLElement>("[aria-current]") ?? place?.querySelector<HTMLElement>(".view-open, input"))?.focus();
  }, [count]);

  /** Whether it was done; else the page says why not. */
  const attempt = async (work: () => Promise<unknown>): Promise<boolean> => {
    setProblem(null);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      return false;
    }
  };
  const show = (one: SavedView): void => {
    onClose();
    const to = tabOfState(one.state);
    open(searchOf(one.id, one.state), to === tab ? undefined : tabPath(experimentId, to));
  };
  const save = (): Promise<boolean> =>
    attempt(async () => {
      const made = await saved.save(name, stateOf(view, tab));
      change({ savedView: made.id });
      onClose();
    });
  const keep = (one: SavedView): Promise<boolean> =>
    attempt(async () => {
      await saved.replace(one, { state: stateOf(view, tab) });
      onClose();
    });

  return (
    <div ref={panel} onKeyDown={(event) => moveAmongViews(event.key, panel.current) && event.preventDefault()}>
      {saved.views.length >= MANY && (
        <input
          className="field views-search"
          type="search"
          placeholder="Search views"
          aria-label="Search views"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      )}
      {saved.error !== null && <p className="views-problem">{saved.error.message}</p>}
      {!saved.isPending && saved.views.length === 0 && (
        <p className="popover-note">No views yet. A view keeps filter, groups, columns, shown runs, zoom and panels under a name, for everybody.</p>
      )}
      <ul className="views-list thin-scroll">
        {found.map((one) => (
          <ViewRow
            key={one.id}
            view={one}
            isCurrent={one.id === view.savedView}
            hint={one.id === view.savedView && hasChanges ? "changed" : age(Date.parse(one.last_updated), now)}
            onOpen={() => show(one)}
            onRename={(next) => attempt(() => saved.replace(one, { name: next }))}
            onRemove={() =>
              void attempt(async () => {
                await saved.remove(one);
                if (one.id === view.savedView) change({ savedView: null });
              })
            }
          />
        ))}
      </ul>
      {found.length === 0 && saved.views.length > 0 && <p className="popover-note">No view is called “{search}”.</p>}
      {current !== undefined && hasChanges && (
        <div className="views-actions">
          <button type="button" className="menu-item" onClick={() => void keep(current)}>
            <Icon name="check" size={12} />
            <span className="menu-label">Save the changes to “{current.name}”</span>
          </button>
          <button type="button" className="menu-item" onClick={() => show(current)}>
            <Icon name="undo" size={12} />
            <span className="menu-label">Back to “{current.name}” as saved</span>
          </button>
        </div>
      )}
      <form
        className="views-save"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <input
          className="field"
          placeholder="Save this view as"
          aria-label="Name of a new view"
          autoComplete="off"
          maxLength={256}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <button type="submit" className="button is-primary" disabled={name.trim() === ""}>
          Save
        </button>
      </form>
      <p className="views-problem" role="alert">
        {problem}
      </p>
    </div>
  );
}

/** Up and down among the views and what is below them; in a text the arrows that matter there stay its own. */
function moveAmongViews(key: string, root: HTMLElement | null): boolean {
  const by = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (by === undefined || root === null) return false;
  const stops = [...root.querySelectorAll<HTMLElement>(".view-open, .menu-item, input")];
  const here = stops.findIndex((stop) => stop === document.activeElement);
  stops.at((here + by) % stops.length)?.focus();
  return true;
}

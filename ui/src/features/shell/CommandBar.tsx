/** Jump anywhere: experiments and runs by name, and the actions that have no place of their own. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useId, useState } from "react";
import { useLocation } from "wouter";
import { experimentsQuery } from "../../api/experiments";
import { runsQuery } from "../../api/runs";
import { setPreferences, useTheme } from "../../lib/preferences";
import { lastView } from "../../lib/recent";
import { Dialog } from "../../ui/Dialog";
import { Icon, type IconName } from "../../ui/Icon";
import { useTenantHref } from "../../ui/tenant";

interface Target {
  readonly id: string;
  readonly icon: IconName;
  readonly label: string;
  readonly hint: string;
  readonly go: () => void;
}

const MOST = 8;

export function CommandBar({ onClose, onKeys }: { readonly onClose: () => void; readonly onKeys: () => void }) {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const targets = useTargets(text, onClose, onKeys);
  const here = Math.min(chosen, targets.length - 1);
  return (
    <Dialog label="Jump to" hasTitle={false} onClose={onClose} className="command-bar">
      <div className="command-input">
        <Icon name="search" />
        <input
          data-autofocus
          placeholder="Experiment, run or action"
          aria-label="Search experiments, runs and actions"
          role="combobox"
          aria-expanded
          aria-controls={`${id}-list`}
          aria-activedescendant={targets[here] === undefined ? undefined : `${id}-${here}`}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setChosen(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") setChosen((here + 1) % Math.max(1, targets.length));
            else if (event.key === "ArrowUp") setChosen((here + targets.length - 1) % Math.max(1, targets.length));
            else if (event.key === "Enter") targets[here]?.go();
            else return;
            event.preventDefault();
          }}
        />
      </div>
      <div className="command-list thin-scroll" role="listbox" id={`${id}-list`} aria-label="Results">
        {targets.map((target, i) => (
          <div key={target.id} id={`${id}-${i}`} role="option" aria-selected={i === here} onClick={target.go}>
            <Icon name={target.icon} />
            <span>{target.label}</span>
            <small>{target.hint}</small>
          </div>
        ))}
      </div>
      {targets.length === 0 && <p className="popover-note">Nothing is called “{text}”.</p>}
    </Dialog>
  );
}

function useTargets(text: string, onClose: () => void, onKeys: () => void): Target[] {
  const search = useDeferredValue(text.trim());
  const [, navigate] = useLocation();
  const href = useTenantHref();
  const theme = useTheme();
  const experiments = useQuery({
    ...experimentsQuery({ search, stage: "active", limit: MOST }),
    placeholderData: keepPreviousData,
  });
  const runs = useQuery({
    ...runsQuery({ experimentId: null, status: null, search, filter: "", limit: MOST }),
    placeholderData: keepPreviousData,
    enabled: search !== "",
  });
  const open = (path: string) => (): void => {
    onClose();
    navigate(href(path));
  };
  const actions: Target[] = [
    { id: "home", icon: "list", label: "All experiments", hint: "page", go: open("/") },
    { id: "models", icon: "folder", label: "Models", hint: "page", go: open("/models") },
    { id: "settings", icon: "gear", label: "Settings", hint: "page", go: open("/settings") },
    { id: "keys", icon: "list", label: "All keys", hint: "?", go: onKeys },
    {
      id: "theme",
      icon: theme === "light" ? "moon" : "sun",
      label: theme === "light" ? "Use dark theme" : "Use light theme",
      hint: "D",
      go: () => {
        setPreferences({ theme: theme === "light" ? "dark" : "light" });
        onClose();
      },
    },
  ];
  const wanted = search.toLowerCase();
  return [
    ...(experiments.data?.experiments ?? []).map(
      (one): Target => ({
        id: one.id,
        icon: "folder",
        label: one.name,
        hint: `experiment, ${one.run_count} ${one.run_count === 1 ? "run" : "runs"}`,
        go: open(`/e/${one.id}${suffix(lastView(one.id))}`),
      }),
    ),
    ...(search === "" ? [] : (runs.data?.runs ?? [])).map(
      (run): Target => ({ id: run.id, icon: "right", label: run.name, hint: `run, ${run.status}`, go: open(`/r/${run.id}`) }),
    ),
    ...actions.filter((action) => action.label.toLowerCase().includes(wanted)),
  ];
}

function suffix(search: string): string {
  return search === "" ? "" : `?${search}`;
}

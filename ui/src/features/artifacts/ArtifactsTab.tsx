/** Artifacts of the shown runs: the same file of another run is one press away. */
import { Message } from "../../ui/Message";
import type { RunRow } from "../run-table/rows";
import { ArtifactBrowser } from "./ArtifactBrowser";

interface Props {
  readonly runs: readonly RunRow[];
  readonly colors: ReadonlyMap<string, string>;
  readonly runId: string | null;
  readonly path: string | null;
  readonly onOpen: (runId: string, path: string | null) => void;
}

export function ArtifactsTab({ runs, colors, runId, path, onOpen }: Props) {
  const chosen = runId ?? runs[0]?.id ?? null;
  if (chosen === null) return <Message title="No run is shown">Show a run with its swatch in the table at the left.</Message>;
  return (
    <ArtifactBrowser
      runId={chosen}
      path={path}
      onOpen={(next) => onOpen(chosen, next)}
      head={
        <ul className="artifact-runs" aria-label="Run">
          {runs.map((run) => (
            <li key={run.id}>
              <button type="button" className="artifact-row" aria-pressed={run.id === chosen} onClick={() => onOpen(run.id, path)}>
                <i style={{ background: colors.get(run.id) ?? "var(--ink-4)" }} />
                <span>{run.name}</span>
              </button>
            </li>
          ))}
        </ul>
      }
    />
  );
}

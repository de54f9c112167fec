/** The files of a run by directory; a directory is read when it is opened. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { artifactsQuery, type ArtifactInfo } from "../../api/artifacts";
import { Icon } from "../../ui/Icon";
import { formatBytes } from "./file-kind";

interface TreeProps {
  readonly runId: string;
  readonly directory: string;
  readonly chosen: string | null;
  readonly onOpen: (path: string) => void;
}

export function ArtifactTree({ runId, directory, chosen, onOpen }: TreeProps) {
  const query = useQuery(artifactsQuery(runId, directory));
  const found = query.data;
  if (query.error !== null) return <p className="artifact-note">{query.error.message}</p>;
  if (found === undefined) return null;
  return (
    <ul className="artifact-tree">
      {found.artifacts.map((entry) =>
        entry.is_dir ? (
          <Directory key={entry.path} runId={runId} entry={entry} chosen={chosen} onOpen={onOpen} />
        ) : (
          <li key={entry.path}>
            <button
              type="button"
              className="artifact-row"
              aria-current={entry.path === chosen ? "true" : undefined}
              onClick={() => onOpen(entry.path)}
            >
              <Icon name="file" />
              <span title={entry.path}>{nameOf(entry.path)}</span>
              {entry.size !== null && <small>{formatBytes(entry.size)}</small>}
            </button>
          </li>
        ),
      )}
      {found.total > found.artifacts.length && (
        <li className="artifact-note">and {(found.total - found.artifacts.length).toLocaleString("en-US")} more in this directory</li>
      )}
    </ul>
  );
}

interface DirectoryProps extends Omit<TreeProps, "directory"> {
  readonly entry: ArtifactInfo;
}

function Directory({ runId, entry, chosen, onOpen }: DirectoryProps) {
  const [isOpen, setIsOpen] = useState(chosen === null || chosen.startsWith(`${entry.path}/`));
  return (
    <li>
      <button type="button" className="artifact-row" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
        <Icon name={isOpen ? "down" : "right"} size={12} />
        <Icon name="folder" />
        <span title={entry.path}>{nameOf(entry.path)}</span>
      </button>
      {isOpen && <ArtifactTree runId={runId} directory={entry.path} chosen={chosen} onOpen={onOpen} />}
    </li>
  );
}

function nameOf(path: string): string {
  return path.split("/").at(-1) ?? path;
}

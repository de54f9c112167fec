/** The files of one run at the left, the chosen one at the right. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { artifactsQuery } from "../../api/artifacts";
import { Message } from "../../ui/Message";
import { ArtifactPreview } from "./ArtifactPreview";
import { ArtifactTree } from "./ArtifactTree";
import "./artifacts.css";

interface Props {
  readonly runId: string;
  readonly path: string | null;
  readonly onOpen: (path: string) => void;
  readonly head?: ReactNode;
}

export function ArtifactBrowser({ runId, path, onOpen, head }: Props) {
  const root = useQuery(artifactsQuery(runId, ""));
  const isEmpty = root.data !== undefined && root.data.total === 0;
  return (
    <div className="artifacts">
      <nav className="artifact-list thin-scroll" aria-label="Files">
        {head}
        <ArtifactTree key={runId} runId={runId} directory="" chosen={path} onOpen={onOpen} />
      </nav>
      <div className="artifact-view">
        {isEmpty ? (
          <Message title="This run has no artifacts">Log a file to the run and it appears here.</Message>
        ) : path === null ? (
          <Message title="Choose a file">Images, text, JSON, CSV, Parquet, figures of plotly, sound, film and PDF are shown here; all others can be downloaded.</Message>
        ) : (
          <ArtifactPreview key={`${runId}/${path}`} runId={runId} path={path} />
        )}
      </div>
    </div>
  );
}

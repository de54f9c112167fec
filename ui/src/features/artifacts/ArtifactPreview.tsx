/**
 * One file, as far as it can be shown. Its bytes come as a download and are shown as an image, sound, film, document or
 * text of a type that we choose; nothing of a file ever becomes part of this page's markup.
 */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { artifactBytesQuery, artifactsQuery, type ArtifactInfo } from "../../api/artifacts";
import { fullTime } from "../../lib/time";
import { ErrorMessage, Loading, Message } from "../../ui/Message";
import { LazyFigure } from "../figures/LazyFigure";
import { DownloadButton } from "./DownloadButton";
import { bytesFor, fileKind, formatBytes, type FileKind } from "./file-kind";
import { MediaView } from "./MediaView";
import { TextView } from "./TextView";

const ParquetView = lazy(async () => ({ default: (await import("./ParquetView")).ParquetView }));

interface Props {
  readonly runId: string;
  readonly path: string;
}

export function ArtifactPreview({ runId, path }: Props) {
  const slash = path.lastIndexOf("/");
  const listing = useQuery(artifactsQuery(runId, slash < 0 ? "" : path.slice(0, slash)));
  const info = listing.data?.artifacts.find((entry) => entry.path === path);
  if (listing.error !== null) return <ErrorMessage title="The file could not be read" error={listing.error} />;
  if (listing.data === undefined) return <Loading />;
  if (info === undefined || info.is_dir) return <Message title="This run has no such file">{path}</Message>;
  return (
    <article className="artifact-preview">
      <header>
        <h2>{path}</h2>
        <span>
          {formatBytes(info.size ?? 0)}
          {info.created_at !== null && `, ${fullTime(Date.parse(info.created_at))}`}
        </span>
        <DownloadButton runId={runId} path={path} />
      </header>
      <div className="artifact-body thin-scroll">
        <Body runId={runId} info={info} kind={fileKind(path)} />
      </div>
      {info.sha256 !== null && (
        <footer>
          sha256 <code>{info.sha256}</code>
        </footer>
      )}
    </article>
  );
}

function Body({ runId, info, kind }: { readonly runId: string; readonly info: ArtifactInfo; readonly kind: FileKind }) {
  const size = info.size ?? 0;
  const isMedia = kind === "image" || kind === "audio" || kind === "video" || kind === "pdf";
  const isWhole = isMedia || kind === "plotly";
  const isShown = kind !== "pickle" && kind !== "parquet" && kind !== "other" && !(isWhole && size > bytesFor(kind));
  const query = useQuery({ ...artifactBytesQuery(runId, info, bytesFor(kind)), enabled: isShown });
  if (kind === "pickle") {
    return (
      <Message title="A pickle is a program">
        Loading it runs what it says. Load it only if you trust who wrote it; safetensors and npz hold the same weights as data.
      </Message>
    );
  }
  if (kind === "parquet") {
    return (
      <Suspense fallback={<Loading />}>
        <ParquetView runId={runId} info={info} />
      </Suspense>
    );
  }
  if (kind === "other") return <Message title="No preview for this kind of file">Download it to open it.</Message>;
  if (!isShown) return <Message title="Too large for a preview">Previews end at {formatBytes(bytesFor(kind))}.</Message>;
  if (query.error !== null) {
    return <ErrorMessage title="The file could not be read" error={query.error} onRetry={() => void query.refetch()} />;
  }
  if (query.data === undefined) return <Loading label="Reading the file" />;
  if (isMedia) return <MediaView bytes={query.data} path={info.path} kind={kind} />;
  if (kind === "plotly") return <LazyFigure bytes={query.data} />;
  return <TextView bytes={query.data} kind={kind} isCut={size > query.data.byteLength} />;
}

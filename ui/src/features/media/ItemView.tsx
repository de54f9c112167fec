/** One item with its caption. While the next one is on its way the last one stays. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { artifactBytesQuery, artifactTextQuery, type ArtifactInfo } from "../../api/artifacts";
import { object, text } from "../../lib/shape";
import { Loading } from "../../ui/Message";
import { MediaView } from "../artifacts/MediaView";
import { RowTable } from "../artifacts/RowTable";
import { formatBytes, MOST_FIGURE, MOST_MEDIA, MOST_TEXT, type FileKind } from "../artifacts/file-kind";
import { LazyFigure } from "../figures/LazyFigure";
import type { ValueRange } from "./histogram-steps";
import { HistogramView } from "./HistogramView";
import type { MediaItem, MediaKind } from "./items";
import { readTable } from "./table";
import "../artifacts/artifacts.css";

interface Props {
  readonly runId: string;
  readonly item: MediaItem;
  readonly color: string;
  /** Of distributions. */
  readonly range: ValueRange | null;
}

/** A file of less is of a few pixels. */
const SMALL_BYTES = 6_000;
const PLAYED: Readonly<Partial<Record<MediaKind, FileKind>>> = { image: "image", audio: "audio", video: "video" };

export function ItemView({ runId, item, color, range }: Props) {
  const { kind, file, caption } = item;
  const words = useQuery({ ...artifactTextQuery(runId, caption ?? undefined), enabled: caption !== null });
  if (kind === "histogram") return <HistogramView runId={runId} file={file} color={color} range={range} />;
  const isSmall = kind === "image" && (file.size ?? 0) < SMALL_BYTES;
  return (
    <figure className={`media-item is-${kind}${isSmall ? " is-small" : ""}`}>
      <Content runId={runId} file={file} kind={kind} />
      {typeof words.data === "string" && caption !== null && <figcaption>{captionOf(words.data)}</figcaption>}
    </figure>
  );
}

function Content({ runId, file, kind }: { readonly runId: string; readonly file: ArtifactInfo; readonly kind: MediaKind }) {
  const played = PLAYED[kind];
  const most = played !== undefined ? MOST_MEDIA : kind === "plotly" ? MOST_FIGURE : MOST_TEXT;
  const isTooLarge = (file.size ?? 0) > most && kind !== "text";
  const { data, error, isPlaceholderData } = useQuery({
    ...artifactBytesQuery(runId, file, most),
    enabled: !isTooLarge,
    placeholderData: keepPreviousData,
  });
  if (isTooLarge) return <p className="media-note">Too large to show: {formatBytes(file.size ?? 0)}</p>;
  if (error !== null) return <p className="media-note">{error.message}</p>;
  if (data === undefined) return <Loading />;
  return (
    <div aria-busy={isPlaceholderData}>
      {played !== undefined ? (
        <MediaView bytes={data} path={file.path} kind={played} />
      ) : kind === "table" ? (
        <LoggedTable bytes={data} />
      ) : kind === "plotly" ? (
        <LazyFigure bytes={data} />
      ) : (
        <pre className="media-text thin-scroll" tabIndex={0}>
          {new TextDecoder().decode(data)}
        </pre>
      )}
    </div>
  );
}

const MOST_ROWS = 200;

function LoggedTable({ bytes }: { readonly bytes: ArrayBuffer }) {
  const table = readTable(bytes);
  if (table === null) return <p className="media-note">The table cannot be read.</p>;
  const shown = table.rows.slice(0, MOST_ROWS);
  return (
    <>
      <div className="media-table thin-scroll" tabIndex={0} role="region" aria-label="Table">
        <RowTable head={table.columns} rows={shown} isRounded />
      </div>
      <figcaption>
        {table.total.toLocaleString("en-US")} rows{table.total > shown.length && `; the first ${shown.length} are shown, the artifact has all`}
      </figcaption>
    </>
  );
}

const readCaption = object<{ caption: string }>({ caption: text });

/** What stands in the file is somebody's own, so that it may be anything. */
function captionOf(content: string): string {
  try {
    return readCaption(JSON.parse(content), "caption").caption;
  } catch {
    return "The caption cannot be read.";
  }
}

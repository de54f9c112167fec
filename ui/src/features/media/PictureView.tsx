/** One picture with its caption. While the next one is on its way the last one stays. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { artifactBytesQuery, artifactTextQuery } from "../../api/artifacts";
import { object, text } from "../../lib/shape";
import { Loading } from "../../ui/Message";
import { MediaView } from "../artifacts/MediaView";
import { formatBytes, MOST_MEDIA } from "../artifacts/file-kind";
import type { Picture } from "./pictures";

interface Props {
  readonly runId: string;
  readonly picture: Picture;
}

/** A file of less is of a few pixels. */
const SMALL_BYTES = 6_000;

export function PictureView({ runId, picture: { file, caption } }: Props) {
  const isTooLarge = (file.size ?? 0) > MOST_MEDIA;
  const { data, error, isPlaceholderData } = useQuery({
    ...artifactBytesQuery(runId, file, MOST_MEDIA),
    enabled: !isTooLarge,
    placeholderData: keepPreviousData,
  });
  const words = useQuery({ ...artifactTextQuery(runId, caption ?? undefined), enabled: caption !== null });
  return (
    <figure className={`media-picture${(file.size ?? 0) < SMALL_BYTES ? " is-small" : ""}`} aria-busy={isPlaceholderData}>
      {isTooLarge ? (
        <p className="media-note">Too large to show: {formatBytes(file.size ?? 0)}</p>
      ) : error !== null ? (
        <p className="media-note">{error.message}</p>
      ) : data === undefined ? (
        <Loading />
      ) : (
        <MediaView bytes={data} path={file.path} kind="image" />
      )}
      {typeof words.data === "string" && caption !== null && <figcaption>{captionOf(words.data)}</figcaption>}
    </figure>
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

/** Images, sound, film and documents, by an address that only this page knows and that goes away with it. */
import { useEffect, useState } from "react";
import { Loading, Message } from "../../ui/Message";
import { mediaType, type FileKind } from "./file-kind";

interface Props {
  readonly bytes: ArrayBuffer;
  readonly path: string;
  readonly kind: FileKind;
}

export function MediaView({ bytes, path, kind }: Props) {
  // By address, because the next file may be whole.
  const [brokenUrl, setBrokenUrl] = useState<string | null>(null);
  const url = useObjectUrl(bytes, mediaType(path));
  const broken = (): void => setBrokenUrl(url);
  if (url !== null && brokenUrl === url) return <Message title="The browser cannot show this file">It may be damaged, or of another kind than its name says.</Message>;
  if (url === null) return <Loading />;
  switch (kind) {
    case "audio":
      // oxlint-disable-next-line jsx-a11y/media-has-caption -- a logged sample has no captions
      return <audio className="artifact-audio" controls src={url} onError={broken} />;
    case "video":
      // oxlint-disable-next-line jsx-a11y/media-has-caption -- a logged sample has no captions
      return <video className="artifact-video" controls src={url} onError={broken} />;
    case "pdf":
      // oxlint-disable-next-line react/iframe-missing-sandbox -- a sandbox shuts out the browser's own viewer; the type is ours
      return <iframe className="artifact-pdf" title={path} src={url} />;
    default:
      return <img className="artifact-image" src={url} alt={path} onError={broken} />;
  }
}

function useObjectUrl(bytes: ArrayBuffer, type: string): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    // oxlint-disable-next-line react/set-state-in-effect -- an address must be given back, so it cannot be made while rendering
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);
  return url;
}

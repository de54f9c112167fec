/** Text, JSON, Markdown and tables. Whatever the file says, it is text here. */
import { useMemo } from "react";
import { Markdown } from "../../ui/Markdown";
import { parseCsv } from "./csv";
import { RowTable } from "./RowTable";
import { formatBytes, MOST_TEXT, type FileKind } from "./file-kind";

interface Props {
  readonly bytes: ArrayBuffer;
  readonly kind: FileKind;
  readonly isCut: boolean;
}

const MOST_ROWS = 500;

export function TextView({ bytes, kind, isCut }: Props) {
  const text = useMemo(() => new TextDecoder().decode(bytes), [bytes]);
  return (
    <>
      {isCut && <p className="artifact-note">The first {formatBytes(MOST_TEXT)} of the file.</p>}
      {kind === "csv" ? (
        <CsvTable text={text} />
      ) : kind === "markdown" ? (
        <Markdown source={text} />
      ) : (
        <pre className="artifact-text" tabIndex={0}>
          {kind === "json" && !isCut ? indented(text) : text}
        </pre>
      )}
    </>
  );
}

/** JSON with line breaks; what is no JSON stays as it is. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function CsvTable({ text }: { readonly text: string }) {
  const { rows, isCut } = useMemo(() => parseCsv(text, MOST_ROWS + 1), [text]);
  const [head, ...body] = rows;
  if (head === undefined) return <p className="artifact-note">The file is empty.</p>;
  return (
    <>
      {isCut && <p className="artifact-note">The first {MOST_ROWS} rows; the download has all.</p>}
      <RowTable head={head} rows={body} />
    </>
  );
}

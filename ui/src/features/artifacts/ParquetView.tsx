/** A Parquet file as a table of its first rows. */
import { useQuery } from "@tanstack/react-query";
import { artifactKeys, fetchArtifactPart, type ArtifactInfo } from "../../api/artifacts";
import { ErrorMessage, Loading } from "../../ui/Message";
import { readParquet } from "./parquet";
import { RowTable } from "./RowTable";

const MOST_ROWS = 500;

export function ParquetView({ runId, info }: { readonly runId: string; readonly info: ArtifactInfo }) {
  const query = useQuery({
    queryKey: [...artifactKeys.bytes(runId, info.path, info.sha256), "parquet"],
    queryFn: ({ signal }) => {
      const byteLength = info.size ?? 0;
      const slice = (from: number, to: number = byteLength) => fetchArtifactPart(runId, info.path, from, to, signal);
      return readParquet({ byteLength, slice }, MOST_ROWS);
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  if (query.error !== null) return <ErrorMessage title="The file cannot be shown as a table" error={query.error} />;
  if (query.data === undefined) return <Loading label="Reading the file" />;
  const { columns, rows, total } = query.data;
  return (
    <>
      <p className="artifact-note">
        {total.toLocaleString("en-US")} rows, {columns.length} columns{total > rows.length && `; the first ${rows.length} are shown`}
      </p>
      <RowTable head={columns} rows={rows} />
    </>
  );
}

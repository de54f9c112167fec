/**
 * The first rows of a Parquet file, read by its footer: of a large file only the parts that hold them cross the wire.
 * Everything becomes text here.
 */
import { gunzipSync } from "fflate";
import { decompress } from "fzstd";
import { parquetMetadataAsync, parquetRead, parquetSchema, type AsyncBuffer } from "hyparquet";

export interface ParquetTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly total: number;
}

/** A first row group larger than this is not read for a look at the file. */
const MOST_BYTES = 64 * 1024 * 1024;

// Snappy is built in. What else there is comes as WebAssembly, which the page's policy does not run, or weighs too much.
const compressors = {
  GZIP: (input: Uint8Array, length: number) => gunzipSync(input, { out: new Uint8Array(length) }),
  ZSTD: (input: Uint8Array, length: number) => decompress(input, new Uint8Array(length)),
};

export async function readParquet(file: AsyncBuffer, most: number): Promise<ParquetTable> {
  const metadata = await parquetMetadataAsync(file);
  const columns = parquetSchema(metadata).children.map((child) => child.element.name);
  const total = Number(metadata.num_rows);
  const first = Number(metadata.row_groups[0]?.total_byte_size ?? 0);
  if (first > MOST_BYTES) throw new Error("the first group of rows is too large for a look; download the file");
  const rows: string[][] = [];
  await parquetRead({
    file,
    metadata,
    compressors,
    rowStart: 0,
    rowEnd: Math.min(most, total),
    onComplete: (found: readonly (readonly unknown[])[]) => rows.push(...found.map((row) => row.map(cellText))),
  });
  return { columns, rows, total };
}

export function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner)) ?? "";
}

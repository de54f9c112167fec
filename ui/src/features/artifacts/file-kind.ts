/** What a file can be shown as, told by the end of its name; the server says nothing more trustworthy. */
export type FileKind = "image" | "text" | "markdown" | "json" | "csv" | "parquet" | "audio" | "video" | "pdf" | "pickle" | "plotly" | "other";

const ENDS: readonly (readonly [FileKind, readonly string[]])[] = [
  ["image", ["png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "svg"]],
  ["markdown", ["md", "markdown"]],
  ["json", ["json", "ipynb", "geojson"]],
  ["csv", ["csv", "tsv"]],
  ["parquet", ["parquet", "pq"]],
  ["audio", ["wav", "mp3", "ogg", "flac", "m4a", "opus"]],
  ["video", ["mp4", "webm", "mov", "m4v"]],
  ["pdf", ["pdf"]],
  ["pickle", ["pkl", "pickle", "pt", "pth", "joblib", "ckpt"]],
  [
    "text",
    (
      "txt log out err yaml yml toml ini cfg conf env py pyi ipy js ts tsx jsx css html htm xml sh bash zsh c h cc cpp hpp cu rs go " +
      "java kt scala rb r jl lua sql tex rst diff patch jsonl ndjson lock gitignore dockerfile makefile requirements proto"
    ).split(" "),
  ],
];

export function fileKind(path: string): FileKind {
  const name = (path.split("/").at(-1) ?? "").toLowerCase();
  if (name.endsWith(".plotly.json")) return "plotly";
  const end = name.slice(name.lastIndexOf(".") + 1);
  for (const [kind, ends] of ENDS) if (ends.includes(end)) return kind;
  return "other";
}

const MEDIA: Readonly<Record<string, string>> = {
  png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp", avif: "image/avif",
  bmp: "image/bmp", svg: "image/svg+xml", wav: "audio/wav", mp3: "audio/mpeg", ogg: "audio/ogg", flac: "audio/flac",
  m4a: "audio/mp4", opus: "audio/ogg", mp4: "video/mp4", webm: "video/webm", mov: "video/quicktime", m4v: "video/mp4",
  pdf: "application/pdf",
};

/** Never a type that the browser would run as a page. */
export function mediaType(path: string): string {
  return MEDIA[path.slice(path.lastIndexOf(".") + 1).toLowerCase()] ?? "application/octet-stream";
}

/** Bytes fetched for a preview. Text is read from its start; media are shown whole or not at all. */
export const MOST_TEXT = 512 * 1024;
export const MOST_MEDIA = 64 * 1024 * 1024;
/** A figure is shown whole or not at all. */
export const MOST_FIGURE = 8 * 1024 * 1024;

export function bytesFor(kind: FileKind): number {
  if (kind === "plotly") return MOST_FIGURE;
  return kind === "image" || kind === "audio" || kind === "video" || kind === "pdf" ? MOST_MEDIA : MOST_TEXT;
}

export function formatBytes(size: number): string {
  if (size < 1000) return `${size} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = size;
  let unit = -1;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ""}`;
}

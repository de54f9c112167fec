/** Saving a panel: the picture is drawn from the data, not from the screen, so it is sharp at any size. */
import { axisName } from "../series/series";
import { toCsv } from "./csv";
import { toSvg, type Picture } from "./svg";

export const DOWNLOAD_KINDS = ["png", "svg", "csv"] as const;
export type DownloadKind = (typeof DOWNLOAD_KINDS)[number];

const PNG_SCALE = 2;

export async function downloadPanel(kind: DownloadKind, picture: Picture): Promise<void> {
  save(await contentOf(kind, picture), `${fileName(picture.title)}.${kind}`);
}

async function contentOf(kind: DownloadKind, picture: Picture): Promise<Blob> {
  switch (kind) {
    case "csv":
      return new Blob([toCsv(axisName(picture.axis), picture.curves)], { type: "text/csv;charset=utf-8" });
    case "svg":
      return new Blob([toSvg(picture)], { type: "image/svg+xml" });
    case "png":
      return rasterize(toSvg(picture));
  }
}

async function rasterize(svg: string): Promise<Blob> {
  const image = new Image();
  // A data: address needs img-src data: in the page's policy, and nothing from outside.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * PNG_SCALE;
  canvas.height = image.naturalHeight * PNG_SCALE;
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser gives no canvas to draw the picture on");
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error("the picture is too large for this browser"));
      else resolve(blob);
    }, "image/png");
  });
}

function fileName(title: string): string {
  return title.replace(/[^\w.-]+/g, "_").replace(/^[_.]+|_+$/g, "") || "chart";
}

function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

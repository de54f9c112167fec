/** Saving a panel as a file. The picture is painted here, shape by shape: the page's policy lets no image in from elsewhere. */
import { axisName } from "../series/series";
import { toCsv } from "./csv";
import { drawPanel, type DownloadKind, type Drawing, type Picture, type Shape } from "./picture";
import { toSvg } from "./svg";

const PNG_SCALE = 2;
const ALIGN = { start: "left", middle: "center", end: "right" } as const;

export async function downloadPanel(kind: DownloadKind, picture: Picture): Promise<void> {
  save(await contentOf(kind, picture), `${fileName(picture.title)}.${kind}`);
}

async function contentOf(kind: DownloadKind, picture: Picture): Promise<Blob> {
  switch (kind) {
    case "csv":
      return new Blob([toCsv(axisName(picture.axis), picture.curves)], { type: "text/csv;charset=utf-8" });
    case "svg":
      return new Blob([toSvg(drawPanel(picture))], { type: "image/svg+xml" });
    case "png":
      return toPng(drawPanel(picture));
  }
}

function toPng(drawing: Drawing): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = drawing.width * PNG_SCALE;
  canvas.height = drawing.height * PNG_SCALE;
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("This browser gives no canvas to draw the picture on");
  context.scale(PNG_SCALE, PNG_SCALE);
  context.fillStyle = drawing.background;
  context.fillRect(0, 0, drawing.width, drawing.height);
  for (const shape of drawing.shapes) paintShape(context, shape, drawing);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error("The picture is too large for this browser"));
      else resolve(blob);
    }, "image/png");
  });
}

function paintShape(context: CanvasRenderingContext2D, shape: Shape, { plot, family }: Drawing): void {
  if (shape.kind === "text") {
    context.font = `${shape.weight} ${shape.size}px ${family}`;
    context.textAlign = ALIGN[shape.anchor];
    context.fillStyle = shape.color;
    context.fillText(shape.text, shape.x, shape.y);
    return;
  }
  const path = new Path2D(shape.d);
  context.save();
  if (shape.isInPlot) {
    context.beginPath();
    context.rect(plot.left, plot.top, plot.width, plot.height);
    context.clip();
  }
  if (shape.fill !== null) {
    context.fillStyle = shape.fill;
    context.fill(path);
  }
  if (shape.stroke !== null) {
    context.strokeStyle = shape.stroke;
    context.lineWidth = shape.width;
    context.lineJoin = "round";
    context.setLineDash([...shape.dash]);
    context.stroke(path);
  }
  context.restore();
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

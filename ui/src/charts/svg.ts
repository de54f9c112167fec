/** A drawing as an SVG document. Every text is escaped: names come from users. */
import type { Drawing, Shape } from "./picture";

export function toSvg({ width, height, plot, background, family, title, shapes }: Drawing): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      `font-family="${escape(family)}">`,
    `<title>${escape(title)}</title>`,
    `<clipPath id="plot"><rect x="${plot.left}" y="${plot.top}" width="${plot.width}" height="${plot.height}"/></clipPath>`,
    `<rect width="100%" height="100%" fill="${background}"/>`,
    ...shapes.map(element),
    "</svg>",
  ].join("\n");
}

function element(shape: Shape): string {
  if (shape.kind === "text") {
    return (
      `<text x="${shape.x}" y="${shape.y}" fill="${shape.color}" font-size="${shape.size}" ` +
      `font-weight="${shape.weight}" text-anchor="${shape.anchor}">${escape(shape.text)}</text>`
    );
  }
  const dash = shape.dash.length === 0 ? "" : ` stroke-dasharray="${shape.dash.join(" ")}"`;
  const line = shape.stroke === null ? "" : ` stroke="${shape.stroke}" stroke-width="${shape.width}" stroke-linejoin="round"`;
  const clip = shape.isInPlot ? ' clip-path="url(#plot)"' : "";
  return `<path d="${shape.d}" fill="${shape.fill ?? "none"}"${line}${dash}${clip}/>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

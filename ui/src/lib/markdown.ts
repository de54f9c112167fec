/**
 * Markdown as a tree: the part of it that notes use. Text stays text in the tree; there is no way to say markup, so
 * nothing has to be made harmless afterwards. Anything not understood is shown as it was written.
 */
export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "strong" | "em" | "del"; readonly children: readonly Inline[] }
  | { readonly kind: "link"; readonly href: string; readonly children: readonly Inline[] };

export type Block =
  | { readonly kind: "heading"; readonly level: number; readonly children: readonly Inline[] }
  | { readonly kind: "paragraph"; readonly children: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | { readonly kind: "list"; readonly isOrdered: boolean; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: "table"; readonly head: readonly (readonly Inline[])[]; readonly rows: readonly (readonly (readonly Inline[])[])[] }
  | { readonly kind: "rule" };

const FENCE = /^\s{0,3}(```|~~~)/;
const HEADING = /^(#{1,6})\s+(.+?)\s*#*$/;
const RULE = /^\s*([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^\s*>\s?/;
const BULLET = /^(\s*)[-*+]\s+(.*)$/;
const NUMBER = /^(\s*)\d{1,9}[.)]\s+(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?\s*$|^\s*\|\s*:?-+:?\s*\|\s*$/;
const DEEPEST = 12;

export function parseMarkdown(source: string): Block[] {
  return parseBlocks(source.replace(/\r\n?/g, "\n").split("\n"), 0);
}

function parseBlocks(lines: readonly string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i] ?? "";
    if (line.trim() === "") {
      i++;
      continue;
    }
    const [block, next] = blockAt(lines, i, line, depth);
    blocks.push(block);
    i = next;
  }
  return blocks;
}

function blockAt(lines: readonly string[], i: number, line: string, depth: number): [Block, number] {
  if (FENCE.test(line)) return fenceAt(lines, i);
  const heading = HEADING.exec(line);
  if (heading !== null) return [{ kind: "heading", level: heading[1]?.length ?? 1, children: parseInline(heading[2] ?? "") }, i + 1];
  if (RULE.test(line)) return [{ kind: "rule" }, i + 1];
  if (depth < DEEPEST && QUOTE.test(line)) return quoteAt(lines, i, depth);
  if (depth < DEEPEST && (BULLET.test(line) || NUMBER.test(line))) return listAt(lines, i, depth);
  if (line.includes("|") && TABLE_RULE.test(lines[i + 1] ?? "")) return tableAt(lines, i);
  return paragraphAt(lines, i);
}

function fenceAt(lines: readonly string[], from: number): [Block, number] {
  const fence = FENCE.exec(lines[from] ?? "")?.[1] ?? "```";
  let to = from + 1;
  while (to < lines.length && !(lines[to] ?? "").trimStart().startsWith(fence)) to++;
  return [{ kind: "code", text: lines.slice(from + 1, to).join("\n") }, to + 1];
}

function quoteAt(lines: readonly string[], from: number, depth: number): [Block, number] {
  let to = from;
  while (to < lines.length && QUOTE.test(lines[to] ?? "")) to++;
  const inner = lines.slice(from, to).map((line) => line.replace(QUOTE, ""));
  return [{ kind: "quote", blocks: parseBlocks(inner, depth + 1) }, to];
}

function listAt(lines: readonly string[], from: number, depth: number): [Block, number] {
  const isOrdered = NUMBER.test(lines[from] ?? "");
  const rule = isOrdered ? NUMBER : BULLET;
  const indent = rule.exec(lines[from] ?? "")?.[1]?.length ?? 0;
  const items: string[][] = [];
  let i = from;
  for (; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const own = rule.exec(line);
    const depthOfLine = line.length - line.trimStart().length;
    if (own !== null && (own[1]?.length ?? 0) === indent) items.push([own[2] ?? ""]);
    else if (line.trim() !== "" && depthOfLine > indent) items.at(-1)?.push(line.slice(Math.min(depthOfLine, indent + 2)));
    else if (line.trim() === "" && (lines[i + 1] ?? "").startsWith(" ".repeat(indent + 2))) items.at(-1)?.push("");
    else break;
  }
  return [{ kind: "list", isOrdered, items: items.map((item) => parseBlocks(item, depth + 1)) }, i];
}

function tableAt(lines: readonly string[], from: number): [Block, number] {
  let to = from + 2;
  while (to < lines.length && (lines[to] ?? "").includes("|")) to++;
  const rows = lines.slice(from + 2, to).map(cellsOf);
  return [{ kind: "table", head: cellsOf(lines[from] ?? ""), rows }, to];
}

function cellsOf(line: string): Inline[][] {
  const inner = line.trim().replace(/^\||\|$/g, "");
  return inner.split(/(?<!\\)\|/).map((cell) => parseInline(cell.trim().replaceAll("\\|", "|")));
}

function paragraphAt(lines: readonly string[], from: number): [Block, number] {
  let to = from + 1;
  while (to < lines.length && !startsBlock(lines[to] ?? "")) to++;
  return [{ kind: "paragraph", children: parseInline(lines.slice(from, to).join("\n")) }, to];
}

function startsBlock(line: string): boolean {
  return line.trim() === "" || [FENCE, HEADING, RULE, QUOTE, BULLET, NUMBER].some((rule) => rule.test(line));
}

const INLINE =
  /(`+)(.+?)\1(?!`)|\*\*(?=\S)(.+?)(?<=\S)\*\*|__(?=\S)(.+?)(?<=\S)__(?!\w)|\*(?=\S)(.+?)(?<=\S)\*|(?<!\w)_(?=\S)(.+?)(?<=\S)_(?!\w)|~~(?=\S)(.+?)(?<=\S)~~|\[([^\]\n]+)\]\(([^()\s]+(?:\([^()\s]*\))?)\)|(https?:\/\/[^\s<>()]+[^\s<>().,;:!?'"])|\\([\\`*_{}[\]()#+\-.!|~])/s;

export function parseInline(source: string): Inline[] {
  const found: Inline[] = [];
  let rest = source;
  while (rest !== "") {
    const match = INLINE.exec(rest);
    if (match === null) break;
    if (match.index > 0) found.push({ kind: "text", text: rest.slice(0, match.index) });
    found.push(inlineOf(match));
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest !== "") found.push({ kind: "text", text: rest });
  return found;
}

function inlineOf(match: RegExpExecArray): Inline {
  const [whole, , code, strong, strong2, em, em2, del, label, href, url, escaped] = match;
  if (code !== undefined) return { kind: "code", text: code.trim() };
  const bold = strong ?? strong2;
  if (bold !== undefined) return { kind: "strong", children: parseInline(bold) };
  const slanted = em ?? em2;
  if (slanted !== undefined) return { kind: "em", children: parseInline(slanted) };
  if (del !== undefined) return { kind: "del", children: parseInline(del) };
  if (escaped !== undefined) return { kind: "text", text: escaped };
  if (url !== undefined) return { kind: "link", href: url, children: [{ kind: "text", text: url }] };
  if (label !== undefined && href !== undefined && isSafeHref(href)) return { kind: "link", href, children: parseInline(label) };
  return { kind: "text", text: whole };
}

/** Only the web and mail: a `javascript:` or `data:` address stays text. */
export function isSafeHref(href: string): boolean {
  return /^(https?:\/\/|mailto:)/i.test(href);
}

/** Markdown as elements: built one by one from the tree, never from a string of markup. */
import { Fragment, useMemo, type ReactNode } from "react";
import { parseMarkdown, type Block, type Inline } from "../lib/markdown";

export function Markdown({ source }: { readonly source: string }) {
  const blocks = useMemo(() => parseMarkdown(source), [source]);
  return <div className="markdown">{drawBlocks(blocks)}</div>;
}

function drawBlocks(blocks: readonly Block[]): ReactNode {
  return blocks.map((block, i) => <Fragment key={i}>{drawBlock(block)}</Fragment>);
}

function drawBlock(block: Block): ReactNode {
  switch (block.kind) {
    case "heading": {
      // The page has its own first heading.
      const Heading = (["h2", "h3", "h4", "h5", "h6", "h6"] as const)[block.level - 1] ?? "h6";
      return <Heading>{drawInline(block.children)}</Heading>;
    }
    case "paragraph":
      return <p>{drawInline(block.children)}</p>;
    case "code":
      return (
        <pre tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case "quote":
      return <blockquote>{drawBlocks(block.blocks)}</blockquote>;
    case "list": {
      const List = block.isOrdered ? "ol" : "ul";
      return (
        <List>
          {block.items.map((item, i) => (
            <li key={i}>{drawBlocks(item)}</li>
          ))}
        </List>
      );
    }
    case "table":
      return (
        <table>
          <thead>
            <tr>
              {block.head.map((cell, i) => (
                <th key={i} scope="col">
                  {drawInline(cell)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.rows.map((row, i) => (
              <tr key={i}>
                {row.map((cell, j) => (
                  <td key={j}>{drawInline(cell)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
    case "rule":
      return <hr />;
  }
}

function drawInline(parts: readonly Inline[]): ReactNode {
  return parts.map((part, i) => <Fragment key={i}>{drawPart(part)}</Fragment>);
}

function drawPart(part: Inline): ReactNode {
  switch (part.kind) {
    case "text":
      return part.text;
    case "code":
      return <code>{part.text}</code>;
    case "strong":
      return <strong>{drawInline(part.children)}</strong>;
    case "em":
      return <em>{drawInline(part.children)}</em>;
    case "del":
      return <del>{drawInline(part.children)}</del>;
    case "link":
      return (
        <a className="link" href={part.href} target="_blank" rel="noreferrer noopener">
          {drawInline(part.children)}
        </a>
      );
  }
}

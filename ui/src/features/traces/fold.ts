/** Folding a tree that comes as rows with depths. */
import type { SpanResponse } from "../../api/traces";

export interface SpanRow {
  readonly span: SpanResponse;
  readonly hasChildren: boolean;
  readonly isFolded: boolean;
}

/** The spans outside of folded ones, in their order. `spans` is in the order of the tree: children follow their parent, deeper. */
export function unfolded(spans: readonly SpanResponse[], folded: ReadonlySet<string>): SpanRow[] {
  const rows: SpanRow[] = [];
  let hiddenBelow = Number.POSITIVE_INFINITY;
  spans.forEach((span, i) => {
    if (span.depth > hiddenBelow) return;
    hiddenBelow = Number.POSITIVE_INFINITY;
    const hasChildren = (spans[i + 1]?.depth ?? 0) > span.depth;
    const isFolded = hasChildren && folded.has(span.id);
    if (isFolded) hiddenBelow = span.depth;
    rows.push({ span, hasChildren, isFolded });
  });
  return rows;
}

/** The row of the nearest span that holds this one; itself without one. */
export function parentOf(rows: readonly SpanRow[], at: number): number {
  const depth = rows[at]?.span.depth ?? 0;
  const above = rows.slice(0, Math.max(0, at)).findLastIndex(({ span }) => span.depth < depth);
  return above < 0 ? at : above;
}

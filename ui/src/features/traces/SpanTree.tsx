/** The spans in the order of the tree, each with its part of the time line. Only those in sight are in the page. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { SpanResponse } from "../../api/traces";
import { Icon } from "../../ui/Icon";
import { parentOf, unfolded, type SpanRow } from "./fold";
import { kindOf, spanTime } from "./span-text";

interface Props {
  readonly spans: readonly SpanResponse[];
  readonly chosen: string;
  readonly onChoose: (spanId: string) => void;
}

const ROW = 26;
/** Deeper spans stand no further in, so that their names keep some room. */
const MOST_INDENTS = 16;

const STEPS: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowDown: (at, last) => Math.min(at + 1, last),
  ArrowUp: (at) => Math.max(at - 1, 0),
  Home: () => 0,
  End: (_, last) => last,
};

export function SpanTree({ spans, chosen, onChoose }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const end = useMemo(() => spans.reduce((latest, one) => Math.max(latest, one.start_ns + (one.duration_ns ?? 0)), 1), [spans]);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => unfolded(spans, folded), [spans, folded]);
  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoized by a compiler
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroll.current, estimateSize: () => ROW, overscan: 20 });
  const items = virtual.getVirtualItems();
  const here = rows.findIndex(({ span }) => span.id === chosen);
  const fold = ({ span }: SpanRow, isFolded: boolean): void => {
    const next = new Set(folded);
    if (isFolded) next.add(span.id);
    else next.delete(span.id);
    setFolded(next);
  };
  const goTo = (next: number): void => {
    const row = rows[next];
    if (row === undefined) return;
    onChoose(row.span.id);
    virtual.scrollToIndex(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[here];
    const next = STEPS[event.key]?.(here, rows.length - 1);
    if (next !== undefined) goTo(next);
    else if (row === undefined || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
    else if (event.key === "ArrowRight") {
      if (row.isFolded) fold(row, false);
      else if (row.hasChildren) goTo(here + 1);
    } else if (row.hasChildren && !row.isFolded) fold(row, true);
    else goTo(parentOf(rows, here));
    event.preventDefault();
  };
  return (
    <div
      className="span-tree thin-scroll"
      ref={scroll}
      role="tree"
      aria-label="Spans"
      tabIndex={0}
      {...(items.some((item) => item.index === here) ? { "aria-activedescendant": `span-${here}` } : {})}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {items.map((item) => {
          const row = rows[item.index];
          return (
            row !== undefined && (
              // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the tree takes the keys
              <div
                key={row.span.id}
                id={`span-${item.index}`}
                className="span-row"
                role="treeitem"
                tabIndex={-1}
                aria-level={row.span.depth + 1}
                aria-selected={row.span.id === chosen}
                aria-expanded={row.hasChildren ? !row.isFolded : undefined}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={() => onChoose(row.span.id)}
              >
                <Row row={row} end={end} onFold={fold} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

interface RowProps {
  readonly row: SpanRow;
  readonly end: number;
  readonly onFold: (row: SpanRow, isFolded: boolean) => void;
}

function Row({ row, end, onFold }: RowProps) {
  const { span, hasChildren, isFolded } = row;
  const kind = kindOf(span.kind);
  const isFailed = span.status === "ERROR";
  return (
    <>
      <span className="span-name" style={{ paddingLeft: Math.min(span.depth, MOST_INDENTS) * 14 }}>
        {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions -- the tree takes the keys */}
        <i
          className={`span-fold${hasChildren ? "" : " is-leaf"}`}
          onClick={(event) => {
            if (!hasChildren) return;
            event.stopPropagation();
            onFold(row, !isFolded);
          }}
        >
          <Icon name={isFolded ? "right" : "down"} size={11} />
        </i>
        <b>{span.name}</b>
        {kind !== "" && <small>{kind}</small>}
        {isFailed && <em className="trace-state is-failed">failed</em>}
      </span>
      <span className="span-line" aria-hidden="true">
        <i
          className={isFailed ? "is-failed" : ""}
          style={{ left: `${(100 * span.start_ns) / end}%`, width: `${(100 * (span.duration_ns ?? end - span.start_ns)) / end}%` }}
        />
      </span>
      <span className="span-time">{span.duration_ns === null ? "running" : spanTime(span.duration_ns)}</span>
    </>
  );
}

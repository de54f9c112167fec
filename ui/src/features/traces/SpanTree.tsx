/** The spans in the order of the tree, each with its part of the time line. Only those in sight are in the page. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import type { SpanResponse } from "../../api/traces";
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
  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoized by a compiler
  const virtual = useVirtualizer({ count: spans.length, getScrollElement: () => scroll.current, estimateSize: () => ROW, overscan: 20 });
  const items = virtual.getVirtualItems();
  const here = spans.findIndex((one) => one.id === chosen);
  return (
    <div
      className="span-tree thin-scroll"
      ref={scroll}
      role="tree"
      aria-label="Spans"
      tabIndex={0}
      {...(items.some((item) => item.index === here) ? { "aria-activedescendant": `span-${here}` } : {})}
      onKeyDown={(event) => {
        const next = STEPS[event.key]?.(here, spans.length - 1);
        const span = next === undefined ? undefined : spans[next];
        if (next === undefined || span === undefined) return;
        event.preventDefault();
        onChoose(span.id);
        virtual.scrollToIndex(next);
      }}
    >
      <div role="presentation" style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {items.map((item) => {
          const span = spans[item.index];
          return (
            span !== undefined && (
              // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the tree takes the keys
              <div
                key={span.id}
                id={`span-${item.index}`}
                className="span-row"
                role="treeitem"
                tabIndex={-1}
                aria-level={span.depth + 1}
                aria-selected={span.id === chosen}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={() => onChoose(span.id)}
              >
                <Row span={span} end={end} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

function Row({ span, end }: { readonly span: SpanResponse; readonly end: number }) {
  const kind = kindOf(span.kind);
  const isFailed = span.status === "ERROR";
  return (
    <>
      <span className="span-name" style={{ paddingLeft: Math.min(span.depth, MOST_INDENTS) * 14 }}>
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

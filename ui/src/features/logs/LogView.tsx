/**
 * One log: its end first, earlier parts on demand, only the lines in sight in the page. It follows a file that grows, as
 * long as the end is in sight.
 */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { artifactKeys, fetchArtifactPart, type ArtifactInfo } from "../../api/artifacts";
import { useKeys } from "../../lib/keyboard";
import { Icon } from "../../ui/Icon";
import { ErrorMessage, Loading, Message } from "../../ui/Message";
import { DownloadButton } from "../artifacts/DownloadButton";
import { formatBytes } from "../artifacts/file-kind";
import { findLines, linesOf, marked } from "./lines";
import "./logs.css";

interface Props {
  readonly runId: string;
  readonly info: ArtifactInfo;
}

const PART = 1024 * 1024;
const LINE = 18;
const END_SLACK = 4 * LINE;

export function LogView({ runId, info }: Props) {
  const size = info.size ?? 0;
  const [parts, setParts] = useState(1);
  const from = Math.max(0, size - parts * PART);
  const query = useQuery({
    queryKey: [...artifactKeys.bytes(runId, info.path, info.sha256), "tail", from],
    queryFn: ({ signal }) => fetchArtifactPart(runId, info.path, from, size, signal),
    enabled: size > 0,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const lines = useMemo(() => {
    if (query.data === undefined) return [];
    const all = linesOf(new TextDecoder().decode(query.data));
    // A part begins anywhere in a line, so its first line is not whole.
    return from > 0 ? all.slice(1) : all;
  }, [query.data, from]);
  if (size === 0) return <Message title="The log is empty">Nothing was written to it yet.</Message>;
  if (query.error !== null) return <ErrorMessage title="The log could not be read" error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined) return <Loading label="Reading the log" />;
  return <Lines runId={runId} info={info} lines={lines} left={from} onEarlier={() => setParts(parts * 2)} />;
}

interface LinesProps extends Props {
  readonly lines: readonly string[];
  /** Bytes before the first line. */
  readonly left: number;
  readonly onEarlier: () => void;
}

function Lines({ runId, info, lines, left, onEarlier }: LinesProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const isAtEnd = useRef(true);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const search = useDeferredValue(text);
  const found = useMemo(() => findLines(lines, search), [lines, search]);
  const here = found[Math.min(chosen, found.length - 1)];
  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoized by a compiler
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => LINE,
    overscan: 20,
  });
  useEffect(() => {
    if (isAtEnd.current && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [virtual, lines.length]);
  useEffect(() => {
    if (here !== undefined) virtual.scrollToIndex(here, { align: "center" });
  }, [virtual, here]);
  const go = (by: number): void => {
    if (found.length > 0) setChosen((Math.min(chosen, found.length - 1) + by + found.length) % found.length);
  };
  useKeys({ "/": () => input.current?.focus(), n: () => go(1), "Shift+n": () => go(-1) });
  return (
    <section className="log" aria-label={info.path}>
      <div className="log-bar">
        <input
          ref={input}
          className="field"
          type="search"
          placeholder="Search the log"
          aria-label="Search the log"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setChosen(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
            else if (event.key === "Escape") input.current?.blur();
          }}
        />
        <span role="status">
          {search === "" ? "" : found.length === 0 ? "not found" : `${Math.min(chosen, found.length - 1) + 1} of ${found.length.toLocaleString("en-US")}`}
        </span>
        <button type="button" className="icon-button" aria-label="Previous match" title="Previous (Shift N)" disabled={found.length === 0} onClick={() => go(-1)}>
          <Icon name="up" />
        </button>
        <button type="button" className="icon-button" aria-label="Next match" title="Next (N)" disabled={found.length === 0} onClick={() => go(1)}>
          <Icon name="down" />
        </button>
        <span className="grow" />
        <span>
          {lines.length.toLocaleString("en-US")} lines, {formatBytes(info.size ?? 0)}
        </span>
        {left > 0 && (
          <button type="button" className="button" onClick={onEarlier}>
            Earlier lines ({formatBytes(left)})
          </button>
        )}
        <DownloadButton runId={runId} path={info.path} />
      </div>
      <div
        className="log-lines thin-scroll"
        ref={scroll}
        tabIndex={0}
        role="region"
        aria-label="Lines"
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          isAtEnd.current = scrollTop + clientHeight >= scrollHeight - END_SLACK;
        }}
      >
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map((item) => (
            <div
              key={item.key}
              className={`log-line${item.index === here ? " is-here" : ""}`}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <i aria-hidden="true">{left > 0 ? "" : item.index + 1}</i>
              <code>
                {marked(lines[item.index] ?? "", search).map((part, i) => (i % 2 === 1 ? <mark key={i}>{part}</mark> : part))}
              </code>
            </div>
          ))}
        </div>
      </div>
    </section>
  );
}

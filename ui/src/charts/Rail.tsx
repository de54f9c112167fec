/**
 * The rail above all panels: the whole of x, the visible window on it, and where the one cursor of the page stands.
 * Dragging makes, moves or resizes the window; with the keyboard it is a slider. The caret and the dragged window move
 * without React.
 */
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { Range, XAxis } from "../series/series";
import { useCharts } from "./context";
import { xFormat } from "./numbers";
import { dragWindow, grabAt, keyWindow, type Grab } from "./rail-window";
import { gapOf, xTicks } from "./ticks";

interface Props {
  readonly axis: XAxis;
  readonly extent: Range;
  readonly window: Range | null;
  /** Nothing is known yet: the rail is bare. */
  readonly isEmpty: boolean;
}

const TICK_PIXELS = 118;
const BASE = 31;
const LEAST_DRAG_PIXELS = 4;

export function Rail({ axis, extent, window, isEmpty }: Props) {
  const { bus } = useCharts();
  const root = useRef<HTMLDivElement>(null);
  const caret = useRef<HTMLDivElement>(null);
  const label = useRef<HTMLSpanElement>(null);
  const shade = useRef<HTMLDivElement>(null);
  const grab = useRef<{ grab: Grab; startX: number; from: Range | null; moved: boolean } | null>(null);
  const live = useRef<Range | null>(window);
  const source = useRef(Symbol("rail"));
  const [width, setWidth] = useState(0);
  const [lo, hi] = extent;
  const format = useMemo(() => xFormat(axis), [axis]);

  useEffect(() => {
    const element = root.current;
    if (element === null) return;
    const sizes = new ResizeObserver(() => setWidth(element.clientWidth));
    sizes.observe(element);
    return () => sizes.disconnect();
  }, []);

  useEffect(() => {
    const share = (x: number): number => (hi > lo ? (x - lo) / (hi - lo) : 0);
    const showWindow = (next: Range | null): void => {
      live.current = next;
      const element = shade.current;
      if (element === null) return;
      element.hidden = next === null;
      if (next === null) return;
      const [from, to] = [Math.max(0, share(next[0])), Math.min(1, share(next[1]))];
      element.style.left = `${from * 100}%`;
      element.style.width = `${Math.max(0, to - from) * 100}%`;
    };
    showWindow(window);
    const offZoom = bus.on("zoom", ({ window: next }) => showWindow(next));
    const offCursor = bus.on("cursor", ({ x }) => {
      const [element, text] = [caret.current, label.current];
      if (element === null || text === null) return;
      element.hidden = x === null;
      if (x === null) return;
      const place = Math.max(0, Math.min(1, share(x)));
      element.style.transform = `translateX(${place * width}px)`;
      element.classList.toggle("is-flipped", place * width > width - 90);
      text.textContent = format.exact(x);
    });
    return () => {
      offZoom();
      offCursor();
    };
  }, [bus, lo, hi, width, format, window]);

  const xOf = (clientX: number): number => {
    const box = root.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return lo;
    return lo + Math.max(0, Math.min(1, (clientX - box.left) / box.width)) * (hi - lo);
  };
  const perPixel = width > 0 ? (hi - lo) / width : 0;

  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.button !== 0 || isEmpty) return;
    const x = xOf(event.clientX);
    event.currentTarget.setPointerCapture(event.pointerId);
    grab.current = { grab: grabAt(x, live.current, perPixel), startX: x, from: live.current, moved: false };
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    const x = xOf(event.clientX);
    const held = grab.current;
    if (held === null) {
      event.currentTarget.style.cursor = CURSORS[grabAt(x, live.current, perPixel)];
      bus.moveCursor(x, source.current);
      return;
    }
    if (!held.moved && Math.abs(x - held.startX) < LEAST_DRAG_PIXELS * perPixel) return;
    held.moved = true;
    bus.zoom(dragWindow(held.grab, held.from, held.startX, x, extent), false);
  };
  const onPointerUp = (): void => {
    const held = grab.current;
    grab.current = null;
    if (held?.moved === true) bus.zoom(live.current, true);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = keyWindow(event.key, event.shiftKey, live.current, extent);
    if (next === undefined) return;
    event.preventDefault();
    bus.zoom(next, true);
  };

  const [from, to] = window ?? extent;
  return (
    <div
      className="rail"
      ref={root}
      role="slider"
      tabIndex={0}
      aria-label="Visible range"
      aria-orientation="horizontal"
      aria-valuemin={lo}
      aria-valuemax={hi}
      aria-valuenow={from}
      aria-valuetext={`${format.exact(from)} to ${format.exact(to)}${window === null ? ", everything" : ""}`}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onPointerLeave={() => bus.moveCursor(null, source.current)}
      onDoubleClick={() => bus.zoom(null, true)}
      onKeyDown={onKeyDown}
    >
      <div className="rail-window" ref={shade} hidden />
      <RailScale axis={axis} extent={extent} width={isEmpty ? 0 : width} />
      <div className="rail-caret" ref={caret} hidden>
        <span ref={label} />
      </div>
    </div>
  );
}

const CURSORS: Record<Grab, string> = { new: "crosshair", move: "grab", start: "ew-resize", end: "ew-resize" };

function RailScale({ axis, extent, width }: { axis: XAxis; extent: Range; width: number }) {
  const [lo, hi] = extent;
  if (width === 0 || !(hi > lo)) return <svg width="100%" height={BASE} aria-hidden="true" />;
  const format = xFormat(axis);
  const major = xTicks(axis, extent, width / TICK_PIXELS);
  const gap = gapOf(major);
  const parts = typeof axis === "string" && axis !== "step" ? 4 : 10;
  const place = (x: number): number => ((x - lo) / (hi - lo)) * width;
  const minor: { x: number; length: number }[] = [];
  if (gap > 0) {
    const start = (major[0] ?? lo) - gap;
    for (let k = 0; k <= (major.length + 1) * parts; k++) {
      const x = start + (k * gap) / parts;
      if (x < lo || x > hi || k % parts === 0) continue;
      minor.push({ x, length: k % parts === parts / 2 ? 7 : 4 });
    }
  }
  return (
    <svg width="100%" height={BASE} aria-hidden="true">
      {minor.map(({ x, length }) => (
        <path key={x} d={`M${Math.round(place(x)) + 0.5} ${BASE}v${-length}`} />
      ))}
      {major.map((x) => {
        const left = place(x);
        const isEnd = left > width - 34;
        return (
          <g key={x}>
            <path className="is-major" d={`M${Math.min(width - 0.5, Math.round(left) + 0.5)} ${BASE}v-11`} />
            <text x={left + (isEnd ? -4 : 4)} y={16} textAnchor={isEnd ? "end" : "start"}>
              {format.tick(x, gap)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

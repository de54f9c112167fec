/** All metrics of the experiment, by prefix, searchable: a tick shows the panel. Nothing is added by itself. */
import { lazy, Suspense, useEffect, useId, useRef, useState } from "react";
import { Icon } from "./icons";

const MetricTreeList = lazy(async () => ({ default: (await import("./MetricTreeList")).MetricTreeList }));

export interface MetricInfo {
  readonly key: string;
  /** Runs of the experiment that logged it; null when the server did not say. */
  readonly runCount: number | null;
}

export interface MetricTreeProps {
  readonly metrics: readonly MetricInfo[];
  readonly hidden: readonly string[];
  readonly onHidden: (hidden: readonly string[]) => void;
}

export function MetricTree({ metrics, hidden, onHidden }: MetricTreeProps) {
  const [isOpen, setIsOpen] = useState(false);
  const root = useRef<HTMLSpanElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const id = useId();

  useEffect(() => {
    if (!isOpen) return;
    const outside = (event: PointerEvent): void => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setIsOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [isOpen]);

  return (
    <span className="menu metric-tree" ref={root}>
      <button
        type="button"
        ref={trigger}
        className="primary"
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setIsOpen(!isOpen)}
      >
        <Icon name="plus" />
        Panel
      </button>
      {isOpen && (
        <div
          className="menu-list"
          id={id}
          role="dialog"
          aria-label="Choose panels"
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.stopPropagation();
            setIsOpen(false);
            trigger.current?.focus();
          }}
        >
          <Suspense fallback={null}>
            <MetricTreeList metrics={metrics} hidden={hidden} onHidden={onHidden} />
          </Suspense>
        </div>
      )}
    </span>
  );
}

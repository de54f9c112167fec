/** One section of panels: foldable, and long ones in parts, so that a thousand metrics do not become a thousand panels. */
import { useState, type ReactNode } from "react";
import { Icon } from "./icons";
import type { Section } from "./sections";

interface Props {
  readonly section: Section;
  readonly isFolded: boolean;
  readonly onFold: (isFolded: boolean) => void;
  readonly children: (metric: string) => ReactNode;
}

const PART = 24;

export function PanelSection({ section, isFolded, onFold, children }: Props) {
  const [shown, setShown] = useState(PART);
  const { name, metrics } = section;
  const left = metrics.length - shown;
  return (
    <section aria-label={name} className="panel-section">
      <h2>
        <button type="button" aria-expanded={!isFolded} onClick={() => onFold(!isFolded)}>
          <Icon name={isFolded ? "right" : "down"} size={12} />
          {name}
          <em>{metrics.length}</em>
        </button>
      </h2>
      {!isFolded && (
        <>
          <div className="panel-grid">{metrics.slice(0, shown).map(children)}</div>
          {left > 0 && (
            <p className="more-panels">
              {left} more panels in this section{" "}
              <button type="button" className="button" onClick={() => setShown(shown + PART)}>
                Show {Math.min(PART, left)}
              </button>
              <button type="button" className="quiet" onClick={() => setShown(metrics.length)}>
                Show all {metrics.length}
              </button>
            </p>
          )}
        </>
      )}
    </section>
  );
}

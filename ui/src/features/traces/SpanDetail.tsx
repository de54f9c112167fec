/** What one span was given, what it gave, and all else that it says. */
import { useMemo } from "react";
import type { SpanResponse } from "../../api/traces";
import { kindOf, spanTexts, spanTime } from "./span-text";

export function SpanDetail({ span }: { readonly span: SpanResponse }) {
  const { inputs, outputs, others } = useMemo(() => spanTexts(span.attributes), [span.attributes]);
  return (
    <section className="span-detail thin-scroll" aria-label={`Span ${span.name}`} tabIndex={0}>
      <h3>{span.name}</h3>
      <p className="span-facts">
        {[
          kindOf(span.kind),
          span.status === "ERROR" ? "failed" : span.status === "OK" ? "ok" : "",
          `begins at ${spanTime(span.start_ns)}`,
          span.duration_ns === null ? "has not ended" : `takes ${spanTime(span.duration_ns)}`,
        ]
          .filter((word) => word !== "")
          .join(", ")}
      </p>
      {span.message !== "" && <p className="span-message">{span.message}</p>}
      <Text title="Inputs" text={inputs} />
      <Text title="Outputs" text={outputs} />
      {span.events.map((event, i) => (
        <Text
          key={i}
          title={`${event.name} at ${spanTime(Math.max(0, event.at_ns))}`}
          text={Object.entries(event.attributes)
            .map(([key, value]) => `${key}: ${value}`)
            .join("\n")}
        />
      ))}
      {others.length > 0 && (
        <>
          <h4>Attributes</h4>
          <dl className="span-attributes">
            {others.map(([key, value]) => (
              <div key={key}>
                <dt>{key}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </section>
  );
}

function Text({ title, text }: { readonly title: string; readonly text: string | null }) {
  if (text === null) return null;
  return (
    <>
      <h4>{title}</h4>
      <pre className="span-text">{text}</pre>
    </>
  );
}

/** One trace: what it was, its spans as a tree on one time line, and what the chosen span was given and gave. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { traceQuery, type AssessmentResponse, type TraceResponse } from "../../api/traces";
import { fullTime } from "../../lib/time";
import { CopyButton } from "../../ui/CopyButton";
import { Icon } from "../../ui/Icon";
import { ErrorMessage, Loading, Message } from "../../ui/Message";
import { SpanDetail } from "./SpanDetail";
import { SpanTree } from "./SpanTree";
import { laidOut, spanTime } from "./span-text";
import { nameOf, TraceState } from "./TraceState";

const REFRESH_MS = 3_000;

export function TraceView({ traceId }: { readonly traceId: string }) {
  const { data, error, refetch } = useQuery({
    ...traceQuery(traceId),
    refetchInterval: ({ state }) => (state.data?.trace.state === "IN_PROGRESS" ? REFRESH_MS : false),
  });
  if (error !== null && data === undefined) {
    return <ErrorMessage title="The trace could not be read" error={error} onRetry={() => void refetch()} />;
  }
  if (data === undefined) return <Loading label="Reading the trace" />;
  return <Tree tree={data} />;
}

function Tree({ tree: { trace, spans, assessments } }: { readonly tree: TraceResponse }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const span = spans.find((one) => one.id === chosen) ?? spans[0];
  return (
    <article className="trace">
      <header>
        <h2>{nameOf(trace)}</h2>
        <TraceState state={trace.state} />
        <span>
          {fullTime(Date.parse(trace.started_at))}
          {trace.duration_ms !== null && `, ${spanTime(trace.duration_ms * 1e6)}`}, {spans.length} {spans.length === 1 ? "span" : "spans"}
        </span>
        <CopyButton className="icon-button" label="Copy the id of the trace" text={() => trace.id} done={<Icon name="check" />}>
          <Icon name="copy" />
        </CopyButton>
      </header>
      {assessments.length > 0 && <Assessments assessments={assessments} />}
      {span === undefined ? (
        <Message title="No span has arrived">{trace.request_preview ?? "Spans come when they end."}</Message>
      ) : (
        <div className="trace-body">
          <SpanTree spans={spans} chosen={span.id} onChoose={setChosen} />
          <SpanDetail key={span.id} span={span} />
        </div>
      )}
    </article>
  );
}

function Assessments({ assessments }: { readonly assessments: readonly AssessmentResponse[] }) {
  return (
    <ul className="trace-assessments" aria-label="Assessments">
      {assessments
        .filter((one) => one.is_valid)
        .map((one) => (
          <li key={one.id} title={[one.kind, one.source_type, one.source_id, one.rationale ?? ""].filter((word) => word !== "").join(", ")}>
            {one.name} <b>{verdictOf(one.payload)}</b>
          </li>
        ))}
    </ul>
  );
}

/** The value of `{"value": …}`; whatever else was said, as it was said. */
function verdictOf(payload: string): string {
  const found: unknown = JSON.parse(payload);
  if (typeof found !== "object" || found === null || !("value" in found)) return payload;
  return typeof found.value === "string" ? laidOut(found.value) : JSON.stringify(found.value);
}

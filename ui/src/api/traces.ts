/** Traces of a run, and the spans of one. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { flag, integer, list, nullable, object, record, text, word } from "../lib/shape";
import { getJson, withQuery } from "./client";
import type { AssessmentResponse, SpanEvent, SpanResponse, TraceListResponse, TraceResponse, TraceSummary } from "./generated";

export type { AssessmentResponse, SpanResponse, TraceListResponse, TraceResponse, TraceSummary };

/** Traces read at once, and the most that the server gives. */
export const PAGE_OF_TRACES = 50;
export const MOST_TRACES = 1000;

const readTrace = object<TraceSummary>({
  id: text,
  name: text,
  state: word("ERROR", "IN_PROGRESS", "OK", "STATE_UNSPECIFIED"),
  started_at: text,
  duration_ms: nullable(integer),
  request_preview: nullable(text),
  response_preview: nullable(text),
  tags: record(text),
  metadata: record(text),
});

const readTraceList = object<TraceListResponse>({ traces: list(readTrace), total: integer });

const readTree = object<TraceResponse>({
  trace: readTrace,
  spans: list(
    object<SpanResponse>({
      id: text,
      parent: nullable(text),
      depth: integer,
      name: text,
      kind: text,
      status: word("ERROR", "OK", "UNSET"),
      message: text,
      start_ns: integer,
      duration_ns: nullable(integer),
      attributes: record(text),
      events: list(object<SpanEvent>({ name: text, at_ns: integer, attributes: record(text) })),
    }),
  ),
  assessments: list(
    object<AssessmentResponse>({
      id: text,
      name: text,
      kind: word("expectation", "feedback", "issue"),
      source_type: text,
      source_id: text,
      payload: text,
      rationale: nullable(text),
      is_valid: flag,
    }),
  ),
});

/** The newest `limit` traces of a run. With a limit of 1 it is the cheapest way to learn how many there are. */
export function tracesQuery(runId: string, limit: number) {
  return queryOptions({
    queryKey: ["traces", "of", runId, limit],
    queryFn: ({ signal }) =>
      getJson(withQuery(`api/v1/experiments/runs/${encodeURIComponent(runId)}/traces`, { limit }), readTraceList, signal),
    placeholderData: keepPreviousData,
  });
}

export function traceQuery(traceId: string) {
  return queryOptions({
    queryKey: ["traces", "one", traceId],
    queryFn: ({ signal }) => getJson(`api/v1/traces/${encodeURIComponent(traceId)}`, readTree, signal),
  });
}

import type { CallFacts, ChildSpan, LogEvent, ScoreFacts } from "./facts.ts";
import { CONTENT_EVENTS } from "./log-content.ts";
import { lookUp, optional, quoted, type Rows, type Tx, type Window } from "./look-up.ts";

const CLIENT_KIND = 3;

/** Records of ours but announcements of calls, whose content is large and told again at their end; and what may be a request over HTTP. */
export const SPEAKS_OF_ANOTHER = `CASE WHEN attributes ? 'genspan.record'
  THEN attributes ->> 'genspan.record' <> 'pending' OR attributes ?| ARRAY['genspan.image.request', 'genspan.image.status', 'genspan.run.status']
  ELSE kind = ${CLIENT_KIND} AND parent_span_id IS NOT NULL AND attributes ?| ARRAY['http.request.method', 'http.method'] END`;

export const readChildren = (tx: Tx, schema: string, window: Window): Promise<Rows> =>
  lookUp(tx, {
    schema,
    window,
    table: "spans",
    columns: `span_id, parent_span_id, start_time::text AS start_text, extract(epoch FROM start_time) * 1000 AS start_ms,
      end_time::text AS end_text, duration_ns, status_code, status_message, attributes, service_name,
      CASE WHEN attributes ? 'genspan.record' THEN (
        SELECT coalesce(r.attributes ->> 'deployment.environment.name', r.attributes ->> 'deployment.environment')
        FROM ${quoted(schema)}.resources r WHERE r.project_id = t.project_id AND r.id = t.resource_id) END AS environment`,
    condition: SPEAKS_OF_ANOTHER,
  });

export const toChild = (row: Record<string, unknown>): ChildSpan => ({
  spanId: String(row["span_id"]),
  parentSpanId: optional(row["parent_span_id"]) ?? "",
  endTime: optional(row["end_text"]),
  environment: optional(row["environment"]),
  service: optional(row["service_name"]),
  startTime: String(row["start_text"]),
  startMillis: Number(row["start_ms"]),
  durationMillis: row["duration_ns"] === null ? undefined : Number(row["duration_ns"]) / 1e6,
  failed: row["status_code"] === 2,
  statusMessage: optional(row["status_message"]),
  attributes: row["attributes"] as Record<string, unknown>,
});

/** Which span is below which, of traces in which that decides about runs, items, wrappers, calls within calls and evaluations. */
export const readParents = (tx: Tx, schema: string, window: Window): Promise<Rows> =>
  lookUp(tx, { schema, window, table: "spans", columns: "span_id, parent_span_id" });

/** Evaluations that stand with spans of the traces. */
export const readScores = (tx: Tx, schema: string, window: Window): Promise<Rows> =>
  lookUp(tx, {
    schema,
    window,
    table: "generation_scores",
    columns: `span_id, "time"::text AS time_text, id, response_id, told_trace_id, told_span_id`,
    condition: "source = 'evaluation'",
    order: "ORDER BY time_text, id",
  });

export function toScore(row: Record<string, unknown>): ScoreFacts {
  const [traceId, spanId] = [optional(row["told_trace_id"]), optional(row["told_span_id"])];
  return {
    traceId: String(row["trace_id"]),
    spanId: String(row["span_id"]),
    time: String(row["time_text"]),
    id: String(row["id"]),
    responseId: optional(row["response_id"]),
    told: traceId === undefined || spanId === undefined ? undefined : { traceId, spanId },
  };
}

/** Whether some of the scores were told of spans that are no calls. */
export function namesOthers(scores: Rows = [], calls: readonly CallFacts[]): boolean {
  const known = new Set(calls.map(({ spanId }) => spanId));
  return calls.length > 0 && scores.some((row) => !known.has(String(row["told_span_id"] ?? row["span_id"])));
}

/** What instrumentations call the kind of a span, and those of them that make calls of their own. */
const KIND_NAMES = [
  "gen_ai.operation.name",
  "openinference.span.kind",
  "traceloop.span.kind",
  "ai.operationId",
  "langfuse.observation.type",
  "langsmith.span.kind",
  "mlflow.spanType",
  "lmnr.span.type",
  "mastra.span.type",
  "genkit:metadata:subtype",
  "span.type",
  "mcp.method.name",
];
const OF_ITS_OWN = "tool|agent|retriev|rerank|guardrail";
const APART = `attributes ?| ARRAY['gen_ai.tool.name', 'gen_ai.tool.call.id'] OR name ~* '^(execute_tool|running tool|invoke_agent)\\M'
  OR concat_ws(' ', ${KIND_NAMES.map((name) => `attributes ->> '${name}'`).join(", ")}) ~* '${OF_ITS_OWN}'`;

export const readApart = (tx: Tx, schema: string, window: Window): Promise<Rows> =>
  lookUp(tx, { schema, window, table: "spans", columns: "span_id", condition: APART });

const EVENT_NAMES = CONTENT_EVENTS.map((name) => `'${name}'`).join(", ");

/** Over rows of log_records: content that belongs to a span. */
export const IS_CONTENT_EVENT = `span_id IS NOT NULL AND event_name IN (${EVENT_NAMES})`;

export const readEvents = (tx: Tx, schema: string, window: Window): Promise<Rows> =>
  lookUp(tx, {
    schema,
    window,
    table: "log_records",
    columns: "id, span_id, event_name, body, attributes, time, time_nano, ingest_notes ->> 'redacted' AS redacted",
    condition: IS_CONTENT_EVENT,
    order: "ORDER BY time, time_nano, id",
  });

export const toEvent = (row: Record<string, unknown>): LogEvent => ({
  id: String(row["id"]),
  spanId: String(row["span_id"]),
  name: String(row["event_name"]),
  body: row["body"],
  attributes: row["attributes"] as Record<string, unknown>,
  redacted: row["redacted"] === "true",
});

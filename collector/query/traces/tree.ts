import { RequestError } from "../../base/request-error.ts";
import { COST_AMOUNT, COST_CURRENCY } from "../cost.ts";
import type { ExactNumber } from "../exact.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";
import { inTreeOrder } from "./tree-order.ts";

/** A span as a tree shows it; its attributes are asked for one by one. */
export interface TreeSpan {
  readonly span_id: string;
  readonly parent_span_id: string | null;
  readonly name: string;
  readonly kind: number;
  readonly service_name: string;
  /** Nanoseconds since 1970, as text: a double would lose the last three digits. */
  readonly start_unix_nano: string;
  /** Nanoseconds; text where a double would lose digits. */
  readonly duration_ns: ExactNumber | null;
  readonly status: "unset" | "ok" | "error";
  readonly status_message: string | null;
  readonly events: number;
  readonly links: number;
  /** Steps below the span that the tree begins with. */
  readonly depth: number;
  /** Names a parent that is not there. */
  readonly orphan: boolean;
  /** Came more than a minute after it had ended. */
  readonly late: boolean;
  readonly generation: TreeGeneration | null;
}

/** The model call that a span is. */
export interface TreeGeneration {
  readonly id: string;
  readonly status: string;
  readonly model: string | null;
  readonly tokens: ExactNumber | null;
  readonly cost: ExactNumber | null;
  readonly currency: string | null;
}

export interface TraceTree {
  readonly trace_id: string;
  readonly start_time: string;
  /** From the first beginning to the last end of any span: the first span may be shorter, or missing. */
  readonly duration_ns: ExactNumber;
  readonly spans: readonly TreeSpan[];
  readonly errors: number;
  readonly services: readonly string[];
  readonly generations: number;
  readonly tokens_total: ExactNumber | null;
  /** Null where the calls are charged in several currencies, which cost_currency calls `mixed`. */
  readonly cost_amount: ExactNumber | null;
  readonly cost_currency: string | null;
  /** More spans are stored than are given here. */
  readonly truncated: boolean;
}

export const MAX_TREE_SPANS = 10_000;

const SPANS = sql`
  SELECT s.span_id, s.parent_span_id, s.name, s.kind, s.service_name, genspan_unix_nano(s.start_time, s.start_nano)::text AS start_unix_nano, s.duration_ns,
    CASE s.status_code WHEN 2 THEN 'error' WHEN 1 THEN 'ok' ELSE 'unset' END AS status, left(s.status_message, 500) AS status_message,
    coalesce(jsonb_array_length(s.events), 0) AS events, coalesce(jsonb_array_length(s.links), 0) AS links,
    coalesce(s.received_at > s.end_time + interval '1 minute', false) AS late,
    CASE WHEN g.span_id IS NULL THEN NULL ELSE jsonb_build_object('id', g.id, 'status', g.generation_status, 'model', g.model_name, 'tokens', g.tokens_total,
      'cost', g.cost_amount, 'currency', g.cost_currency) END AS generation
  FROM spans s LEFT JOIN generation_logs g ON g.project_id = s.project_id AND g.trace_id = s.trace_id AND g.span_id = s.span_id AND g.start_time = s.start_time`;

/** All spans of a trace in the order of a tree, and its totals. Throws RequestError where there is no such trace. */
export function readTree(reader: Reader, projectId: number, traceId: string): Promise<TraceTree> {
  return reader.read({ projectId }, async (ask) => {
    const rows = await ask<Omit<TreeSpan, "depth" | "orphan">>(sql`
      ${SPANS} WHERE s.project_id = ${projectId} AND s.trace_id = ${traceId} ORDER BY s.start_time, s.start_nano, s.span_id LIMIT ${MAX_TREE_SPANS + 1}`);
    if (rows.length === 0) throw new RequestError("not_found", "there is no such trace in this project");
    const [totals] = await ask<Pick<TraceTree, "start_time" | "duration_ns" | "errors" | "services">>(sql`
      SELECT min(start_time) AS start_time, count(*) FILTER (WHERE status_code = 2) AS errors, array_agg(DISTINCT service_name ORDER BY service_name) AS services,
        max(genspan_unix_nano(start_time, start_nano) + coalesce(duration_ns, 0)) - min(genspan_unix_nano(start_time, start_nano)) AS duration_ns
      FROM spans WHERE project_id = ${projectId} AND trace_id = ${traceId}`);
    const [calls] = await ask<Pick<TraceTree, "generations" | "tokens_total" | "cost_amount" | "cost_currency">>(sql`
      SELECT count(*) AS generations, sum(tokens_total) AS tokens_total, ${COST_AMOUNT} AS cost_amount, ${COST_CURRENCY} AS cost_currency
      FROM generation_logs WHERE project_id = ${projectId} AND trace_id = ${traceId}`);
    return {
      trace_id: traceId,
      ...totals!,
      ...calls!,
      spans: inTreeOrder(rows.slice(0, MAX_TREE_SPANS)),
      truncated: rows.length > MAX_TREE_SPANS,
    };
  });
}

/** One span with everything that is stored of it. Message content that its generation holds stands there. */
export function readSpan(
  reader: Reader,
  projectId: number,
  { traceId, spanId }: { readonly traceId: string; readonly spanId: string },
): Promise<Readonly<Record<string, unknown>>> {
  return reader.read({ projectId }, async (ask) => {
    const [span] = await ask<Record<string, unknown>>(sql`
      SELECT s.trace_id, s.span_id, s.parent_span_id, s.name, s.kind, s.service_name, s.start_time, genspan_unix_nano(s.start_time, s.start_nano)::text AS start_unix_nano,
        s.end_time, s.duration_ns, s.status_code, s.status_message, s.attributes, s.events, s.links, s.trace_state, s.flags, s.dropped_attributes_count,
        s.dropped_events_count, s.dropped_links_count, s.ingest_notes, s.received_at, r.attributes AS resource, to_jsonb(c) - 'project_id' - 'id' AS scope,
        (SELECT g.id FROM generation_logs g WHERE g.project_id = s.project_id AND g.trace_id = s.trace_id AND g.span_id = s.span_id AND g.start_time = s.start_time) AS generation_id
      FROM spans s LEFT JOIN resources r ON r.project_id = s.project_id AND r.id = s.resource_id LEFT JOIN scopes c ON c.project_id = s.project_id AND c.id = s.scope_id
      WHERE s.project_id = ${projectId} AND s.trace_id = ${traceId} AND s.span_id = ${spanId} ORDER BY s.start_time DESC LIMIT 1`);
    if (span === undefined) throw new RequestError("not_found", "there is no such span in this project");
    return span;
  });
}

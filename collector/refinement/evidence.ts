import type { TransactionSql } from "postgres";
import { USAGE_OF_WRAPPER } from "../dialects/wrapper-usage.ts";
import { hasGroups } from "./belonging.ts";
import {
  type CallFacts,
  type CallServer,
  type ChildSpan,
  type FillGroup,
  GROUP_NAMES,
  groupSign,
  isFill,
  keyText,
  type LogEvent,
  type ScoreFacts,
  type StrayRow,
  type ToldTokens,
  type TraceEvidence,
} from "./facts.ts";
import { httpStatusOf, isHttpRequest, placeOf, SERVER_ATTRIBUTES } from "./http-tries.ts";
import { CONTENT_EVENTS } from "./log-content.ts";
import { mayNest } from "./nesting.ts";

/** A trace to look at. The times bound its rows, so that only the partitions around it are read. */
export interface TraceRef {
  readonly projectId: number;
  readonly traceId: string;
  readonly fromMillis: number;
  readonly toMillis: number;
}

/** Rows of one trace lie within this of each other; what is further apart is left as it is. */
const MARGIN_MS = 24 * 3600 * 1000;
/** More calls than this in one trace are left as they came: the work per trace stays bounded. */
const MAX_ROWS = 5_000;

export const traceName = ({ projectId, traceId }: Pick<TraceRef, "projectId" | "traceId">): string => `${projectId}/${traceId}`;

type Tx = TransactionSql;
type Rows = readonly Record<string, unknown>[];

/** What is stored about a trace, with the sign of its counted calls. */
export interface StoredTrace extends TraceEvidence {
  readonly sign: number;
}

/** What speaks of a row in the sign of its trace. */
const SIGN_OF_CALL = `(extract(epoch FROM received_at) * 1000)::bigint + (generation_status <> 'pending')::int`;

/** Over rows of generation_logs: a number that is another one when a row was added, taken away or replaced. Exact up to 5,000 rows. */
export const SIGN_OF_CALLS = `sum(${SIGN_OF_CALL})::float8`;

/**
 * Everything stored about the traces. An update may speak of something from long ago: where its trace has nothing nearby that it can be about, the trace is
 * read at all times.
 */
export async function readEvidence(tx: Tx, schema: string, traces: readonly TraceRef[]): Promise<StoredTrace[]> {
  const near = await readWithin(tx, schema, { traces, window: windowOf(traces) });
  const late = new Set(near.filter(lacksTarget).map(traceName));
  if (late.size === 0) return near;
  const known = traces.filter((trace) => late.has(traceName(trace)));
  const far = await readWithin(tx, schema, { traces: known, window: { ...windowOf(known), ...ALL_TIMES } });
  return [...near.filter((evidence) => !late.has(traceName(evidence))), ...far];
}

/** As far as PostgreSQL's times go that JavaScript can write. */
const ALL_TIMES = { from: new Date("0001-01-01T00:00:00Z"), to: new Date("9999-12-31T00:00:00Z") };

function lacksTarget({ calls, children }: TraceEvidence): boolean {
  const announced = children.filter(({ attributes }) => attributes["genspan.record"] === "pending").map(({ parentSpanId }) => parentSpanId);
  const known = new Set([...[...calls, ...children].map(({ spanId }) => spanId), ...announced]);
  return children.some(({ attributes, parentSpanId }) => attributes["genspan.record"] === "update" && !known.has(parentSpanId));
}

interface Reading {
  readonly traces: readonly TraceRef[];
  readonly window: Window;
}

async function readWithin(tx: Tx, schema: string, { traces, window }: Reading): Promise<StoredTrace[]> {
  const calls = byTrace(await readCalls(tx, schema, window));
  const [children, events] = await Promise.all([readChildren(tx, schema, window), readEvents(tx, schema, window)]);
  const scoresOf = byTrace(calls.size === 0 ? [] : await readScores(tx, schema, window));
  const [childrenOf, eventsOf] = [byTrace(children), byTrace(events)];
  const recordsOf = new Map([...childrenOf].map(([name, rows]) => [name, rows.map(toChild)]));
  const isTree = (name: string): boolean => hasGroups(recordsOf.get(name) ?? []) || calls.get(name)?.some((row) => row["wraps"]) === true;
  const servers = await readServers(tx, schema, { window, calls, recordsOf });
  const factsOf = new Map([...calls].map(([name, rows]) => [name, toCalls(rows, servers.get(name))]));
  const nested = traces.filter((trace) => mayNest(factsOf.get(traceName(trace))?.calls ?? []));
  const scored = traces.filter((trace) => namesOthers(scoresOf.get(traceName(trace)), factsOf.get(traceName(trace))?.calls ?? []));
  const trees = new Set([...traces.filter((trace) => isTree(traceName(trace))), ...nested, ...scored]);
  const parents = trees.size === 0 ? byTrace([]) : byTrace(await readParents(tx, schema, { ...window, ...idsOf([...trees]) }));
  const separated = [...new Set([...nested, ...scored])];
  const apart = separated.length === 0 ? byTrace([]) : byTrace(await readApart(tx, schema, { ...window, ...idsOf(separated) }));
  return traces.flatMap(({ projectId, traceId }) => {
    const name = traceName({ projectId, traceId });
    const rows = calls.get(name) ?? [];
    const records = recordsOf.get(name) ?? [];
    if (rows.length + records.length === 0) return [];
    const { calls: found, strays } = factsOf.get(name) ?? NO_CALLS;
    const ids = new Set(found.map(({ spanId }) => spanId));
    return {
      projectId,
      traceId,
      calls: found,
      tooManyCalls: rows.length > MAX_ROWS,
      sign: rows.reduce((sum, row) => sum + (row["counted"] === true ? Number(row["sign"]) : 0), 0),
      strays,
      children: records,
      events: (eventsOf.get(name) ?? []).map(toEvent).filter(({ spanId }) => ids.has(spanId)),
      parents: new Map((parents.get(name) ?? []).map((row) => [String(row["span_id"]), optional(row["parent_span_id"]) ?? ""])),
      scores: (scoresOf.get(name) ?? []).map(toScore),
      apart: new Set((apart.get(name) ?? []).map((row) => String(row["span_id"]))),
    };
  });
}

const NO_CALLS = { calls: [], strays: [] };

const toCalls = (rows: Rows, servers: ReadonlyMap<string, CallServer> | undefined): Pick<TraceEvidence, "calls" | "strays"> =>
  rows.length > MAX_ROWS ? NO_CALLS : onePerKey(rows.map((row) => toCall(row, servers)));

/** Of two rows with one key the one set aside, unless only the other knows the end. */
function onePerKey(rows: readonly CallFacts[]): Pick<TraceEvidence, "calls" | "strays"> {
  const calls: CallFacts[] = [];
  const strays: StrayRow[] = [];
  for (const [first, ...more] of Map.groupBy(rows, keyText).values()) {
    const all = [first!, ...more];
    const call = all.find((each) => !each.counted && hasEnded(each)) ?? all.find(hasEnded) ?? all.find((each) => each.counted) ?? first!;
    calls.push(call);
    for (const { spanId, startTime, counted } of all.filter((each) => each !== call)) {
      strays.push({ spanId, startTime, table: counted ? "generation_logs" : "generation_twins" });
    }
  }
  return { calls, strays };
}

const hasEnded = ({ status, endTime }: CallFacts): boolean => status !== "pending" && !(status === "timeout" && endTime === undefined);

const byTrace = (rows: Rows): Map<string, Record<string, unknown>[]> =>
  Map.groupBy(rows, (row) => traceName({ projectId: Number(row["project_id"]), traceId: String(row["trace_id"]) }));

/** Traces and the times between which their rows lie. */
interface Window {
  readonly projects: readonly number[];
  readonly ids: readonly string[];
  readonly from: Date;
  readonly to: Date;
}

const idsOf = (traces: readonly TraceRef[]): Pick<Window, "projects" | "ids"> => ({
  projects: traces.map(({ projectId }) => projectId),
  ids: traces.map(({ traceId }) => traceId),
});

function windowOf(traces: readonly TraceRef[]): Window {
  return {
    ...idsOf(traces),
    from: new Date(Math.min(...traces.map(({ fromMillis }) => fromMillis)) - MARGIN_MS),
    to: new Date(Math.max(...traces.map(({ toMillis }) => toMillis)) + MARGIN_MS),
  };
}

interface Lookup {
  readonly schema: string;
  readonly window: Window;
  readonly table: "generation_logs" | "generation_twins" | "spans" | "log_records";
  /** Columns and conditions over the row `t`. */
  readonly columns: string;
  readonly condition?: string;
  /** Only rows of these spans. */
  readonly spans?: readonly string[];
  readonly order?: string;
}

/**
 * Rows of the window's traces, each trace looked up for itself. The times are there to leave out partitions, and written so that no index can use them: the
 * planner knows nothing of the newest rows, often takes an index by time instead of the key, and reads all that came lately for each trace.
 */
function lookUp(tx: Tx, { schema, window, table, columns, condition = "true", spans, order = "" }: Lookup): Promise<Rows> {
  const ofSpans = spans === undefined ? tx`` : tx`AND t.span_id = ANY (${[...spans]}::text[])`;
  const time = tx`t.${tx(table === "log_records" ? "time" : "start_time")}`;
  const { from, to } = window;
  return tx`
    SELECT t.* FROM (SELECT DISTINCT * FROM unnest(${[...window.projects]}::int[], ${[...window.ids]}::text[]) AS given (project_id, trace_id)) AS k,
      LATERAL (SELECT project_id, trace_id, ${tx.unsafe(columns)} FROM ${tx(schema)}.${tx(table)} t
        WHERE t.project_id = k.project_id AND t.trace_id = k.trace_id AND (${time} >= ${from} OR ${time} = ${from}) AND (${time} <= ${to} OR ${time} = ${to})
          AND (${tx.unsafe(condition)}) ${ofSpans} OFFSET 0) AS t ${tx.unsafe(order)}`;
}

/** Names of those of the traces of which calls are stored, counted or not. */
export async function readTracesWithCalls(tx: Tx, schema: string, traces: readonly TraceRef[]): Promise<ReadonlySet<string>> {
  const lookup = { schema, window: windowOf(traces), columns: "span_id" };
  const found = [await lookUp(tx, { ...lookup, table: "generation_logs" }), await lookUp(tx, { ...lookup, table: "generation_twins" })];
  return new Set(byTrace(found.flat()).keys());
}

/** A call for images by its operation or by what was asked of it, or one that answered with some: any model that talks may draw. */
const makesImages = (schema: string): string => `operation_name LIKE 'image%' OR model_parameters ->> 'output.type' = 'image'
  OR EXISTS (SELECT FROM ${quoted(schema)}.outputs o WHERE o.project_id = t.project_id AND o.trace_id = t.trace_id AND o.span_id = t.span_id
    AND o.start_time = t.start_time AND o.direction = 'output' AND o.modality = 'image')`;

const IMAGE_RECORD = "attributes ?| ARRAY['genspan.image.request', 'genspan.image.status']";

/** Names of those of the traces in which a record of ours tells of an image: what is made of it may not be there yet. */
export async function readTracesWithImages(tx: Tx, schema: string, traces: readonly TraceRef[]): Promise<ReadonlySet<string>> {
  const found = await lookUp(tx, { schema, window: windowOf(traces), table: "spans", columns: "span_id", condition: IMAGE_RECORD });
  return new Set(byTrace(found).keys());
}

async function readCalls(tx: Tx, schema: string, window: Window): Promise<Rows> {
  const signs = GROUP_NAMES.map((group) => `${groupSign(group)} IS NOT NULL`).join(", ");
  const columns = `span_id, start_time::text AS start_text, parent_span_id, extract(epoch FROM start_time) * 1000 AS start_ms,
    extract(epoch FROM end_time) * 1000 AS end_ms, end_time::text AS end_text, dialect, operation_name, model_name, response_model, provider_name, response_id,
    generation_status, error_type, error_message, filled_from, own_values, item_id, attempts_count,
    tokens_prompt::float8, tokens_completion::float8,
    CASE WHEN ${makesImages(schema)} THEN jsonb_build_object('prompt', prompt_full_text, 'response', response_full_text, 'parameters', model_parameters,
      'run_id', run_id, 'entity_type', entity_type, 'entity_id', entity_id, 'environment', environment) END AS image, ARRAY[${signs}] AS has,
    coalesce(additional_metadata -> '${USAGE_OF_WRAPPER}' = 'true', false) AS wraps, ${SIGN_OF_CALL} AS sign`;
  const read = (table: "generation_logs" | "generation_twins", counted: boolean) =>
    lookUp(tx, {
      schema,
      window,
      table,
      columns: `${columns}, ${counted} AS counted, ${counted ? "NULL" : "survivor_span_id"} AS survivor`,
    });
  const [counted, aside] = await Promise.all([read("generation_logs", true), read("generation_twins", false)]);
  return [...counted, ...aside];
}

const optional = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const number = (value: unknown): number | undefined => (value === null || value === undefined ? undefined : Number(value));

function toCall(row: Record<string, unknown>, servers: ReadonlyMap<string, CallServer> | undefined): CallFacts {
  const filledFrom = (row["filled_from"] ?? {}) as Record<string, string>;
  const own = (row["own_values"] ?? {}) as Record<string, unknown>;
  const present = row["has"] as boolean[];
  const told = GROUP_NAMES.filter((group, i) => {
    const sign = own[groupSign(group)];
    return isFill(filledFrom[group]) ? false : sign === undefined ? present[i] === true : sign !== null;
  });
  return {
    spanId: String(row["span_id"]),
    startTime: String(row["start_text"]),
    parentSpanId: optional(row["parent_span_id"]),
    startMillis: Number(row["start_ms"]),
    endMillis: number(row["end_ms"]),
    endTime: optional(row["end_text"]),
    image: (row["image"] ?? undefined) as Record<string, unknown> | undefined,
    dialect: String(row["dialect"]),
    operation: optional(row["operation_name"]),
    model: optional(row["model_name"]),
    server: servers?.get(String(row["span_id"])),
    responseModel: filledFrom["response_model"] === undefined ? optional(row["response_model"]) : undefined,
    provider: filledFrom["provider"] === undefined ? optional(row["provider_name"]) : undefined,
    responseId: filledFrom["response_id"] === undefined ? optional(row["response_id"]) : undefined,
    status: String(row["generation_status"]),
    errorType: optional(row["error_type"]),
    errorMessage: optional(row["error_message"]),
    toldTries: number("attempts_count" in own ? own["attempts_count"] : row["attempts_count"]),
    tokens: told.includes("tokens") ? toTokens(row) : undefined,
    has: new Set<FillGroup>(told),
    own,
    wraps: row["wraps"] === true,
    counted: row["counted"] === true,
    survivor: optional(row["survivor"]),
    filledFrom,
    itemId: optional(row["item_id"]),
  };
}

function toTokens(row: Record<string, unknown>): ToldTokens | undefined {
  const [prompt, completion] = [Number(row["tokens_prompt"] ?? 0), Number(row["tokens_completion"] ?? 0)];
  return prompt + completion > 0 ? { prompt, completion } : undefined;
}

interface ToldOfTries {
  readonly window: Window;
  readonly calls: ReadonlyMap<string, Rows>;
  readonly recordsOf: ReadonlyMap<string, readonly ChildSpan[]>;
}

/** Which servers the spans of calls name, by trace and span, of calls with requests over HTTP below them or with a number of tries. */
async function readServers(
  tx: Tx,
  schema: string,
  { window, calls, recordsOf }: ToldOfTries,
): Promise<ReadonlyMap<string, ReadonlyMap<string, CallServer>>> {
  const asked = [...calls].flatMap(([name, rows]) => {
    const requested = new Set(recordsOf.get(name)?.flatMap((span) => (isHttpRequest(span) ? [span.parentSpanId] : [])));
    return rows.filter((row) => requested.has(String(row["span_id"])) || Number(row["attempts_count"] ?? 0) > 1);
  });
  if (asked.length === 0) return new Map();
  const pairs = SERVER_ATTRIBUTES.map((name) => `'${name}', attributes -> '${name}'`).join(", ");
  const found = await lookUp(tx, {
    schema,
    window: {
      ...window,
      projects: asked.map((row) => Number(row["project_id"])),
      ids: asked.map((row) => String(row["trace_id"])),
    },
    table: "spans",
    columns: `span_id, jsonb_build_object(${pairs}) AS told`,
    spans: asked.map((row) => String(row["span_id"])),
  });
  return new Map([...byTrace(found)].map(([name, rows]) => [name, new Map(rows.map((row) => [String(row["span_id"]), toServer(row)]))]));
}

function toServer(row: Record<string, unknown>): CallServer {
  const told = row["told"] as Record<string, unknown>;
  return { place: placeOf(told), httpStatus: httpStatusOf(told) };
}

const CLIENT_KIND = 3;

/** Records of ours but announcements of calls, whose content is large and told again at their end; and what may be a request over HTTP. */
export const SPEAKS_OF_ANOTHER = `CASE WHEN attributes ? 'genspan.record'
  THEN attributes ->> 'genspan.record' <> 'pending' OR attributes ?| ARRAY['genspan.image.request', 'genspan.image.status', 'genspan.run.status']
  ELSE kind = ${CLIENT_KIND} AND parent_span_id IS NOT NULL AND attributes ?| ARRAY['http.request.method', 'http.method'] END`;

const readChildren = (tx: Tx, schema: string, window: Window): Promise<Rows> =>
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

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const toChild = (row: Record<string, unknown>): ChildSpan => ({
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
const readParents = (tx: Tx, schema: string, window: Window): Promise<Rows> =>
  lookUp(tx, { schema, window, table: "spans", columns: "span_id, parent_span_id" });

/** Evaluations that stand with spans of the traces. Without a time of its own one stands at the epoch. */
const readScores = (tx: Tx, schema: string, { projects, ids, from, to }: Window): Promise<Rows> => tx`
  SELECT t.* FROM (SELECT DISTINCT * FROM unnest(${[...projects]}::int[], ${[...ids]}::text[]) AS given (project_id, trace_id)) AS k,
    LATERAL (SELECT project_id, trace_id, span_id, "time"::text AS time_text, id, response_id, told_trace_id, told_span_id FROM ${tx(schema)}.generation_scores t
      WHERE t.project_id = k.project_id AND t.trace_id = k.trace_id AND t.source = 'evaluation'
        AND ((t."time" >= ${from} AND t."time" <= ${to}) OR t."time" = 'epoch') OFFSET 0) AS t
  ORDER BY time_text, id`;

function toScore(row: Record<string, unknown>): ScoreFacts {
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
function namesOthers(scores: Rows = [], calls: readonly CallFacts[]): boolean {
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

const readApart = (tx: Tx, schema: string, window: Window): Promise<Rows> =>
  lookUp(tx, { schema, window, table: "spans", columns: "span_id", condition: APART });

const EVENT_NAMES = CONTENT_EVENTS.map((name) => `'${name}'`).join(", ");

const readEvents = (tx: Tx, schema: string, window: Window): Promise<Rows> =>
  lookUp(tx, {
    schema,
    window,
    table: "log_records",
    columns: "id, span_id, event_name, body, attributes, time, time_nano",
    condition: `span_id IS NOT NULL AND event_name IN (${EVENT_NAMES})`,
    order: "ORDER BY time, time_nano, id",
  });

const toEvent = (row: Record<string, unknown>): LogEvent => ({
  id: String(row["id"]),
  spanId: String(row["span_id"]),
  name: String(row["event_name"]),
  body: row["body"],
  attributes: row["attributes"] as Record<string, unknown>,
});

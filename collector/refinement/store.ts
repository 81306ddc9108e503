import type { Sql, TransactionSql } from "postgres";
import { toJsonb } from "../rows/values.ts";
import type { Attempt } from "./attempts.ts";
import {
  type CallFacts,
  type CallKey,
  type ChildSpan,
  type FillGroup,
  GROUP_NAMES,
  groupSign,
  type LogEvent,
  type TraceEvidence,
} from "./facts.ts";
import type { ImageRow } from "./images.ts";
import { CONTENT_EVENTS } from "./log-content.ts";
import { columnsOfGroups, isEmpty, planRefinement, type RefinementPlan, type RowChange } from "./plan.ts";

/** A trace to look at. The times bound its rows, so that only the partitions around it are read. */
export interface TraceRef {
  readonly projectId: number;
  readonly traceId: string;
  readonly fromMillis: number;
  readonly toMillis: number;
}

interface StoreOptions {
  readonly sql: Sql;
  readonly schema: string;
}

/** First half of our advisory lock keys ("refi"): one collector at a time decides about a trace. */
const LOCK_CLASS = 0x72656669;
/** Rows of one trace lie within this of each other; what is further apart is left as it is. */
const MARGIN_MS = 24 * 3600 * 1000;
/** More calls than this in one trace are left as they came: the work per trace stays bounded. */
const MAX_ROWS = 5_000;

/**
 * Brings the rows of some traces in line with everything stored about them, in one transaction. Returns how many traces changed.
 * Safe to run at any time, any number of times, and beside other collectors.
 */
export async function refineTraces({ sql, schema }: StoreOptions, traces: readonly TraceRef[]): Promise<number> {
  return sql.begin(async (tx) => {
    await tx`SET LOCAL synchronous_commit = on`;
    // In one order everywhere, so that two collectors never wait for each other.
    const names = traces.map(traceName);
    await tx`SELECT pg_advisory_xact_lock(${LOCK_CLASS}, key)
      FROM (SELECT DISTINCT hashtext(name) AS key FROM unnest(${names}::text[]) AS name ORDER BY key) AS keys`;
    let changed = 0;
    for (const evidence of await readEvidence(tx, schema, traces)) {
      const plan = planRefinement(evidence);
      if (isEmpty(plan)) continue;
      await apply(tx, { schema, trace: evidence, plan });
      changed++;
    }
    return changed;
  });
}

const traceName = ({ projectId, traceId }: Pick<TraceRef, "projectId" | "traceId">): string => `${projectId}/${traceId}`;

type Tx = TransactionSql;
type TraceId = Pick<TraceRef, "projectId" | "traceId">;
type Rows = readonly Record<string, unknown>[];

async function readEvidence(tx: Tx, schema: string, traces: readonly TraceRef[]): Promise<TraceEvidence[]> {
  const window = windowOf(traces);
  const calls = byTrace(await readCalls(tx, schema, window));
  const [children, events] = await Promise.all([readChildren(tx, schema, window), readEvents(tx, schema, window)]);
  const [childrenOf, eventsOf] = [byTrace(children), byTrace(events)];
  return traces.flatMap(({ projectId, traceId }) => {
    const name = traceName({ projectId, traceId });
    const rows = calls.get(name) ?? [];
    const records = (childrenOf.get(name) ?? []).map(toChild);
    if (rows.length + records.length === 0 || rows.length > MAX_ROWS) return [];
    const found = rows.map(toCall);
    const ids = new Set(found.map(({ spanId }) => spanId));
    return {
      projectId,
      traceId,
      calls: found,
      children: records,
      events: (eventsOf.get(name) ?? []).map(toEvent).filter(({ spanId }) => ids.has(spanId)),
    };
  });
}

const byTrace = (rows: Rows): Map<string, Record<string, unknown>[]> =>
  Map.groupBy(rows, (row) => traceName({ projectId: Number(row["project_id"]), traceId: String(row["trace_id"]) }));

/** Traces and the times between which their rows lie. */
interface Window {
  readonly projects: readonly number[];
  readonly ids: readonly string[];
  readonly from: Date;
  readonly to: Date;
}

function windowOf(traces: readonly TraceRef[]): Window {
  return {
    projects: traces.map(({ projectId }) => projectId),
    ids: traces.map(({ traceId }) => traceId),
    from: new Date(Math.min(...traces.map(({ fromMillis }) => fromMillis)) - MARGIN_MS),
    to: new Date(Math.max(...traces.map(({ toMillis }) => toMillis)) + MARGIN_MS),
  };
}

/** Rows of the window's traces: each is looked up by the primary key, never by reading a table. */
const ofTraces = (tx: Tx, { projects, ids }: Window) =>
  tx`(project_id, trace_id) IN (SELECT * FROM unnest(${[...projects]}::int[], ${[...ids]}::text[]))`;

async function readCalls(tx: Tx, schema: string, window: Window): Promise<Rows> {
  const signs = GROUP_NAMES.map((group) => `${groupSign(group)} IS NOT NULL`).join(", ");
  const columns = `project_id, trace_id, span_id, start_time::text AS start_text, parent_span_id, extract(epoch FROM start_time) * 1000 AS start_ms,
    extract(epoch FROM end_time) * 1000 AS end_ms, end_time::text AS end_text, dialect, operation_name, model_name, response_model, provider_name, response_id,
    generation_status, error_type, error_message, filled_from,
    CASE WHEN operation_name LIKE 'image%' THEN jsonb_build_object('prompt', prompt_full_text, 'response', response_full_text, 'parameters', model_parameters,
      'run_id', run_id, 'entity_type', entity_type, 'entity_id', entity_id, 'environment', environment) END AS image, ARRAY[${signs}] AS has`;
  const read = (table: string, counted: boolean) => tx`
    SELECT ${tx.unsafe(columns)}, ${counted}::boolean AS counted FROM ${tx(schema)}.${tx(table)}
    WHERE ${ofTraces(tx, window)} AND start_time BETWEEN ${window.from} AND ${window.to}`;
  const [counted, aside] = await Promise.all([read("generation_logs", true), read("generation_twins", false)]);
  return [...counted, ...aside];
}

const optional = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const number = (value: unknown): number | undefined => (value === null || value === undefined ? undefined : Number(value));

function toCall(row: Record<string, unknown>): CallFacts {
  const filledFrom = (row["filled_from"] ?? {}) as Record<string, string>;
  const present = row["has"] as boolean[];
  const own = GROUP_NAMES.filter(
    (group, i) => present[i] === true && (filledFrom[group] === undefined || filledFrom[group].startsWith("update:")),
  );
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
    responseModel: filledFrom["response_model"] === undefined ? optional(row["response_model"]) : undefined,
    provider: filledFrom["provider"] === undefined ? optional(row["provider_name"]) : undefined,
    responseId: filledFrom["response_id"] === undefined ? optional(row["response_id"]) : undefined,
    status: String(row["generation_status"]),
    errorType: optional(row["error_type"]),
    errorMessage: optional(row["error_message"]),
    has: new Set<FillGroup>(own),
    counted: row["counted"] === true,
    filledFrom,
  };
}

const CLIENT_KIND = 3;

async function readChildren(tx: Tx, schema: string, window: Window): Promise<Rows> {
  return tx`
    SELECT project_id, trace_id, span_id, parent_span_id, start_time::text AS start_text, extract(epoch FROM start_time) * 1000 AS start_ms,
      end_time::text AS end_text, duration_ns, status_code, status_message, attributes,
      CASE WHEN attributes ? 'genspan.record' THEN (
        SELECT coalesce(r.attributes ->> 'deployment.environment.name', r.attributes ->> 'deployment.environment')
        FROM ${tx(schema)}.resources r WHERE r.project_id = spans.project_id AND r.id = spans.resource_id) END AS environment
    FROM ${tx(schema)}.spans
    WHERE ${ofTraces(tx, window)} AND start_time BETWEEN ${window.from} AND ${window.to}
      AND (attributes ? 'genspan.record' OR (kind = ${CLIENT_KIND} AND parent_span_id IS NOT NULL))`;
}

const toChild = (row: Record<string, unknown>): ChildSpan => ({
  spanId: String(row["span_id"]),
  parentSpanId: optional(row["parent_span_id"]) ?? "",
  endTime: optional(row["end_text"]),
  environment: optional(row["environment"]),
  startTime: String(row["start_text"]),
  startMillis: Number(row["start_ms"]),
  durationMillis: row["duration_ns"] === null ? undefined : Number(row["duration_ns"]) / 1e6,
  failed: row["status_code"] === 2,
  statusMessage: optional(row["status_message"]),
  attributes: row["attributes"] as Record<string, unknown>,
});

async function readEvents(tx: Tx, schema: string, window: Window): Promise<Rows> {
  return tx`
    SELECT project_id, trace_id, id, span_id, event_name, body, attributes FROM ${tx(schema)}.log_records
    WHERE ${ofTraces(tx, window)} AND span_id IS NOT NULL AND time BETWEEN ${window.from} AND ${window.to}
      AND event_name = ANY(${[...CONTENT_EVENTS]})
    ORDER BY time, time_nano, id`;
}

const toEvent = (row: Record<string, unknown>): LogEvent => ({
  id: String(row["id"]),
  spanId: String(row["span_id"]),
  name: String(row["event_name"]),
  body: row["body"],
  attributes: row["attributes"] as Record<string, unknown>,
});

interface Application {
  readonly schema: string;
  readonly trace: TraceId;
  readonly plan: RefinementPlan;
}

async function apply(tx: Tx, { schema, trace, plan }: Application): Promise<void> {
  for (const key of plan.restore)
    await move(tx, { schema, trace, key, from: "generation_twins", to: "generation_logs", survivor: undefined });
  for (const change of plan.changes) await changeRow(tx, { schema, trace, change });
  for (const image of plan.images) await writeImage(tx, { schema, trace, image });
  for (const { key, survivor } of plan.setAside) {
    await move(tx, { schema, trace, key, from: "generation_logs", to: "generation_twins", survivor });
  }
}

interface Move {
  readonly schema: string;
  readonly trace: TraceId;
  readonly key: CallKey;
  readonly from: "generation_logs" | "generation_twins";
  readonly to: "generation_logs" | "generation_twins";
  readonly survivor: string | undefined;
}

const whereKey = (tx: Tx, trace: TraceId, { spanId, startTime }: CallKey) =>
  tx`project_id = ${trace.projectId} AND trace_id = ${trace.traceId} AND span_id = ${spanId} AND start_time = ${startTime}::text::timestamptz`;

async function move(tx: Tx, { schema, trace, key, from, to, survivor }: Move): Promise<void> {
  const columns = await columnNames(tx, schema);
  const list = tx.unsafe(columns.map((name) => `"${name}"`).join(", "));
  const extra = to === "generation_twins" ? tx`, survivor_span_id` : tx``;
  const value = to === "generation_twins" ? tx`, ${survivor ?? null}` : tx``;
  await tx`INSERT INTO ${tx(schema)}.${tx(to)} (${list}${extra}) SELECT ${list}${value} FROM ${tx(schema)}.${tx(from)}
    WHERE ${whereKey(tx, trace, key)} ON CONFLICT DO NOTHING`;
  await tx`DELETE FROM ${tx(schema)}.${tx(from)} WHERE ${whereKey(tx, trace, key)}`;
}

/** Columns that both tables have and that can be written; the generated ones come by themselves. */
async function columnNames(tx: Tx, schema: string): Promise<string[]> {
  const rows = await tx`
    SELECT attname FROM pg_attribute WHERE attrelid = ${`${schema}.generation_logs`}::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`;
  return rows.map((row) => String(row["attname"]));
}

interface Changing {
  readonly schema: string;
  readonly trace: TraceId;
  readonly change: RowChange;
}

async function changeRow(tx: Tx, { schema, trace, change }: Changing): Promise<void> {
  const { key, reset, copies, columns, attempts, filledFrom } = change;
  const cleared = Object.fromEntries(columnsOfGroups(reset).map((column) => [column, null]));
  const values = { ...cleared, ...columns, filled_from: filledFrom };
  const assignments = Object.entries(values).map(([column, value]) => tx`${tx(column)} = ${parameter(tx, column, value)}`);
  const list = assignments.reduce((all, each) => tx`${all}, ${each}`);
  await tx`UPDATE ${tx(schema)}.generation_logs SET ${list} WHERE ${whereKey(tx, trace, key)}`;
  for (const { group, from } of copies) {
    const assigned = columnsOfGroups([group]).map((column) => `"${column}" = s."${column}"`);
    await tx`
      UPDATE ${tx(schema)}.generation_logs t SET ${tx.unsafe(assigned.join(", "))}
      FROM (SELECT * FROM ${tx(schema)}.generation_logs WHERE ${whereKey(tx, trace, from)}
            UNION ALL SELECT ${tx.unsafe(await twinColumns(tx, schema))} FROM ${tx(schema)}.generation_twins WHERE ${whereKey(tx, trace, from)}) s
      WHERE t.project_id = ${trace.projectId} AND t.trace_id = ${trace.traceId} AND t.span_id = ${key.spanId}
        AND t.start_time = ${key.startTime}::text::timestamptz`;
  }
  if (attempts !== undefined) await writeAttempts(tx, { schema, trace, key, attempts });
}

/** All columns of generation_logs, in its order: what generation_twins has of them. */
async function twinColumns(tx: Tx, schema: string): Promise<string> {
  const rows = await tx`
    SELECT attname FROM pg_attribute WHERE attrelid = ${`${schema}.generation_logs`}::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`;
  return rows.map((row) => `"${row["attname"]}"`).join(", ");
}

const JSON_COLUMNS: ReadonlySet<string> = new Set(["filled_from", "quality_issues"]);

function parameter(tx: Tx, column: string, value: unknown) {
  if (value === null) return tx`NULL`;
  if (JSON_COLUMNS.has(column)) return tx`${toJsonb(JSON.stringify(value))}::text::jsonb`;
  if (typeof value === "string") return tx`${value.replaceAll("\u0000", "\uFFFD").toWellFormed()}`;
  return tx`${value as number}`;
}

interface AttemptRows {
  readonly schema: string;
  readonly trace: TraceId;
  readonly key: CallKey;
  readonly attempts: readonly Attempt[];
}

async function writeAttempts(tx: Tx, { schema, trace, key, attempts }: AttemptRows): Promise<void> {
  await tx`DELETE FROM ${tx(schema)}.generation_attempts WHERE ${whereKey(tx, trace, key)}`;
  for (const attempt of attempts) {
    await tx`
      INSERT INTO ${tx(schema)}.generation_attempts (project_id, trace_id, span_id, start_time, attempt_number, provider_name, model_name, started_at,
        duration_ms, success, http_status, error_type, error_message, received_at)
      VALUES (${trace.projectId}, ${trace.traceId}, ${key.spanId}, ${key.startTime}::text::timestamptz, ${attempt.number}, ${attempt.provider ?? null},
        ${attempt.model ?? null}, ${attempt.startedAt ?? null}::text::timestamptz, ${attempt.durationMillis ?? null}, ${attempt.success},
        ${attempt.httpStatus ?? null}, ${attempt.errorType ?? null}, ${attempt.errorMessage ?? null}, now())`;
  }
}

interface ImageWrite {
  readonly schema: string;
  readonly trace: TraceId;
  readonly image: ImageRow;
}

/** Writes the row, or what became of it; a row that says the same already is left alone. */
async function writeImage(tx: Tx, { schema, trace, image }: ImageWrite): Promise<void> {
  const values = [
    ["request_data", json(tx, image.requestData)],
    ["response_data", json(tx, image.responseData)],
    ["models_tried", tx`${[...image.modelsTried]}::text[]`],
    ["model_used", tx`${image.modelUsed ?? null}`],
    ["total_duration_ms", tx`${image.totalDurationMs ?? null}`],
    ["image_generation_attempts", json(tx, image.attempts)],
    ["error_message", tx`${image.errorMessage ?? null}`],
    ["status", tx`${image.status}`],
    ["created_at", tx`${image.createdAt}::text::timestamptz`],
    ["completed_at", tx`${image.completedAt ?? null}::text::timestamptz`],
    ["trace_id", tx`${trace.traceId}`],
    ["span_id", tx`${image.spanId}`],
    ["run_id", tx`${image.runId ?? null}`],
    ["entity_type", tx`${image.entityType ?? null}`],
    ["entity_id", tx`${image.entityId ?? null}`],
    ["environment", tx`${image.environment ?? null}`],
  ] as const;
  const names = values.map(([name]) => name);
  const list = values.map(([, value]) => value).reduce((all, each) => tx`${all}, ${each}`);
  const columns = tx.unsafe(names.join(", "));
  const assigned = tx.unsafe(names.map((name) => `${name} = excluded.${name}`).join(", "));
  const [stored, given] = ["t", "excluded"].map((row) => tx.unsafe(names.map((name) => `${row}.${name}`).join(", ")));
  await tx`
    INSERT INTO ${tx(schema)}.image_traces AS t (project_id, id, received_at, ${columns})
    VALUES (${trace.projectId}, ${image.id}, ${new Date()}, ${list})
    ON CONFLICT (project_id, id) DO UPDATE SET ${assigned}
    WHERE t.trace_id IS NOT DISTINCT FROM excluded.trace_id AND (${stored!}) IS DISTINCT FROM (${given!})`;
}

/** As jsonb; what is unknown is NULL. */
const json = (tx: Tx, value: unknown) =>
  value === undefined || value === null ? tx`NULL::jsonb` : tx`${toJsonb(JSON.stringify(value))}::text::jsonb`;

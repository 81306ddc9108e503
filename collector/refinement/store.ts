import type { Sql, TransactionSql } from "postgres";
import * as A from "../../sdk/attributes.ts";
import { markUsage } from "../commands/usage-marks.ts";
import { openJson } from "../dialects/json.ts";
import { toJsonb } from "../rows/values.ts";
import type { Attempt } from "./attempts.ts";
import { readEvidence, readTracesWithCalls, readTracesWithImages, type StoredTrace } from "./evidence.ts";
import type { CallKey, TraceEvidence } from "./facts.ts";
import type { ImageRow } from "./images.ts";
import { writeItems } from "./item-store.ts";
import type { ItemRecord } from "./items.ts";
import { LOOKUP_SETTINGS, type TraceRef, traceName } from "./look-up.ts";
import { writeFilledOutputs } from "./output-store.ts";
import { columnsOfGroups, isEmpty, planRefinement, type RefinementPlan, type RowChange } from "./plan.ts";
import { nameRunOfCalls, writeRun } from "./run-store.ts";
import { moveScore } from "./score-store.ts";
import { json } from "./sql-values.ts";

interface StoreOptions {
  readonly sql: Sql;
  readonly schema: string;
}

/** First half of our advisory lock keys ("refi"): one collector at a time decides about a trace. */
const LOCK_CLASS = 0x72656669;

/** What a look at some traces found. */
export interface Refined {
  /** Names of those that are to be looked at again, since a span that is missing so far may change them. */
  readonly open: readonly string[];
  /** Those whose rows were in line already, with the sign of their calls. */
  readonly unchanged: readonly Pick<StoredTrace, "projectId" | "traceId" | "sign">[];
}

/**
 * Brings the rows of some traces in line with everything stored about them, in one transaction. Safe to run at any time, any number of times, and beside
 * other collectors.
 */
export async function refineTraces({ sql, schema }: StoreOptions, traces: readonly TraceRef[]): Promise<Refined> {
  if (traces.length === 0) return { open: [], unchanged: [] };
  return sql.begin(async (tx) => {
    await tx.unsafe(LOOKUP_SETTINGS);
    // In one order everywhere, so that two collectors never wait for each other.
    const names = traces.map(traceName);
    await tx`SELECT pg_advisory_xact_lock(${LOCK_CLASS}, key)
      FROM (SELECT DISTINCT hashtext(name) AS key FROM unnest(${names}::text[]) AS name ORDER BY key) AS keys`;
    const open: string[] = [];
    const unchanged: StoredTrace[] = [];
    const items: TouchedItems = new Map();
    for (const evidence of await readEvidence(tx, schema, traces)) {
      const plan = planRefinement(evidence);
      touchItems(items, evidence, plan);
      if (plan.open) open.push(traceName(evidence));
      if (isEmpty(plan)) {
        unchanged.push(evidence);
        continue;
      }
      await apply(tx, { schema, trace: evidence, plan });
      await markUsage(tx, schema, { projectId: evidence.projectId, startMillis: evidence.calls.map(({ startMillis }) => startMillis) });
    }
    for (const projectId of [...items.keys()].toSorted((a, b) => a - b)) {
      await writeItems(tx, { schema, projectId, records: items.get(projectId)! });
    }
    return { open, unchanged: unchanged.map(({ projectId, traceId, sign }) => ({ projectId, traceId, sign })) };
  });
}

/** Names of those of some traces of which calls are stored, or images where they may have `records` of ours. */
export async function tracesWithTargets(
  { sql, schema }: StoreOptions,
  traces: readonly (TraceRef & { readonly hasRecords: boolean })[],
): Promise<ReadonlySet<string>> {
  if (traces.length === 0) return new Set();
  return sql.begin("READ ONLY", async (tx) => {
    await tx.unsafe(LOOKUP_SETTINGS);
    const withCalls = await readTracesWithCalls(tx, schema, traces);
    const others = traces.filter((trace) => trace.hasRecords && !withCalls.has(traceName(trace)));
    return others.length === 0 ? withCalls : new Set([...withCalls, ...(await readTracesWithImages(tx, schema, others))]);
  });
}

/** Items whose rows may have to change, with what their records say where one was read; by project, then by item. */
type TouchedItems = Map<number, Map<string, ItemRecord | undefined>>;

/** Items that have a record or a generation in the trace, or lose or get one. */
function touchItems(items: TouchedItems, { projectId, calls }: TraceEvidence, { changes, items: records }: RefinementPlan): void {
  const named = [
    ...calls.map(({ itemId }) => itemId),
    ...changes.flatMap(({ columns, replaced, own }) => [columns, replaced, own].map((set) => set["item_id"])),
  ].filter((itemId) => typeof itemId === "string");
  if (named.length + records.length === 0) return;
  const ofProject = items.get(projectId) ?? new Map<string, ItemRecord | undefined>();
  items.set(projectId, ofProject);
  for (const itemId of named) ofProject.set(itemId, ofProject.get(itemId));
  for (const record of records) ofProject.set(record.itemId, record);
}

type Tx = TransactionSql;
type TraceId = Pick<TraceRef, "projectId" | "traceId">;
interface Application {
  readonly schema: string;
  readonly trace: TraceEvidence;
  readonly plan: RefinementPlan;
}

async function apply(tx: Tx, { schema, trace, plan }: Application): Promise<void> {
  for (const stray of plan.strays) await tx`DELETE FROM ${tx(schema)}.${tx(stray.table)} WHERE ${whereKey(tx, trace, stray)}`;
  for (const key of plan.restore)
    await move(tx, { schema, trace, key, from: "generation_twins", to: "generation_logs", survivor: undefined });
  for (const change of plan.changes) await changeRow(tx, { schema, trace, change });
  for (const image of plan.images) {
    const changed = await writeImage(tx, { schema, trace, image });
    if (changed && image.tries !== undefined) await writeTries(tx, { schema, trace, image, attempts: image.tries });
  }
  for (const run of plan.runs) await writeRun(tx, { schema, ...trace, run });
  const [only, ...others] = plan.runs;
  if (trace.tooManyCalls && only !== undefined && others.length === 0) await nameRunOfCalls(tx, { schema, ...trace, run: only });
  for (const { key, survivor } of plan.survivors) {
    await tx`UPDATE ${tx(schema)}.generation_twins SET survivor_span_id = ${survivor ?? null} WHERE ${whereKey(tx, trace, key)}`;
  }
  for (const { score, spanId } of plan.scores) {
    await moveScore(tx, schema, { projectId: trace.projectId, from: score, to: { traceId: trace.traceId, spanId } });
  }
  for (const { key, survivor, change } of plan.setAside) {
    if (change !== undefined) await changeRow(tx, { schema, trace, change });
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
  const { key, reset, copies, messagesOfSpan, columns, replaced, own, attempts, filledFrom } = change;
  const cleared = Object.fromEntries(columnsOfGroups(reset).map((column) => [column, null]));
  const values = { ...cleared, ...own, ...columns, ...replaced, filled_from: Object.keys(filledFrom).length === 0 ? null : filledFrom };
  const assignments = Object.entries(values).map(([column, value]) => tx`${tx(column)} = ${assigned(tx, { column, value, own })}`);
  assignments.push(tx`own_values = ${ownValues(tx, change)}`);
  const list = assignments.reduce((all, each) => tx`${all}, ${each}`);
  await tx`UPDATE ${tx(schema)}.generation_logs SET ${list} WHERE ${whereKey(tx, trace, key)}`;
  if (messagesOfSpan) await copyMessages(tx, { schema, trace, key });
  for (const { group, from } of copies) {
    const copied = columnsOfGroups([group]).map((column) => `"${column}" = s."${column}"`);
    await tx`
      UPDATE ${tx(schema)}.generation_logs t SET ${tx.unsafe(copied.join(", "))}
      FROM (SELECT * FROM ${tx(schema)}.generation_logs WHERE ${whereKey(tx, trace, from)}
            UNION ALL SELECT ${tx.unsafe(await twinColumns(tx, schema))} FROM ${tx(schema)}.generation_twins WHERE ${whereKey(tx, trace, from)}) s
      WHERE t.project_id = ${trace.projectId} AND t.trace_id = ${trace.traceId} AND t.span_id = ${key.spanId}
        AND t.start_time = ${key.startTime}::text::timestamptz`;
  }
  if (attempts !== undefined) await writeAttempts(tx, { schema, trace, key, attempts });
  await writeFilledOutputs(tx, { schema, ...trace, change });
}

interface RowOfCall {
  readonly schema: string;
  readonly trace: TraceId;
  readonly key: CallKey;
}

/** Copies the messages of a row's own span into it, where nothing else has filled them in. */
async function copyMessages(tx: Tx, { schema, trace, key }: RowOfCall): Promise<void> {
  const formatOf = (column: string) => tx`CASE WHEN ${tx(column)} LIKE '[%' THEN 'messages' WHEN ${tx(column)} IS NOT NULL THEN 'text' END`;
  await tx`
    WITH said AS MATERIALIZED (
      SELECT nullif(attributes ->> ${A.GEN_AI_INPUT_MESSAGES}, '') AS input, nullif(attributes ->> ${A.GEN_AI_OUTPUT_MESSAGES}, '') AS output,
        nullif(attributes ->> ${A.GEN_AI_SYSTEM_INSTRUCTIONS}, '') AS system
      FROM ${tx(schema)}.spans WHERE ${whereKey(tx, trace, key)}
    )
    UPDATE ${tx(schema)}.generation_logs t SET
      prompt_format = coalesce(prompt_format, ${formatOf("input")}), prompt_full_text = coalesce(prompt_full_text, input),
      response_format = coalesce(response_format, ${formatOf("output")}), response_full_text = coalesce(response_full_text, output),
      system_instructions = coalesce(system_instructions, system),
      content_state = CASE WHEN coalesce(prompt_full_text, response_full_text, input, output) IS NULL
        THEN content_state ELSE 'captured' END
    FROM said WHERE ${whereKey(tx, trace, key)}`;
}

/** All columns of generation_logs, in its order: what generation_twins has of them. */
async function twinColumns(tx: Tx, schema: string): Promise<string> {
  const rows = await tx`
    SELECT attname FROM pg_attribute WHERE attrelid = ${`${schema}.generation_logs`}::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`;
  return rows.map((row) => `"${row["attname"]}"`).join(", ");
}

/** What the span said in the columns that are replaced: as it is known, else as it stands there still. */
function ownValues(tx: Tx, { replaced, own, reset }: RowChange) {
  const filled = new Set(columnsOfGroups(reset));
  const names = Object.keys(replaced).toSorted();
  if (names.length === 0) return tx`NULL`;
  const values = names.map((name) =>
    name in own || filled.has(name) ? tx`${name}::text, ${json(tx, own[name])}` : tx`${name}::text, to_jsonb(${tx(name)})`,
  );
  return tx`jsonb_build_object(${values.reduce((all, each) => tx`${all}, ${each}`)})`;
}

const JSON_COLUMNS: ReadonlySet<string> = new Set(["additional_metadata", "filled_from", "quality_issues"]);

interface Assignment {
  readonly column: string;
  readonly value: unknown;
  readonly own: RowChange["own"];
}

/** Facts of the application's own are added to those that the span told; everything else takes their place. */
function assigned(tx: Tx, { column, value, own }: Assignment) {
  if (column !== "additional_metadata" || value === own[column]) return parameter(tx, column, value);
  const told = column in own ? json(tx, own[column]) : tx(column);
  return tx`coalesce(${told}, '{}'::jsonb) || ${parameter(tx, column, value)}`;
}

function parameter(tx: Tx, column: string, value: unknown) {
  if (value === null) return tx`NULL`;
  if (JSON_COLUMNS.has(column)) return tx`${toJsonb(JSON.stringify(value))}::text::jsonb`;
  if (typeof value === "string") return tx`${value.replaceAll("\u0000", "\uFFFD").toWellFormed()}`;
  return tx`${value as number}`;
}

interface AttemptRows extends RowOfCall {
  readonly attempts: readonly Attempt[];
}

async function writeAttempts(tx: Tx, { schema, trace, key, attempts }: AttemptRows): Promise<void> {
  await tx`DELETE FROM ${tx(schema)}.generation_attempts WHERE ${whereKey(tx, trace, key)}`;
  await insertAttempts(tx, { schema, trace, key, attempts });
}

interface TryRows {
  readonly schema: string;
  readonly trace: TraceId;
  readonly image: ImageRow;
  readonly attempts: readonly Attempt[];
}

/** An image's tries under the key of its own span; its announcement may have told another start. */
async function writeTries(tx: Tx, { schema, trace, image, attempts }: TryRows): Promise<void> {
  const { projectId, traceId } = trace;
  await tx`DELETE FROM ${tx(schema)}.generation_attempts WHERE project_id = ${projectId} AND trace_id = ${traceId} AND span_id = ${image.spanId}`;
  await insertAttempts(tx, { schema, trace, key: { spanId: image.spanId, startTime: image.createdAt }, attempts });
}

async function insertAttempts(tx: Tx, { schema, trace, key, attempts }: AttemptRows): Promise<void> {
  for (const attempt of attempts) {
    await tx`
      INSERT INTO ${tx(schema)}.generation_attempts (project_id, trace_id, span_id, start_time, attempt_number, provider_name, model_name, started_at,
        duration_ms, success, http_status, error_type, error_message, request, response, received_at)
      VALUES (${trace.projectId}, ${trace.traceId}, ${key.spanId}, ${key.startTime}::text::timestamptz, ${attempt.number}, ${attempt.provider ?? null},
        ${attempt.model ?? null}, ${attempt.startedAt ?? null}::text::timestamptz, ${attempt.durationMillis ?? null}, ${attempt.success},
        ${attempt.httpStatus ?? null}, ${attempt.errorType ?? null}, ${attempt.errorMessage ?? null},
        ${json(tx, openJson(attempt.request))}, ${json(tx, openJson(attempt.response))}, now())`;
  }
}

interface ImageWrite {
  readonly schema: string;
  readonly trace: TraceId;
  readonly image: ImageRow;
}

/** Writes the row, or what became of it; a row that says the same already is left alone, and that is false. */
async function writeImage(tx: Tx, { schema, trace, image }: ImageWrite): Promise<boolean> {
  const values = [
    ["request_data", json(tx, image.requestData)],
    ["response_data", json(tx, image.responseData)],
    ["models_tried", tx`${[...image.modelsTried]}::text[]`],
    ["model_used", tx`${image.modelUsed ?? null}::text`],
    ["total_duration_ms", tx`${image.totalDurationMs ?? null}::float8`],
    ["image_generation_attempts", json(tx, image.attempts)],
    ["error_message", tx`${image.errorMessage ?? null}::text`],
    ["status", tx`${image.status}::text`],
    ["created_at", tx`${image.createdAt}::text::timestamptz`],
    ["completed_at", tx`${image.completedAt ?? null}::text::timestamptz`],
    ["trace_id", tx`${trace.traceId}::text`],
    ["span_id", tx`${image.spanId}::text`],
    ["run_id", tx`${image.runId ?? null}::text`],
    ["entity_type", tx`${image.entityType ?? null}::text`],
    ["entity_id", tx`${image.entityId ?? null}::text`],
    ["environment", tx`${image.environment ?? null}::text`],
  ] as const;
  const names = values.map(([name]) => name);
  const list = values.map(([, value]) => value).reduce((all, each) => tx`${all}, ${each}`);
  const columns = tx.unsafe(names.join(", "));
  const assigned = tx.unsafe(names.map((name) => `${name} = excluded.${name}`).join(", "));
  const [stored, given] = ["t", "excluded"].map((row) => tx.unsafe(names.map((name) => `${row}.${name}`).join(", ")));
  const written = await tx`
    INSERT INTO ${tx(schema)}.image_traces AS t (project_id, id, received_at, ${columns})
    SELECT ${trace.projectId}, ${image.id}::uuid, ${new Date()}::timestamptz, ${list}
    WHERE NOT EXISTS (SELECT FROM ${tx(schema)}.deleted_images d WHERE d.project_id = ${trace.projectId} AND d.id = ${image.id}::uuid)
    ON CONFLICT (project_id, id) DO UPDATE SET ${assigned}
    WHERE t.trace_id IS NOT DISTINCT FROM excluded.trace_id AND (${stored!}) IS DISTINCT FROM (${given!}) RETURNING 1`;
  return written.length > 0;
}

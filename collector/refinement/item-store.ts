import type { Fragment, TransactionSql } from "postgres";
import {
  type Count,
  type ItemGeneration,
  type ItemGenerations,
  type ItemRecord,
  type ItemReview,
  type ItemTold,
  itemRow,
} from "./items.ts";
import { recordUuid } from "./record-id.ts";
import { cleanText, json, listOf, shortText } from "./sql-values.ts";

type Tx = TransactionSql;
type Row = Readonly<Record<string, unknown>>;

/** Items of one project to bring in line with their generations. */
export interface ItemWrite {
  readonly schema: string;
  readonly projectId: number;
  /** The items, each with its record where that was read anew. */
  readonly records: ReadonlyMap<string, ItemRecord | undefined>;
}

/** Second advisory lock class ("item"): taken after those of traces, so that two collectors never wait for each other. */
const LOCK_CLASS = 0x6974656d;
/** Generations that generation_trace lists; the totals count all of them. */
const MAX_LISTED = 1_000;

/** Writes the items as their records, their generations and their reviews say now. Generations of an item may lie in any trace. */
export async function writeItems(tx: Tx, { schema, projectId, records }: ItemWrite): Promise<void> {
  const itemIds = [...records.keys()];
  const names = itemIds.map((itemId) => `${projectId}/${itemId}`);
  await tx`SELECT pg_advisory_xact_lock(${LOCK_CLASS}, key)
    FROM (SELECT DISTINCT hashtext(name) AS key FROM unnest(${names}::text[]) AS name ORDER BY key) AS keys`;
  const made = await readGenerations(tx, schema, { projectId, itemIds });
  const stored = await tx`
    SELECT item_id, told, review FROM ${tx(schema)}.generation_items WHERE project_id = ${projectId} AND item_id = ANY(${[...itemIds]})`;
  const storedBy = new Map(stored.map((row) => [String(row["item_id"]), row]));
  for (const itemId of itemIds) {
    const before = storedBy.get(itemId);
    const told = latestTold(records.get(itemId)?.told, (before?.["told"] ?? undefined) as ItemTold | undefined);
    await writeItem(tx, {
      schema,
      projectId,
      itemId,
      told,
      made: made.get(itemId),
      review: (before?.["review"] ?? undefined) as ItemReview | undefined,
    });
  }
}

/** Two records of one item in different traces: the later one stands. */
function latestTold(read: ItemTold | undefined, stored: ItemTold | undefined): ItemTold | undefined {
  if (read === undefined || stored === undefined) return read ?? stored;
  if (read.trace_id === stored.trace_id && read.span_id === stored.span_id) return read;
  const place = ({ created_at, trace_id = "", span_id = "" }: ItemTold): string =>
    `${new Date(created_at).toISOString()} ${created_at} ${trace_id} ${span_id}`;
  return place(read) > place(stored) ? read : stored;
}

interface OneItem {
  readonly schema: string;
  readonly projectId: number;
  readonly itemId: string;
  readonly told: ItemTold | undefined;
  readonly made: ItemGenerations | undefined;
  readonly review: ItemReview | undefined;
}

const JSON_COLUMNS: ReadonlySet<string> = new Set(["quality_issues", "generation_trace"]);
const LONG_TEXTS: ReadonlySet<string> = new Set(["title", "error_message"]);
const TIMES: ReadonlySet<string> = new Set(["completed_at"]);

async function writeItem(tx: Tx, { schema, projectId, itemId, told, made, review }: OneItem): Promise<void> {
  const row = itemRow(told, made, review);
  const id = recordUuid(itemId, `item/${itemId}`);
  if (row === undefined) {
    // Its only generations turned out to be twins of others, or were given to another item.
    await tx`DELETE FROM ${tx(schema)}.generation_items WHERE project_id = ${projectId} AND id = ${id} AND review IS NULL`;
    return;
  }
  const values: (readonly [string, Fragment])[] = Object.entries(row.values).map(([column, value]) => {
    if (JSON_COLUMNS.has(column)) return [column, json(tx, value)];
    if (TIMES.has(column)) return [column, tx`${(value as string | undefined) ?? null}::text::timestamptz`];
    if (column.startsWith("total_") || column.endsWith("_count")) {
      return [column, tx`${value === undefined ? null : String(value)}::text::bigint`];
    }
    return [column, tx`${LONG_TEXTS.has(column) && typeof value === "string" ? cleanText(value) : shortText(value)}::text`];
  });
  values.push(["created_at", tx`${row.created_at}::text::timestamptz`], ["told", json(tx, told)]);
  const names = values.map(([name]) => name);
  const list = listOf(
    tx,
    values.map(([, value]) => value),
  );
  const columns = tx.unsafe(names.join(", "));
  const assigned = tx.unsafe(names.map((name) => `${name} = excluded.${name}`).join(", "));
  const [stored, given] = ["t", "excluded"].map((source) => tx.unsafe(names.map((name) => `${source}.${name}`).join(", ")));
  await tx`
    INSERT INTO ${tx(schema)}.generation_items AS t (project_id, id, item_id, updated_at, ${columns})
    VALUES (${projectId}, ${id}, ${itemId}, ${new Date()}, ${list})
    ON CONFLICT (project_id, id) DO UPDATE SET ${assigned}, updated_at = excluded.updated_at
    WHERE (${stored!}) IS DISTINCT FROM (${given!})`;
}

interface Wanted {
  readonly projectId: number;
  readonly itemIds: readonly string[];
}

async function readGenerations(tx: Tx, schema: string, { projectId, itemIds }: Wanted): Promise<Map<string, ItemGenerations>> {
  // Of NULLs alone the sum is NULL; least() alone would take the bound.
  const sum = (column: string) =>
    tx.unsafe(`CASE WHEN count(${column}) > 0 THEN least(sum(${column}), 9223372036854775807)::bigint::text END`);
  const totals = await tx`
    SELECT item_id, count(*)::int AS count, ${sum("tokens_prompt")} AS input, ${sum("tokens_completion")} AS output,
      ${sum("tokens_reasoning")} AS reasoning, ${sum("tokens_total")} AS total, array_agg(DISTINCT coalesce(quality_status, '')) AS statuses
    FROM ${tx(schema)}.generation_logs WHERE project_id = ${projectId} AND item_id = ANY(${[...itemIds]}) GROUP BY item_id`;
  const listed = await tx`
    SELECT * FROM (
      SELECT g.item_id, g.id, g.trace_id, g.start_time::text AS start_text, g.model_name, g.response_model, g.prompt_template_name, g.prompt_template_version,
        g.response_id, g.tokens_prompt, g.tokens_completion, g.tokens_reasoning, g.tokens_total, g.duration_ms, g.generation_status,
        g.response_finish_reason, left(g.error_message, 2000) AS error_message, g.quality_status, g.quality_issues, g.entity_type, g.entity_id,
        g.environment, g.run_id, s.attributes ->> 'genspan.item.index' AS index,
        row_number() OVER (PARTITION BY g.item_id ORDER BY g.start_time, g.trace_id, g.span_id) AS place
      FROM ${tx(schema)}.generation_logs g LEFT JOIN ${tx(schema)}.spans s USING (project_id, trace_id, span_id, start_time)
      WHERE g.project_id = ${projectId} AND g.item_id = ANY(${[...itemIds]})
    ) AS numbered WHERE place <= ${MAX_LISTED} ORDER BY item_id, place`;
  const rowsOf = Map.groupBy(listed, (row) => String(row["item_id"]));
  return new Map(totals.map((total) => [String(total["item_id"]), gather(total, rowsOf.get(String(total["item_id"])) ?? [])]));
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const number = (value: unknown): number | undefined => (value === null || value === undefined ? undefined : Number(value));

/** A count; as text where a double cannot hold it. */
function count(value: unknown): Count | undefined {
  const found = number(value);
  return found === undefined || Number.isSafeInteger(found) ? found : String(value);
}

function gather(total: Row, rows: readonly Row[]): ItemGenerations {
  const first = rows[0]!;
  const firstOf = (column: string): string | undefined => text(rows.find((row) => row[column] !== null)?.[column]);
  const shared = Object.fromEntries(
    ["entity_type", "entity_id", "environment", "run_id"].flatMap((name) => (firstOf(name) === undefined ? [] : [[name, firstOf(name)]])),
  );
  return {
    count: Number(total["count"]),
    inputTokens: count(total["input"]),
    outputTokens: count(total["output"]),
    reasoningTokens: count(total["reasoning"]),
    totalTokens: count(total["total"]),
    statuses: total["statuses"] as string[],
    first: { created_at: String(first["start_text"]), trace_id: String(first["trace_id"]), ...shared },
    generations: rows.map(toGeneration).toSorted((a, b) => (a.index ?? Number.MAX_SAFE_INTEGER) - (b.index ?? Number.MAX_SAFE_INTEGER)),
  };
}

function toGeneration(row: Row): ItemGeneration {
  const index = Number(row["index"] ?? Number.NaN);
  return {
    id: String(row["id"]),
    index: Number.isSafeInteger(index) ? index : undefined,
    model: text(row["model_name"]),
    response_model: text(row["response_model"]),
    prompt_name: text(row["prompt_template_name"]),
    prompt_version: text(row["prompt_template_version"]),
    response_id: text(row["response_id"]),
    input_tokens: count(row["tokens_prompt"]),
    output_tokens: count(row["tokens_completion"]),
    reasoning_tokens: count(row["tokens_reasoning"]),
    total_tokens: count(row["tokens_total"]),
    duration_ms: number(row["duration_ms"]),
    status: String(row["generation_status"]),
    finish_reason: text(row["response_finish_reason"]),
    error_message: text(row["error_message"]),
    quality_status: text(row["quality_status"]),
    quality_issues: row["quality_issues"] ?? undefined,
  };
}

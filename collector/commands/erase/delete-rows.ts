import type { Sql, TransactionSql } from "postgres";
import { POINTING_TABLES, SPAN_TABLES } from "../../model/span-tables.ts";
import type { Origin } from "../origins/origin.ts";
import { noteOrigins } from "../origins/release.ts";

/** One erasure at work. */
export interface Erasure {
  readonly sql: Sql;
  readonly schema: string;
  readonly projectId: number;
  readonly id: string;
}

/** Rows deleted, by table. */
export type Counts = Record<string, number>;

/** Claims on a call are nothing that is told about it, and go with it all the same. */
const ERASED_TABLES = [...SPAN_TABLES, "review_claims"] as const;

/** Tombstones worked off per transaction. */
const BATCH = 200;

/**
 * Deletes every row of the spans and traces that the erasure's tombstones name, with the items they helped to make and the binary content that nobody
 * else has. Run again it finds nothing more: a broken-off erasure is finished by the next run.
 */
export async function deleteRows(erasure: Erasure): Promise<Counts> {
  const counts: Counts = {};
  let after = { trace_id: "", span_id: "" };
  for (;;) {
    const batch = await inTransaction(erasure, (tx) => readTombstones(tx, erasure, after));
    const last = batch.at(-1);
    if (last === undefined) return counts;
    await inTransaction(erasure, (tx) => deleteBatch(tx, erasure, { batch, counts }));
    after = last;
  }
}

interface Tombstone {
  readonly trace_id: string;
  readonly span_id: string;
}

export const inTransaction = <T>({ sql, schema }: Pick<Erasure, "sql" | "schema">, work: (tx: TransactionSql) => Promise<T>): Promise<T> =>
  sql.begin(async (tx) => {
    await tx`SELECT set_config('search_path', quote_ident(${schema}), true), set_config('statement_timeout', '0', true)`;
    return work(tx);
  }) as Promise<T>;

const readTombstones = async (tx: TransactionSql, { projectId, id }: Erasure, after: Tombstone): Promise<Tombstone[]> => [
  ...(await tx<Tombstone[]>`
    SELECT trace_id, span_id FROM tombstones WHERE project_id = ${projectId} AND erasure_id = ${id}
      AND (trace_id, span_id) > (${after.trace_id}, ${after.span_id}) ORDER BY trace_id, span_id LIMIT ${BATCH}`),
];

/** To what a deleted row pointed. */
export interface Pointers {
  readonly resource_id: string;
  readonly scope_id: string | null;
}

/** What deleted rows of spans and log records pointed to, each once. */
export function originsOf(projectId: number, deleted: readonly Partial<Pointers>[]): Origin[] {
  const distinct = (ids: readonly (string | null | undefined)[]): string[] => [...new Set(ids.filter((id) => typeof id === "string"))];
  const resources = distinct(deleted.map((row) => row.resource_id)).map((id) => ({ kind: "resources" as const, projectId, id }));
  const scopes = distinct(deleted.map((row) => row.scope_id)).map((id) => ({ kind: "scopes" as const, projectId, id }));
  return [...resources, ...scopes];
}

interface Batch {
  readonly batch: readonly Tombstone[];
  readonly counts: Counts;
}

/**
 * Sums name models, prompts and services, and signatures tell of words: those of the hours go with the rows. Noted hours are read from their rows until a
 * collector, if one runs, sums them up again.
 */
async function deleteSums(tx: TransactionSql, projectId: number, hours: readonly Date[]): Promise<void> {
  if (hours.length === 0) return;
  const times = tx`SELECT unnest(${hours.map((hour) => hour.toISOString())}::text[])::timestamptz`;
  await tx`DELETE FROM usage_hours WHERE project_id = ${projectId} AND hour IN (${times} AS hour)`;
  await tx`DELETE FROM usage_days WHERE project_id = ${projectId} AND day IN (SELECT date_trunc('day', hour, 'UTC') FROM (${times} AS hour) AS touched)`;
  await tx`DELETE FROM word_signatures WHERE project_id = ${projectId} AND hour IN (${times} AS hour)`;
}

async function deleteBatch(tx: TransactionSql, { projectId }: Erasure, { batch, counts }: Batch): Promise<void> {
  const traces = batch.map((each) => each.trace_id);
  const spans = batch.map((each) => each.span_id);
  const given = tx`unnest(${traces}::text[], ${spans}::text[]) AS e (erased_trace, erased_span)`;
  const erased = (table: string) => tx`${tx(table)} t USING ${given} WHERE t.project_id = ${projectId} AND t.trace_id = e.erased_trace
    AND (e.erased_span = '' OR t.span_id = e.erased_span)`;
  const count = (table: string, rows: number): void => {
    if (rows > 0) counts[table] = (counts[table] ?? 0) + rows;
  };
  const items = await tx<{ item_id: string }[]>`
    SELECT DISTINCT item_id FROM generation_logs t JOIN ${given} ON t.project_id = ${projectId} AND t.trace_id = e.erased_trace
      AND (e.erased_span = '' OR t.span_id = e.erased_span) WHERE item_id IS NOT NULL`;
  const blobs = await tx<{ hash: Buffer }[]>`
    SELECT DISTINCT blob_hash AS hash FROM outputs t JOIN ${given} ON t.project_id = ${projectId} AND t.trace_id = e.erased_trace
      AND (e.erased_span = '' OR t.span_id = e.erased_span) WHERE blob_hash IS NOT NULL`;
  const touched = await tx<{ hour: Date }[]>`INSERT INTO usage_dirty_hours (project_id, hour)
    SELECT DISTINCT ${projectId}::int, date_trunc('hour', start_time, 'UTC') FROM generation_logs t JOIN ${given}
    ON t.project_id = ${projectId} AND t.trace_id = e.erased_trace AND (e.erased_span = '' OR t.span_id = e.erased_span) RETURNING hour`;
  await deleteSums(
    tx,
    projectId,
    touched.map(({ hour }) => hour),
  );
  for (const table of ERASED_TABLES) {
    const pointers = POINTING_TABLES.some((pointing) => pointing === table) ? tx`t.resource_id, t.scope_id` : tx`1`;
    const deleted = await tx<Partial<Pointers>[]>`DELETE FROM ${erased(table)} RETURNING ${pointers}`;
    await noteOrigins(tx, originsOf(projectId, deleted));
    count(table, deleted.length);
  }
  const ids = items.map(({ item_id }) => item_id);
  count(
    "generation_items",
    (await tx`DELETE FROM generation_items WHERE project_id = ${projectId} AND item_id = ANY (${ids}) RETURNING 1`).length,
  );
  const hashes = blobs.map(({ hash }) => hash.toString("hex"));
  count(
    "blobs",
    (
      await tx`DELETE FROM blobs b WHERE project_id = ${projectId} AND hash IN (SELECT decode(h, 'hex') FROM unnest(${hashes}::text[]) AS h)
        AND NOT EXISTS (SELECT FROM outputs o WHERE o.project_id = b.project_id AND o.blob_hash = b.hash) RETURNING 1`
    ).length,
  );
  // What was refused may hold the span in the bytes that were sent.
  count(
    "ingest_rejected",
    (
      await tx`DELETE FROM ingest_rejected r WHERE project_id = ${projectId}
        AND EXISTS (SELECT FROM ${given} WHERE position(decode(e.erased_trace, 'hex') IN r.raw) > 0) RETURNING 1`
    ).length,
  );
}

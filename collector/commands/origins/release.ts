import type { ISql, TransactionSql } from "postgres";
import type { Writer } from "../writer.ts";
import { asTable, ORIGIN_KINDS, type Origin, type OriginKind, OWN_RESOURCE_ID, originKey, toOrigins } from "./origin.ts";
import { pointedToOf } from "./pointed-to.ts";

/** Looked at together: each look may read all spans. */
const MAX_LOOKED = 50_000;
/** Rows of a transaction; it is short, so that what collectors hear of comes nearly in the order of its time. */
const BATCH = 1_000;
/** Far beyond the time in which every collector has heard. */
const REMEMBERED = "1 day";
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/** Rows deleted, by table. */
export type Released = Record<OriginKind, number>;

const table = (sql: ISql, schema: string) => sql`${sql(schema)}.released_origins`;

/** Remembers, in the transaction that deletes rows, to what these pointed. The search path holds the schema. */
export async function noteOrigins(tx: TransactionSql, origins: readonly Origin[]): Promise<void> {
  if (origins.length === 0) return;
  await tx`
    INSERT INTO released_origins AS r (project_id, origin_kind, id, noted_at)
    SELECT project_id, kind, id, clock_timestamp() FROM ${asTable(tx, origins)} ORDER BY project_id, kind, id
    ON CONFLICT (project_id, origin_kind, id) DO UPDATE SET noted_at = excluded.noted_at`;
}

/** Deletes the noted origins that nothing points to any more; of all projects unless one is given. */
export async function releaseNoted(writer: Writer, projectId?: number): Promise<Released> {
  const { sql, schema } = writer;
  const released: Released = { resources: 0, scopes: 0 };
  const ofProject = projectId === undefined ? sql`` : sql`AND project_id = ${projectId}`;
  for (;;) {
    const noted = toOrigins(
      await sql`SELECT project_id, origin_kind AS kind, id FROM ${table(sql, schema)} WHERE noted_at IS NOT NULL ${ofProject} LIMIT ${MAX_LOOKED}`,
    );
    add(released, await release(writer, noted));
    if (noted.length < MAX_LOOKED) return released;
  }
}

/** Deletes every origin that nothing points to: for when many rows went at once. */
export async function releaseAll(writer: Writer, signal?: AbortSignal): Promise<Released> {
  const { sql, schema } = writer;
  const released: Released = { resources: 0, scopes: 0 };
  for (const kind of ORIGIN_KINDS) {
    let after: Pick<Origin, "projectId" | "id"> | undefined = { projectId: 0, id: FIRST_ID };
    while (after !== undefined && signal?.aborted !== true) {
      const next: Origin[] = toOrigins(
        await sql`SELECT project_id, ${kind} AS kind, id FROM ${sql(schema)}.${sql(kind)}
          WHERE (project_id, id) > (${after.projectId}, ${after.id}::uuid) ORDER BY project_id, id LIMIT ${MAX_LOOKED}`,
      );
      add(released, await release(writer, next));
      after = next.length < MAX_LOOKED ? undefined : next.at(-1);
    }
  }
  return released;
}

/** Notes released origins again that a write under way brought back since; forgets those of long ago. */
export async function noteReturned({ sql, schema }: Writer, withinMillis: number): Promise<void> {
  await sql`DELETE FROM ${table(sql, schema)} WHERE released_at < clock_timestamp() - ${REMEMBERED}::interval AND noted_at IS NULL`;
  for (const kind of ORIGIN_KINDS)
    await sql`
      UPDATE ${table(sql, schema)} r SET noted_at = clock_timestamp() FROM ${sql(schema)}.${sql(kind)} o
      WHERE r.origin_kind = ${kind} AND r.project_id = o.project_id AND r.id = o.id AND r.noted_at IS NULL
        AND r.released_at > clock_timestamp() - make_interval(secs => ${withinMillis / 1_000})`;
}

/** Deletes those of `looked` that nothing points to, and leaves word of it for the collectors. */
async function release(writer: Writer, looked: readonly Origin[]): Promise<Released> {
  const released: Released = { resources: 0, scopes: 0 };
  if (looked.length === 0) return released;
  const [{ from }] = await writer.sql<[{ from: string }]>`SELECT clock_timestamp()::text AS from`;
  const pointedTo = await pointedToOf(writer, looked);
  const isKept = (origin: Origin): boolean => pointedTo.has(originKey(origin)) || origin.id === OWN_RESOURCE_ID;
  for (const batch of batches(looked.filter(isKept))) await keep(writer, batch, from);
  for (const batch of batches(looked.filter((origin) => !isKept(origin)))) add(released, await remove(writer, batch, from));
  return released;
}

const keep = ({ sql, schema }: Writer, batch: readonly Origin[], from: string): Promise<unknown> =>
  sql.begin(async (tx) => {
    const among = tx`(project_id, origin_kind, id) IN (SELECT project_id, kind, id FROM ${asTable(tx, batch)}) AND noted_at < ${from}::text::timestamptz`;
    await tx`DELETE FROM ${table(tx, schema)} WHERE released_at IS NULL AND ${among}`;
    await tx`UPDATE ${table(tx, schema)} SET noted_at = NULL WHERE ${among}`;
  });

const remove = ({ sql, schema }: Writer, batch: readonly Origin[], from: string): Promise<Released> =>
  sql.begin(async (tx) => {
    // One at a time: two that delete the same rows in another order would wait for each other.
    await tx`LOCK TABLE ${table(tx, schema)} IN SHARE ROW EXCLUSIVE MODE`;
    const removed: Released = { resources: 0, scopes: 0 };
    for (const kind of ORIGIN_KINDS) {
      const { count } = await tx`
        DELETE FROM ${tx(schema)}.${tx(kind)} o USING ${asTable(tx, batch)}
        WHERE given.kind = ${kind} AND o.project_id = given.project_id AND o.id = given.id`;
      removed[kind] = count;
    }
    await tx`
      INSERT INTO ${table(tx, schema)} AS r (project_id, origin_kind, id, looked_from, released_at)
      SELECT project_id, kind, id, ${from}::text::timestamptz, clock_timestamp() FROM ${asTable(tx, batch)}
      ON CONFLICT (project_id, origin_kind, id) DO UPDATE SET noted_at = NULL, looked_from = excluded.looked_from, released_at = excluded.released_at`;
    return removed;
  });

function add(sum: Released, more: Released): void {
  for (const kind of ORIGIN_KINDS) sum[kind] += more[kind];
}

function* batches<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += BATCH) yield all.slice(from, from + BATCH);
}

import type { TransactionSql } from "postgres";
import { ORIGIN_TABLES, POINTING_TABLES } from "../../model/span-tables.ts";
import { partsOf } from "../parts.ts";
import type { Writer } from "../writer.ts";
import { asTable, type Origin, originKey, toOrigins } from "./origin.ts";

/**
 * Keys of those of `looked` that a span or log record points to. Nothing is indexed by them, so it reads partition by partition, the newest first: what is
 * in use is found there, and only what is unused costs a look at everything. In one snapshot: a row that moves to another partition meanwhile is seen
 * where it was. Rejects when a partition is dropped meanwhile.
 */
export async function pointedToOf({ sql, schema }: Writer, looked: readonly Origin[]): Promise<Set<string>> {
  const open = new Map(looked.map((origin) => [originKey(origin), origin]));
  await sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
    await tx`SELECT set_config('statement_timeout', '0', true)`;
    for (const part of await newestFirst(tx, schema)) {
      if (open.size === 0) return;
      for (const key of await pointedToIn(tx, { schema, part }, [...open.values()])) open.delete(key);
    }
  });
  return new Set(looked.map(originKey).filter((key) => !open.has(key)));
}

/** Names of partitions end with their day, and that of DEFAULT with a word: it comes first. */
async function newestFirst(tx: TransactionSql, schema: string): Promise<string[]> {
  const ranked: { part: string; rank: number }[] = [];
  for (const table of POINTING_TABLES) {
    const parts = (await partsOf(tx, schema, table)).toSorted().reverse();
    ranked.push(...parts.map((part, rank) => ({ part, rank })));
  }
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ part }) => part);
}

interface Part {
  readonly schema: string;
  readonly part: string;
}

async function pointedToIn(tx: TransactionSql, { schema, part }: Part, open: readonly Origin[]): Promise<string[]> {
  const keys: string[] = [];
  for (const { table: kind, pointer } of ORIGIN_TABLES) {
    const wanted = open.filter((origin) => origin.kind === kind);
    if (wanted.length === 0) continue;
    const rows = await tx`
      SELECT DISTINCT given.project_id, given.kind, given.id FROM ${tx(schema)}.${tx(part)} p
      JOIN ${asTable(tx, wanted)} ON p.project_id = given.project_id AND p.${tx(pointer)} = given.id`;
    keys.push(...toOrigins(rows).map(originKey));
  }
  return keys;
}

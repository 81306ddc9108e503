import { ByteWriter } from "../../base/byte-writer.ts";
import { INGEST_REJECTED, type TableSpec } from "../../rows/table-spec.ts";
import { collectRows, type Part, type RowRef, type TableRows } from "./batch.ts";
import { frameNumberedRows } from "./copy-frame.ts";
import type { Statements } from "./statements.ts";
import type { WriterConnection } from "./writer-connection.ts";

/** What one careful transaction did, per part: items with a new row, and items whose content differs from the stored one. */
export interface CarefulResult {
  readonly stored: Map<Part, Set<number>>;
  readonly conflicting: Map<Part, Set<number>>;
}

/**
 * Writes through staging tables, so that rows which are there already do no harm: BEGIN, COPY into staging, INSERT … ON CONFLICT,
 * COMMIT. Counts RETURNING rows, never command tags, which count wrongly on distributed tables.
 * Rejects with the server's error after rolling back; nothing is then stored.
 */
export async function writeCarefully(connection: WriterConnection, statements: Statements, parts: readonly Part[]): Promise<CarefulResult> {
  const result: CarefulResult = { stored: new Map(), conflicting: new Map() };
  const step = { connection, statements, result };
  await connection.query(statements.begin);
  try {
    for (const rows of collectRows(parts, "fresh")) await mergeTable(step, rows);
    for (const rows of collectRows(parts, "revisiting")) await revisitTable(step, rows);
    await connection.query("COMMIT");
    return result;
  } catch (error) {
    if (connection.alive) await connection.query("ROLLBACK");
    throw error;
  }
}

interface Step {
  readonly connection: WriterConnection;
  readonly statements: Statements;
  readonly result: CarefulResult;
}

async function mergeTable(step: Step, { table, rows }: TableRows): Promise<void> {
  await stage(step, table, rows);
  await countConflicts(step, table, rows);
  await merge(step, table, rows);
  await unstage(step, table);
}

/** Spans without a time of their own: whoever was first under that identity stays, at whatever time it was stored. */
async function revisitTable(step: Step, { table, rows }: TableRows): Promise<void> {
  const { connection, statements } = step;
  await stage(step, table, rows);
  await connection.query(statements.lockIdentities(table));
  await connection.query(statements.dropKnownIdentities(table));
  await merge(step, table, rows);
  await unstage(step, table);
}

async function stage({ connection, statements }: Step, table: TableSpec, rows: readonly RowRef[]): Promise<void> {
  await connection.query(statements.createStaging(table));
  const out = new ByteWriter(rows.reduce((sum, row) => sum + row.end - row.start + 8, 64));
  frameNumberedRows(out, rows);
  await connection.copy(statements.copyStaging(table), [out.view()]);
}

async function countConflicts({ connection, statements, result }: Step, table: TableSpec, rows: readonly RowRef[]): Promise<void> {
  const found = await connection.query<{ row_no: number }>(statements.conflicting(table));
  for (const { row_no } of found) mark(result.conflicting, rows[row_no]!);
}

async function merge({ connection, statements, result }: Step, table: TableSpec, rows: readonly RowRef[]): Promise<void> {
  const merged = await connection.query<{ row_no: number }>(statements.merge(table));
  if (table !== INGEST_REJECTED) for (const { row_no } of merged) mark(result.stored, rows[row_no]!);
}

/** Dropped at once and not at COMMIT, because fresh and revisiting rows of one table are staged one after the other. */
async function unstage({ connection }: Step, table: TableSpec): Promise<void> {
  await connection.query(`DROP TABLE "genspan_stage_${table.name}"`);
}

function mark(marks: Map<Part, Set<number>>, row: RowRef): void {
  const items = marks.get(row.part) ?? new Set<number>();
  marks.set(row.part, items.add(row.item));
}

import type { ByteWriter } from "../../base/byte-writer.ts";
import { type Announcements, spanKeysOf } from "./announced.ts";
import type { Part } from "./batch.ts";
import { frameTables } from "./copy-frame.ts";
import { gatherRows, type RowRef, type TableRows } from "./gather.ts";
import { emptyMarks, type Marks, markConflicting, markStored } from "./marks.ts";
import { type Identity, identityText } from "./row-layout.ts";
import type { ScriptStatement, StatementResult } from "./script.ts";
import type { Statements } from "./statements.ts";
import { touchedHours } from "./touched-hours.ts";
import type { WriterConnection } from "./writer-connection.ts";

/**
 * `fast`: fresh rows by COPY straight into their tables, after the unfinished rows that they are known to replace were removed. `careful`: through
 * staging, so that rows which are there already do no harm.
 */
export type WritePath = "fast" | "careful";

export interface TransactionContext {
  readonly connection: WriterConnection;
  readonly statements: Statements;
  /** Without it, rows that replace an unfinished one meet it on the careful path. */
  readonly announcements?: Announcements;
  /** Reused from transaction to transaction. */
  readonly out: ByteWriter;
  /** These rows may have been committed before, by an attempt whose reply was lost: then they count as stored and not as duplicates. */
  readonly unsure?: boolean;
}

/** A statement, and what its rows mean once the transaction is committed. */
interface Step extends ScriptStatement {
  readonly onRows?: (rows: StatementResult["rows"]) => void;
}

/** The only proof of a commit: after a failed statement the server answers COMMIT with ROLLBACK, and with no error. */
const COMMITTED = "COMMIT";

/** Transactions with revisiting rows that share a bucket wait for each other. Few, because each is an entry in the server's lock table. */
const LOCK_BUCKETS = 256;

/**
 * Writes the rows of `parts` in one transaction and one round trip. Rejects with the server's error; nothing is then stored, and the
 * connection, if it lives, waits for ROLLBACK. Counts RETURNING rows, never command tags: those count wrongly on distributed tables.
 */
export async function writeTransaction(context: TransactionContext, parts: readonly Part[], path: WritePath): Promise<Marks> {
  const { statements, connection, out, announcements, unsure = false } = context;
  const fresh = gatherRows(parts, "fresh");
  const revisiting = gatherRows(parts, "revisiting");
  const data = frameTables(out, [...fresh, ...revisiting]);
  const marks = emptyMarks();
  for (const { conflicting } of [...fresh, ...revisiting]) markConflicting(marks, conflicting);
  const completing = path === "fast" ? (announcements?.completing(fresh) ?? []) : [];
  announcements?.note(fresh);
  const touched = touchedHours([...fresh, ...revisiting]);
  const looksUp = path === "careful" || revisiting.length > 0 || completing.length > 0;
  const write = path === "fast" ? copyStep : mergeSteps;
  const steps: Step[] = [
    ...statements.begin.map((sql) => ({ sql })),
    ...(looksUp ? statements.planLookups.map((sql) => ({ sql })) : []),
    ...(revisiting.length > 0 ? [{ sql: statements.lockBuckets(bucketsOf(revisiting)) }] : []),
    ...completing.map(({ table, rows }) => ({ sql: statements.dropUnfinished(table, spanKeysOf(rows)) })),
    ...fresh.flatMap((table, i) => write({ statements, marks, unsure, table, copyData: data[i]! })),
    ...revisiting.flatMap((table, i) => revisitSteps({ statements, marks, unsure, table, copyData: data[fresh.length + i]! })),
    ...(touched.length > 0 ? [{ sql: statements.markHours(touched) }] : []),
    { sql: "COMMIT" },
  ];
  const results = await connection.run(steps);
  if (results.length !== steps.length || results.at(-1)?.tag !== COMMITTED) {
    throw new Error(`the transaction ended with ${results.at(-1)?.tag ?? "nothing"}`);
  }
  for (const [i, { onRows }] of steps.entries()) onRows?.(results[i]!.rows);
  return marks;
}

interface TableWrite {
  readonly statements: Statements;
  readonly marks: Marks;
  readonly unsure: boolean;
  readonly table: TableRows;
  readonly copyData: Buffer;
}

function copyStep({ statements, marks, table, copyData }: TableWrite): Step[] {
  return [{ sql: statements.copy(table.table), copyData, onRows: () => markStored(marks, table, table.rows) }];
}

function mergeSteps(write: TableWrite): Step[] {
  const { statements, table } = write;
  return stagedSteps(write, { sql: statements.merge(table.table), identity: "key" });
}

/** Spans without a time of their own: whoever was first under that identity stays, at whatever time it was stored. */
function revisitSteps(write: TableWrite): Step[] {
  const { statements, table } = write;
  return stagedSteps(write, { sql: statements.mergeTimeless(table.table), identity: "timeless" });
}

/** Dropped at once and not at COMMIT, because fresh and revisiting rows of one table are staged one after the other. */
function stagedSteps({ statements, marks, unsure, table, copyData }: TableWrite, merge: { sql: string; identity: Identity }): Step[] {
  const byKey = keyed(table);
  const rowsOf = (keys: StatementResult["rows"]): RowRef[] =>
    keys.map(([key]) => byKey().get(key ?? "")).filter((row) => row !== undefined);
  const stored = (keys: StatementResult["rows"]): void => markStored(marks, table, rowsOf(keys));
  return [
    { sql: statements.createStaging(table.table) },
    { sql: statements.copyStaging(table.table), copyData },
    { sql: merge.sql, onRows: stored },
    ...(unsure ? [{ sql: statements.delivered(table.table, merge.identity), onRows: stored }] : []),
    { sql: statements.conflicting(table.table, merge.identity), onRows: (keys) => markConflicting(marks, rowsOf(keys)) },
    { sql: statements.dropStaging(table.table) },
  ];
}

/** The rows by their key, made when first asked for. */
function keyed({ table, rows }: TableRows): () => Map<string, RowRef> {
  let map: Map<string, RowRef> | undefined;
  return () => {
    map ??= new Map(rows.map((row) => [identityText(table, row, "key"), row]));
    return map;
  };
}

/** Lock buckets of the spans that are written without a time of their own, ascending, so that lockers never wait in a circle. */
function bucketsOf(revisiting: readonly TableRows[]): number[] {
  const buckets = new Set<number>();
  for (const { table, rows } of revisiting) for (const row of rows) buckets.add(bucketOf(identityText(table, row, "timeless")));
  return [...buckets].sort((a, b) => a - b);
}

function bucketOf(identity: string): number {
  let hash = 0;
  for (let i = 0; i < identity.length; i++) hash = (Math.imul(hash, 31) + identity.charCodeAt(i)) | 0;
  return (hash >>> 0) % LOCK_BUCKETS;
}

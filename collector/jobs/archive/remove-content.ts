import type { Sql, TransactionSql } from "../../../schema/connect.ts";
import { markUsageAt } from "../../commands/usage-marks.ts";
import { type ArchivedRow, appendRows, archivePath, type RowSubject } from "./archive-file.ts";
import { CONTENT_TABLES, type ColumnTexts, type ContentTable, type StripOptions } from "./content-tables.ts";
import { noteFolder } from "./folders.ts";
import { lockArchive } from "./lock.ts";
import { type Reached, type Window, windowsOf, writtenSince } from "./windows.ts";

export interface RemoveContentOptions extends StripOptions {
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  /** Content of rows of before this time goes. */
  readonly before: Date;
  /** How far an earlier run with the same options came: what it went through and nobody wrote since is not read again. */
  readonly since?: Reached;
  /** Where what goes is kept; undefined keeps nothing. */
  readonly archiveFolder?: string;
  /** Counts and changes nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** Rows whose content went, by table. */
export type RemovedContent = Record<string, number>;

const BATCH_ROWS = 200;
/** Before every row. */
const BEGINNING = "0001-01-01T00:00:00.000Z";

interface StoredRow {
  readonly project_id: number;
  readonly version: string;
  readonly day: string;
  readonly key: Readonly<Record<string, string>>;
  readonly about: RowSubject;
  readonly columns: ColumnTexts;
}

/**
 * Takes prompts, answers and other content out of old rows; numbers, names, times and states stay. With a folder it is there, on the disk, before it is gone
 * from the row, and only of rows that are still what they were: one that changed keeps its content until the next run, one that was erased meanwhile goes to
 * no file. Run it under a lease.
 */
export async function removeContent(options: RemoveContentOptions): Promise<RemovedContent> {
  const removed: RemovedContent = {};
  for (const table of CONTENT_TABLES) {
    if (options.signal?.aborted) return removed;
    let count = 0;
    for (const window of await inSchema(options, (tx) => windowsOf(tx, table, options)))
      count += await removeWithin(table, window, options);
    if (count > 0) removed[table.name] = count;
  }
  return removed;
}

async function removeWithin(table: ContentTable, window: Window, options: RemoveContentOptions): Promise<number> {
  let count = 0;
  let after: readonly string[] | undefined;
  while (options.signal?.aborted !== true) {
    const rows = await inSchema(options, (tx) => readBatch(tx, table, { window, after }));
    const last = rows.at(-1);
    if (last === undefined) break;
    after = [String(last.project_id), ...table.key.map((column) => last.key[column] ?? "")];
    count += await removeFrom(table, rows, options);
  }
  return count;
}

const inSchema = <T>({ sql, schema }: RemoveContentOptions, work: (tx: TransactionSql) => Promise<T>): Promise<T> =>
  sql.begin(async (tx) => {
    await tx`SELECT set_config('search_path', quote_ident(${schema}), true), set_config('statement_timeout', '0', true)`;
    return work(tx);
  }) as Promise<T>;

interface Cursor {
  readonly window: Window;
  readonly after: readonly string[] | undefined;
}

const ENTITY = ", 'entity', entity_type || ':' || entity_id";
const NAMES = { entity: ENTITY, all: `${ENTITY}, 'user', user_id, 'conversation', conversation_id` } as const;

async function readBatch(tx: TransactionSql, table: ContentTable, { window, after }: Cursor): Promise<StoredRow[]> {
  const order = ["project_id", ...table.key].join(", ");
  const texts = (names: readonly string[]): string => names.map((name) => `'${name}', ${name}::text`).join(", ");
  const types = ["int", ...table.key.map(keyType)];
  const beyond = after === undefined ? "" : `AND (${order}) > (${types.map((type, i) => `$${i + 3}::text::${type}`).join(", ")})`;
  const written = window.writtenSince === undefined ? "" : `AND ${writtenSince(window.writtenSince)}`;
  return [
    ...(await tx.unsafe<StoredRow[]>(
      `SELECT project_id, xmin::text AS version, to_char(${table.timeColumn}, 'YYYY-MM-DD') AS day, jsonb_build_object(${texts(table.key)}) AS key,
        jsonb_build_object('trace_id', trace_id, 'span_id', span_id${table.names === undefined ? "" : NAMES[table.names]}) AS about,
        jsonb_build_object(${texts([...Object.keys(table.columns), ...(table.reads ?? [])])}) AS columns
      FROM ${table.name} WHERE ${table.timeColumn} >= $1 AND ${table.timeColumn} < $2 ${written} ${beyond} ORDER BY ${order} LIMIT ${BATCH_ROWS}`,
      [window.from ?? BEGINNING, window.to, ...(after ?? [])],
    )),
  ];
}

const KEY_TYPES: Readonly<Record<string, string>> = { start_time: "timestamptz", time: "timestamptz", id: "uuid", attempt_number: "int" };
const keyType = (column: string): string => KEY_TYPES[column] ?? "text";

async function removeFrom(table: ContentTable, rows: readonly StoredRow[], options: RemoveContentOptions): Promise<number> {
  const changes = rows
    .map((row) => ({ row, stripped: table.strip(row.columns, options) }))
    .filter(({ row, stripped }) => stripped !== row.columns);
  if (changes.length === 0 || options.dryRun === true) return changes.length;
  const { archiveFolder: folder, schema } = options;
  // On its own and beforehand: a file may be written though its transaction comes to nothing.
  if (folder !== undefined)
    await noteFolder(options.sql, { schema, folder, projectIds: [...new Set(changes.map(({ row }) => row.project_id))] });
  return inSchema(options, async (tx) => {
    if (folder !== undefined) await lockArchive(tx, schema);
    const written: StoredRow[] = [];
    for (const { row, stripped } of changes) if ((await writeColumns(tx, table, { ...row, columns: stripped })) > 0) written.push(row);
    await noteCalls(
      tx,
      schema,
      written.map((row) => ({ ...row, table: table.name })),
    );
    if (folder !== undefined) archive(folder, table, written);
    return written.length;
  });
}

function archive(folder: string, table: ContentTable, rows: readonly StoredRow[]): void {
  const byFile = Map.groupBy(rows, (row) => archivePath(folder, row.project_id, row.day));
  const own = Object.keys(table.columns);
  for (const [path, ofFile] of byFile) {
    const archived = ofFile.map(
      ({ project_id, key, about, columns }): ArchivedRow => ({
        table: table.name,
        project_id,
        key,
        about,
        columns: Object.fromEntries(own.map((column) => [column, columns[column] ?? null])),
      }),
    );
    appendRows(path, archived);
  }
}

/** Says which of these rows are model calls whose texts were written, in the transaction that wrote them. */
export function noteCalls(
  tx: TransactionSql,
  schema: string,
  rows: readonly (Pick<StoredRow, "project_id" | "key"> & { readonly table: string })[],
): Promise<void> {
  const calls = rows.filter(({ table }) => table === "generation_logs");
  return markUsageAt(
    tx,
    schema,
    calls.map(({ project_id, key }) => ({ projectId: project_id, startTime: key["start_time"] ?? "" })),
  );
}

/** Whether the columns of a call hold the first characters of its texts alone. */
export const isPart = (columns: ColumnTexts): boolean => columns["content_state"] === "truncated";

/**
 * Writes a row's content columns: with a version only where the row is still the one that was read, and a part of a text only over another part. Gives the
 * number of rows written.
 */
export async function writeColumns(
  tx: TransactionSql,
  table: ContentTable,
  row: Pick<StoredRow, "project_id" | "key" | "columns"> & { readonly version?: string },
): Promise<number> {
  const columns = Object.entries(table.columns);
  const values = [
    row.project_id,
    ...table.key.map((column) => row.key[column] ?? ""),
    ...columns.map(([column]) => row.columns[column] ?? null),
  ];
  const sets = columns.map(([column, type], i) => `${column} = $${i + table.key.length + 2}::text::${type}`);
  const same = table.key.map((column, i) => `${column} = $${i + 2}::text::${keyType(column)}`);
  const version = row.version === undefined ? "" : ` AND xmin::text = '${Number(row.version)}'`;
  const over = row.version === undefined && isPart(row.columns) ? " AND content_state = 'truncated'" : "";
  const written = await tx.unsafe(
    `UPDATE ${table.name} SET ${sets.join(", ")} WHERE project_id = $1 AND ${same.join(" AND ")}${version}${over} RETURNING 1`,
    values,
  );
  return written.length;
}

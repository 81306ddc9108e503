import { RequestError } from "../../base/request-error.ts";
import type { Reader, ReadScope } from "../reader.ts";
import { and, EMPTY, type Fragment, list, name, sql } from "../sql.ts";
import { columnSql, type ExportColumn, readColumns, typeSql, valueSql } from "./columns.ts";
import type { ExportRow } from "./format.ts";
import type { ExportTable } from "./nouns.ts";

export interface PageOptions {
  readonly scope: ReadScope;
  readonly table: ExportTable;
  /** Names, in the wanted order; undefined for all. */
  readonly columns?: readonly string[];
  /** Conditions on the table's columns. */
  readonly where?: readonly Fragment[];
  readonly signal?: AbortSignal;
}

const PAGE_ROWS = 500;
/** Stored bytes of a page's large values: messages of megabytes come one by one. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** The columns that an export will have. Throws RequestError for a name that is none, with those there are. */
export async function exportColumns(reader: Reader, { scope, table, columns }: PageOptions): Promise<ExportColumn[]> {
  const all = await reader.read(scope, (ask) => readColumns(ask, table.name));
  if (columns === undefined) return all;
  return columns.map((wanted) => {
    const found = all.find((column) => column.name === wanted);
    if (found !== undefined) return found;
    throw new RequestError("bad_request", `there is no column of that name; there are ${all.map((each) => each.name).join(", ")}`);
  });
}

/**
 * The rows of one project along the table's key, in pages that are transactions of their own: an export of hours holds no lock and no snapshot, and
 * between two pages it costs the database nothing. Rows that are there when it begins and stay are given once.
 */
export async function* exportPages(reader: Reader, columns: readonly ExportColumn[], options: PageOptions): AsyncGenerator<ExportRow[]> {
  const { table, signal } = options;
  const scope: ReadScope = { ...options.scope, ...(signal === undefined ? {} : { signal }) };
  const all = await reader.read(scope, (ask) => readColumns(ask, table.name));
  const keys = table.key.map((key) => all.find((column) => column.name === key)!);
  let after: readonly string[] | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const page = await readPage(reader, { ...options, scope, select: columns, keys, after });
    if (page.length === 0) return;
    after = page.at(-1)!.slice(columns.length) as string[];
    yield page.map((row) => row.slice(0, columns.length));
  }
}

interface PageRequest extends PageOptions {
  readonly select: readonly ExportColumn[];
  readonly keys: readonly ExportColumn[];
  readonly after: readonly string[] | undefined;
}

const alias = (i: number): Fragment => name(`c${i}`);

async function readPage(reader: Reader, { scope, table, select, keys, after, where = [] }: PageRequest): Promise<ExportRow[]> {
  const order = list(keys.map(columnSql));
  const beyond = after === undefined ? [] : [sql`(${order}) > (${list(keys.map((key, i) => sql`${after[i]!}::text::${typeSql(key)}`))})`];
  const size = select.filter(({ large }) => large).map((column) => sql` + coalesce(pg_column_size(${columnSql(column)}), 0)`);
  const values = [...select.map(valueSql), ...keys.map((key) => sql`${columnSql(key)}::text`)];
  const rows = await reader.read(scope, (ask) =>
    ask<Record<string, string | null>>(sql`
      SELECT ${list(values.map((value, i) => sql`${value} AS ${alias(i)}`))} FROM (
        SELECT sized.*, sum(row_bytes) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) - row_bytes AS bytes_before FROM (
          SELECT *, 0${size.reduce((sum, each) => sql`${sum}${each}`, EMPTY)} AS row_bytes FROM ${name(table.name)}
          WHERE ${and([sql`project_id = ${scope.projectId}`, ...where, ...beyond])} ORDER BY ${order} LIMIT ${PAGE_ROWS}
        ) sized
      ) page WHERE bytes_before < ${PAGE_BYTES} ORDER BY ${order}`),
  );
  return rows.map((row) => values.map((_, i) => row[`c${i}`] ?? null));
}

import type { Sql } from "postgres";
import { postgres, SESSION } from "../../schema/driver.ts";

/** One value of a result: numbers that a double could not hold exactly, times and bytes are text; JSON stays as the database wrote it. */
export type SqlCell = null | boolean | number | string | { readonly json: string } | readonly SqlCell[];

export interface SqlRows {
  readonly columns: readonly string[];
  readonly batches: AsyncIterable<readonly (readonly SqlCell[])[]>;
}

export interface RunSqlOptions {
  /** The reading login. */
  readonly url: string;
  readonly schema: string;
  readonly projectId: number;
  readonly timeoutMillis: number;
}

const BATCH_ROWS = 500;

/** Object ids of types that are handed on as text or JSON text (pg_type). */
const AS_TEXT = [17, 1082, 1083, 1114, 1184, 1186, 1266];
const AS_JSON = [114, 3802];

/**
 * Runs one query of a person's own, read-only, as the reading login: row-level security shows one project, whatever the query says.
 * Rejects with the server's error; the connection is closed when the batches have been read.
 */
export async function runSql(query: string, options: RunSqlOptions): Promise<SqlRows> {
  const sql = postgres(options.url, {
    max: 1,
    onnotice: () => {},
    connection: {
      application_name: "genspan sql",
      DateStyle: SESSION.DateStyle,
      statement_timeout: options.timeoutMillis,
      default_transaction_read_only: true,
      search_path: options.schema,
    },
    types: {
      text: { to: 25, from: AS_TEXT, serialize: String, parse: (value: string) => value },
      json: { to: 114, from: AS_JSON, serialize: JSON.stringify, parse: (json: string) => ({ json }) },
    },
  });
  try {
    await sql`SELECT set_config('genspan.project', ${String(options.projectId)}, false)`;
    const cursor = sql.unsafe(query).values().cursor(BATCH_ROWS)[Symbol.asyncIterator]();
    const first = await cursor.next();
    const told = first.done === true ? undefined : (first.value as { readonly columns?: readonly { readonly name: string }[] }).columns;
    const columns = told?.map((column) => column.name) ?? (await columnsOf(sql, query));
    return { columns, batches: rest(sql, first, cursor) };
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
}

/** A cursor without rows has not told its columns. */
async function columnsOf(sql: Sql, query: string): Promise<string[]> {
  const { columns } = await sql.unsafe(query).describe();
  return columns.map((column) => column.name);
}

type Batch = Iterable<unknown>;

async function* rest(
  sql: Sql,
  first: IteratorResult<Batch>,
  cursor: AsyncIterator<Batch>,
): AsyncGenerator<readonly (readonly SqlCell[])[]> {
  try {
    for (let step = first; step.done !== true; step = await cursor.next()) yield [...step.value] as (readonly SqlCell[])[];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

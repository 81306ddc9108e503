import type { Sql } from "postgres";
import { postgres, SESSION } from "../../schema/driver.ts";
import { SetupError } from "../base/setup-error.ts";

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
 * Rejects with the server's error, and with SetupError for what gives no rows by its nature; the connection is closed when the batches have been read.
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
    const columns = (await sql.unsafe(query).describe()).columns.map((column) => column.name);
    if (columns.length === 0 || COUNTLESS.test(query)) return { columns, batches: rest(sql, await allAtOnce(sql, query)) };
    const cursor = sql.unsafe(query).values().cursor(BATCH_ROWS)[Symbol.asyncIterator]();
    // What the server refuses is told before anything of the output is written.
    return { columns, batches: rest(sql, cursor, await cursor.next()) };
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
}

/** The driver's cursor drops the rows of what the server does not count, and waits for ever for the end of an empty query. */
const COUNTLESS = /^(?:\s|--[^\n]*\n|\/\*.*?\*\/)*(?:explain|show)\b/is;

type Batch = Iterable<unknown>;

/** The few rows of a statement that no cursor takes. */
async function allAtOnce(sql: Sql, query: string): Promise<AsyncIterator<Batch>> {
  const rows: unknown = await sql.unsafe(query, [], { prepare: true }).values();
  if (!Array.isArray(rows)) throw new SetupError("COPY is not for this command: write SELECT, with -o csv for a file.");
  return (async function* () {
    yield rows;
  })();
}

async function* rest(
  sql: Sql,
  batches: AsyncIterator<Batch>,
  first?: IteratorResult<Batch>,
): AsyncGenerator<readonly (readonly SqlCell[])[]> {
  try {
    for (let step = first ?? (await batches.next()); step.done !== true; step = await batches.next())
      yield [...step.value] as (readonly SqlCell[])[];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

import type { Sql, TransactionSql } from "postgres";
import { errorCode } from "../../base/error-code.ts";
import { entityHash, REMEMBERED } from "../erase/remembered.ts";
import { IMPORT_TABLES, type ImportNoun } from "./shapes.ts";

/** A row as JSON text, and the line of the file that it came from. */
export interface StagedRow {
  readonly noun: ImportNoun;
  readonly json: string;
  readonly line: number;
  /** Whether its time is the import's, so that the same row may be there already at another. */
  readonly isUntimed?: boolean;
}

export interface StoreResult {
  /** Rows that are there now and were not before. */
  readonly stored: number;
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
}

export interface StoreOptions {
  readonly schema: string;
  readonly projectId: number;
  /** ISO 8601: received_at of rows that name none. */
  readonly receivedAt: string;
  readonly columns: TableColumns;
}

/** The columns of a table, in their order. */
export interface TableColumns {
  readonly names: ReadonlySet<string>;
  /** Those that are not computed from others, as SQL. */
  readonly written: string;
  /** Those that hold a time. */
  readonly times: readonly string[];
  /** Those that hold a number with a point and are summed up, as SQL. */
  readonly measures: readonly string[];
}

/** Parameters of models and judgements of applications are whatever they are. */
const JUST_KEPT = /^(model|quality)_/;

/** The columns of every table that an import writes. */
export async function columnsByNoun(sql: Sql, schema: string): Promise<ReadonlyMap<ImportNoun, TableColumns>> {
  const tables = Object.entries(IMPORT_TABLES) as [ImportNoun, string][];
  const found = await sql<{ table: string; name: string; quoted: string; computed: boolean; time: boolean; number: boolean }[]>`
    SELECT relname AS table, attname AS name, quote_ident(attname) AS quoted, attgenerated <> '' AS computed, atttypid = 'timestamptz'::regtype AS time,
      atttypid IN ('float8'::regtype, 'numeric'::regtype) AS number FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace = to_regnamespace(quote_ident(${schema})) AND relname = ANY (${tables.map(([, table]) => table)})
      AND attnum > 0 AND NOT attisdropped ORDER BY attnum`;
  return new Map(
    tables.map(([noun, table]) => {
      const columns = found.filter((column) => column.table === table);
      return [
        noun,
        {
          names: new Set(columns.map(({ name }) => name)),
          written: columns
            .filter(({ computed }) => !computed)
            .map(({ quoted }) => quoted)
            .join(", "),
          times: columns.filter(({ time }) => time).map(({ name }) => name),
          measures: columns.filter(({ name, number }) => number && !JUST_KEPT.test(name)).map(({ quoted }) => quoted),
        },
      ];
    }),
  );
}

/** Values of these classes (SQLSTATE) are the row's fault, not the database's. */
const ROW_FAULT = /^(22|23|42804|5400)/;

/**
 * Stores rows of one noun; a row that is there already stays as it is. A row that the table does not take is refused by its line, and the others are
 * stored. Rejects where the database fails.
 */
export async function storeRows(sql: Sql, rows: readonly StagedRow[], options: StoreOptions): Promise<StoreResult> {
  try {
    return { stored: await sql.begin((tx) => insert(tx, rows, options)), refused: [] };
  } catch (error) {
    const code = errorCode(error);
    if (!ROW_FAULT.test(code)) throw error;
    if (rows.length === 1) return { stored: 0, refused: [{ line: rows[0]!.line, reason: reasonOf(code) }] };
    const middle = rows.length >> 1;
    const first = await storeRows(sql, rows.slice(0, middle), options);
    const second = await storeRows(sql, rows.slice(middle), options);
    return { stored: first.stored + second.stored, refused: [...first.refused, ...second.refused] };
  }
}

/** The database's own text may repeat what the row says. */
const reasonOf = (code: string): string => REASONS[code] ?? "a value does not fit its column";

const REASONS: Readonly<Record<string, string>> = {
  "22003": "a number is out of all reason",
  "22012": "a number is out of all reason",
  "23502": "a value that the table needs is missing",
  "54001": "this is nested too deeply",
};

/** Where a row says nothing of its own; JSON objects keep the last of two members, so these come first. */
const defaults = ({ receivedAt }: StoreOptions): string =>
  JSON.stringify({
    received_at: receivedAt,
    updated_at: receivedAt,
    created_at: receivedAt,
    logged_at: receivedAt,
    dialect: "import",
  }).slice(0, -1);

const withPlace = (json: string, options: StoreOptions): string =>
  `${defaults(options)},${json.slice(1, -1)},"project_id":${options.projectId}}`;

/** NUL, which text in PostgreSQL cannot hold, as JSON escapes it. */
const ESCAPED_NUL = /(?<!\\)((?:\\\\)*)\\u0000/g;

async function insert(tx: TransactionSql, rows: readonly StagedRow[], options: StoreOptions): Promise<number> {
  const table = IMPORT_TABLES[rows[0]!.noun];
  const names = tx.unsafe(options.columns.written);
  const target = tx`${tx(options.schema)}.${tx(table)}`;
  const time = table === "generation_logs" ? tx`start_time` : tx`NULL::timestamptz`;
  const of = (some: readonly StagedRow[]) => {
    const json = `[${some.map((row) => withPlace(row.json, options)).join(",")}]`.replace(ESCAPED_NUL, "$1\\ufffd");
    return tx`SELECT ${names} FROM jsonb_populate_recordset(NULL::${target}, ${json}::text::jsonb) new
      WHERE ${isReasonable(tx, options)} AND NOT ${isErased(tx, options)}`;
  };
  const isStored = tx`EXISTS (SELECT FROM ${target} old WHERE (old.project_id, old.trace_id, old.span_id) = (new.project_id, new.trace_id, new.span_id))`;
  const untimed = rows.filter(({ isUntimed }) => isUntimed);
  const [stored] = await tx<[{ rows: number }]>`
    WITH stored AS (
      INSERT INTO ${target} (${names}) ${of(rows.filter(({ isUntimed }) => !isUntimed))}
      ${untimed.length === 0 ? tx`` : tx`UNION ALL ${of(untimed)} AND NOT ${isStored}`}
      ON CONFLICT DO NOTHING RETURNING ${time} AS at
    ), noted AS (
      INSERT INTO ${tx(options.schema)}.usage_dirty_hours (project_id, hour)
      SELECT DISTINCT ${options.projectId}::int, date_trunc('hour', at, 'UTC') FROM stored WHERE at IS NOT NULL
    ) SELECT count(*)::int AS rows FROM stored`;
  return stored.rows;
}

/** No duration and no cost is larger; sums and squares of such numbers are still numbers. */
const MAX_NUMBER = "1e15";

/** Divides by zero for a row with a larger number, or with one that is none, so that it is refused by its line: one of them would spoil every sum. */
function isReasonable(tx: TransactionSql, { columns: { measures } }: StoreOptions) {
  if (measures.length === 0) return tx`TRUE`;
  const largest = `greatest(${measures.map((quoted) => `abs(new.${quoted}::float8)`).join(", ")})`;
  return tx`1 / CASE WHEN ${tx.unsafe(largest)} > ${tx.unsafe(MAX_NUMBER)} THEN 0 ELSE 1 END = 1`;
}

/** Whether a row belongs to a span or trace that was erased, or to a record of the application that was: as with a late retry, it does not come back. */
function isErased(tx: TransactionSql, { schema, columns }: StoreOptions) {
  const recently = (time: string) => tx`${tx(time)} > clock_timestamp() - ${REMEMBERED}::interval`;
  const ofSpan = tx`EXISTS (SELECT FROM ${tx(schema)}.tombstones t WHERE t.project_id = new.project_id AND t.trace_id = new.trace_id
    AND t.span_id IN ('', new.span_id) AND ${recently("erased_at")})`;
  if (!columns.names.has("entity_id")) return ofSpan;
  return tx`(${ofSpan} OR EXISTS (SELECT FROM ${tx(schema)}.erasures e WHERE e.project_id = new.project_id AND e.subject_kind = 'entity'
    AND e.subject_hash = ${entityHash(tx, "new")} AND ${recently("requested_at")}))`;
}

import type { TableSpec } from "../../rows/table-spec.ts";
import type { SpanKeyText } from "./announced.ts";
import { contentColumns } from "./row-content.ts";
import { type Identity, identityColumns, keyLayout, keySql } from "./row-layout.ts";
import type { TouchedHour } from "./touched-hours.ts";

/** The SQL of the writer. Names come from table-spec.ts and the configured schema; values of users never stand in the text. */
export interface Statements {
  readonly begin: readonly string[];
  /** Plans for staged rows: look each one up by its key, never read a whole table for them. */
  readonly planLookups: readonly string[];
  copy(table: TableSpec): string;
  createStaging(table: TableSpec): string;
  copyStaging(table: TableSpec): string;
  dropStaging(table: TableSpec): string;
  /** Removes the unfinished rows of some keys: what replaces them comes by COPY in the same transaction. */
  dropUnfinished(table: TableSpec, keys: readonly SpanKeyText[]): string;
  /** Moves staged rows into the table; gives the keys (`identityText`) of those that were new or completed a pending row. */
  merge(table: TableSpec): string;
  /** As `merge`, but a row of the same identity at any time stands in the way. */
  mergeTimeless(table: TableSpec): string;
  /**
   * Keys of staged rows whose identity is stored with other content; after a merge that never means a row's own copy. A row that was filled in from
   * elsewhere differs from its own resend by right, except in what it told itself.
   */
  conflicting(table: TableSpec, identity: Identity): string;
  /** After a merge: keys of staged rows that are stored as this very delivery brought them, now or by an attempt whose reply was lost. */
  delivered(table: TableSpec, identity: Identity): string;
  /** Waits for other transactions that hold one of these buckets; released at the end of the transaction. */
  lockBuckets(buckets: readonly number[]): string;
  /** Notes that sums of these hours are not up to date any more. */
  markHours(hours: readonly TouchedHour[]): string;
  insertShared(table: "resources" | "scopes"): string;
}

export interface StatementOptions {
  readonly schema: string;
  /** A statement gives up after this long, before the writer gives up on the connection. */
  readonly statementTimeoutMillis: number;
  readonly lockTimeoutMillis: number;
}

/** What stands for plans other than one look-up by key after the other. */
const OTHER_PLANS = [
  "enable_hashjoin",
  "enable_mergejoin",
  "enable_seqscan",
  "enable_bitmapscan",
  "enable_material",
  "enable_memoize",
  "jit",
];

/** First half of our advisory lock keys ("span"), so that they meet nobody else's. */
const LOCK_CLASS = 0x7370616e;

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const list = (columns: readonly string[], prefix = ""): string => columns.map((column) => prefix + quote(column)).join(", ");
const staging = (table: TableSpec): string => quote(`genspan_stage_${table.name}`);
const equal = (columns: readonly string[]): string => columns.map((column) => `t.${quote(column)} = s.${quote(column)}`).join(" AND ");

/** A stored row (`t`) and a staged one (`s`) are the same item. */
const same = (table: TableSpec, identity: Identity): string =>
  [equal(identityColumns(table, identity)), ...(identity === "timeless" && table.untimed !== undefined ? [table.untimed] : [])].join(
    " AND ",
  );

/** The order of gather.ts in SQL: time, then key. */
function writeOrder(table: TableSpec): string {
  const time = keyLayout(table).time?.column;
  const columns = [...(time === undefined ? [] : [time]), ...table.keyColumns.filter((column) => column !== time)];
  return list(columns, "s.");
}

/**
 * Of the transaction, not the session: the same behind a pooler. Neither a role's nor a database's default may weaken the commit,
 * and each statement must see what a lock holder before it has committed.
 */
const begin = (options: StatementOptions): string[] => [
  "BEGIN ISOLATION LEVEL READ COMMITTED",
  "SET LOCAL synchronous_commit = on",
  `SET LOCAL statement_timeout = ${options.statementTimeoutMillis}`,
  `SET LOCAL lock_timeout = ${options.lockTimeoutMillis}`,
  `SET LOCAL idle_in_transaction_session_timeout = ${options.statementTimeoutMillis * 2}`,
];

export function createStatements(options: StatementOptions): Statements {
  const target = (name: string): string => `${quote(options.schema)}.${quote(name)}`;
  const insert = (table: TableSpec): string =>
    `INSERT INTO ${target(table.name)} AS t (${list(table.columns)}) SELECT ${list(table.columns, "s.")} FROM ${staging(table)} s`;
  return {
    begin: begin(options),
    planLookups: OTHER_PLANS.map((setting) => `SET LOCAL ${setting} = off`),
    copy: onceForEach((table) => `COPY ${target(table.name)} (${list(table.columns)}) FROM STDIN (FORMAT binary)`),
    // Storage and compression come along, so that a value moves on as it would have been stored; AS SELECT would compress it with pglz.
    createStaging: (table) =>
      `CREATE TEMP TABLE ${staging(table)} (LIKE ${target(table.name)} INCLUDING STORAGE INCLUDING COMPRESSION) ON COMMIT DROP`,
    copyStaging: (table) => `COPY ${staging(table)} (${list(table.columns)}) FROM STDIN (FORMAT binary)`,
    dropStaging: (table) => `DROP TABLE ${staging(table)}`,
    dropUnfinished: (table, keys) => dropUnfinished(target(table.name), table, keys),
    merge: (table) =>
      `${insert(table)} ORDER BY ${writeOrder(table)} ON CONFLICT (${list(table.keyColumns)}) ${onConflict(table)} RETURNING ${keySql(table, "t")}`,
    mergeTimeless: (table) =>
      `${insert(table)} WHERE NOT EXISTS (SELECT FROM ${target(table.name)} t WHERE ${same(table, "timeless")})
        ORDER BY ${writeOrder(table)} ON CONFLICT (${list(table.keyColumns)}) DO NOTHING RETURNING ${keySql(table, "t")}`,
    conflicting: (table, identity) =>
      `SELECT ${keySql(table, "s")} FROM ${staging(table)} s JOIN ${target(table.name)} t ON ${same(table, identity)}
        WHERE ${differs(table, identity)}`,
    delivered: (table, identity) =>
      `SELECT ${keySql(table, "s")} FROM ${staging(table)} s JOIN ${target(table.name)} t ON ${same(table, identity)}
        WHERE t.received_at = s.received_at`,
    lockBuckets: (buckets) => `SELECT pg_advisory_xact_lock(${LOCK_CLASS}, bucket) FROM unnest('{${buckets.join(",")}}'::int[]) AS bucket`,
    markHours: (hours) =>
      `INSERT INTO ${target("usage_dirty_hours")} (project_id, hour)
        SELECT p, timestamptz '2000-01-01 00:00:00+00' + h * interval '1 hour'
        FROM unnest('{${hours.map(({ projectId }) => projectId).join(",")}}'::int[], '{${hours.map(({ hour }) => hour).join(",")}}'::bigint[]) AS g (p, h)`,
    insertShared: (table) => insertShared(target(table), table),
  };
}

/** Every transaction asks for it, and it is the same each time. */
function onceForEach(make: (table: TableSpec) => string): (table: TableSpec) => string {
  const made = new Map<TableSpec, string>();
  return (table) => {
    const sql = made.get(table) ?? make(table);
    made.set(table, sql);
    return sql;
  };
}

/** What is finished replaces what is not, never the other way round. No now(): the rows bring their times. */
function onConflict({ completion, columns, keyColumns }: TableSpec): string {
  if (completion === undefined) return "DO NOTHING";
  const changing = columns.filter((column) => !keyColumns.includes(column));
  const assignments = changing.map((column) => `${quote(column)} = excluded.${quote(column)}`);
  const cleared = completion.workedOut.map((column) => `${quote(column)} = NULL`);
  return `DO UPDATE SET ${[...assignments, ...cleared].join(", ")} WHERE ${completion.completes}`;
}

/** A beginning differs from its end by right. A row that was filled in from elsewhere is compared by what it told itself and nothing else holds. */
function differs(table: TableSpec, identity: Identity): string {
  const content = contentColumns(table, identity);
  const inAny = `(${list(content, "t.")}) IS DISTINCT FROM (${list(content, "s.")})`;
  if (identity !== "key" || table.completion === undefined) return inAny;
  const { endColumn, statusColumn, workedOut, told } = table.completion;
  const asFinished = statusColumn === undefined ? `(t.${endColumn} IS NULL) = (s.${endColumn} IS NULL)` : `s.${statusColumn} <> 'pending'`;
  if (workedOut.length === 0) return `${inAny} AND ${asFinished}`;
  const asTold = workedOut.map((column) => `t.${column} IS NULL`).join(" AND ");
  const inTold = told.map((column) => `t.${column} <> s.${column}`);
  return `CASE WHEN ${asTold} THEN ${inAny} ELSE ${inTold.join(" OR ")} END AND ${asFinished}`;
}

/**
 * Keys of spans as array literals, in write order; the range of their times leaves out partitions. It is written so that each key is looked up by the primary
 * key and nothing else can serve: the planner knows nothing of the newest rows, and takes any index for one that finds a single row.
 */
function dropUnfinished(target: string, { completion }: TableSpec, keys: readonly SpanKeyText[]): string {
  const array = (name: keyof SpanKeyText, type: string): string => `'{${keys.map((key) => `"${key[name]}"`).join(",")}}'::${type}[]`;
  const within = (operator: string, time = ""): string => `(t.start_time ${operator} '${time}' OR t.start_time = '${time}')`;
  const range = `${within(">=", keys[0]?.startTime)} AND ${within("<=", keys.at(-1)?.startTime)}`;
  return `DELETE FROM ${target} t
    USING unnest(${array("projectId", "int")}, ${array("traceId", "text")}, ${array("spanId", "text")}, ${array("startTime", "timestamptz")})
      AS k (project_id, trace_id, span_id, start_time),
      LATERAL (SELECT t.tableoid AS part, t.ctid AS place FROM ${target} t
        WHERE t.project_id = k.project_id AND t.trace_id = k.trace_id AND t.span_id = k.span_id AND t.start_time + interval '0' = k.start_time
          AND ${range} AND CASE WHEN ${completion?.unfinished ?? "false"} THEN 1 END = 1 OFFSET 0) AS found
    WHERE t.ctid = found.place AND t.tableoid = found.part AND ${range}`;
}

/** Columns come as arrays, one parameter each. */
function insertShared(target: string, table: "resources" | "scopes"): string {
  const scope = table === "scopes";
  const columns = ["project_id", "id", ...(scope ? ["name", "version"] : []), "attributes", "schema_url", "dropped_attributes_count"];
  const types = ["int", "uuid", ...(scope ? ["text", "text"] : []), "text", "text", "bigint"];
  const parameters = types.map((type, i) => `$${i + 1}::${type}[]`).join(", ");
  const values = columns.map((column) => (column === "attributes" ? `${quote(column)}::jsonb` : quote(column))).join(", ");
  return `INSERT INTO ${target} (${list(columns)}) SELECT ${values} FROM unnest(${parameters}) AS given (${list(columns)})
    ORDER BY project_id, id ON CONFLICT DO NOTHING`;
}

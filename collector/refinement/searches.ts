import type { PendingQuery, Row, Sql, TransactionSql } from "postgres";
import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import { USAGE_OF_WRAPPER } from "../dialects/wrapper-usage.ts";
import {
  MARK_CALL,
  MARK_EVENT,
  MARK_HTTP,
  MARK_RECORD,
  MARK_SCORE,
  MARK_SECOND_CALL,
  MARK_THING,
  MARK_WRAPPER,
} from "../rows/trace-marks.ts";
import { CONTENT_EVENTS } from "./log-content.ts";
import type { TraceRef } from "./look-up.ts";
import { SPEAKS_OF_ANOTHER } from "./read-around.ts";
import { SIGN_OF_CALLS } from "./read-calls.ts";
import type { KnownTrace } from "./trace-memory.ts";

interface Searching {
  readonly sql: Sql;
  readonly schema: string;
  readonly log: Log;
}

/** Traces that one sweep takes up. */
const MAX_TRACES = 50_000;
/** Read by cursor: fifty thousand at once would be most of what the process holds. */
const TRACES_AT_ONCE = 1_000;

/** Of how many traces a sweep looks for calls that came earlier; with a range of times, so that few partitions are read. */
const COMPARED_TRACES = 5_000;
const EARLIER_WITHIN = "1 hour";

/**
 * Traces with calls received since then. Where `waiting` is given, only those that may need a look, because they have more than one call, one that came
 * before, or were waiting for one: of a hundred thousand others nobody need hear.
 */
export async function* tracesSince(
  { sql, schema }: Searching,
  sinceMillis: number,
  waiting?: readonly TraceRef[],
): AsyncGenerator<KnownTrace[]> {
  const since = new Date(sinceMillis);
  const rows = sql`
    WITH lately AS (
      SELECT project_id, trace_id, count(*)::int AS calls, min(start_time) AS first_start, max(start_time) AS last_start,
        ${sql.unsafe(SIGN_OF_CALLS)} AS sign, row_number() OVER (ORDER BY max(received_at) DESC) AS place
      FROM ${sql(schema)}.generation_logs WHERE received_at >= ${since}
      GROUP BY project_id, trace_id
    ), compared AS (
      SELECT *, place <= ${COMPARED_TRACES} AND EXISTS (
        SELECT FROM ${sql(schema)}.generation_logs earlier
        WHERE earlier.project_id = lately.project_id AND earlier.trace_id = lately.trace_id AND earlier.received_at < ${since}
          AND earlier.start_time BETWEEN first_start - ${EARLIER_WITHIN}::interval AND last_start + ${EARLIER_WITHIN}::interval) AS again
      FROM lately
    )
    SELECT project_id, trace_id, calls > 1 OR again AS several, extract(epoch FROM first_start) * 1000 AS from_ms, extract(epoch FROM last_start) * 1000 AS to_ms,
      CASE WHEN NOT again THEN sign END AS sign
    FROM compared
    WHERE ${waiting === undefined} OR calls > 1 OR again OR trace_id = ANY (${(waiting ?? []).map(({ traceId }) => traceId)}::text[])
    ORDER BY place LIMIT ${MAX_TRACES}`;
  for await (const some of rows.cursor(TRACES_AT_ONCE)) {
    yield some.map((row) => ({ ...traceOf(row), bits: row["several"] === true ? MARK_CALL | MARK_SECOND_CALL : MARK_CALL }));
  }
}

/** Bounds the only searches of ours that read spans and log records without a key: once after a start, and given up where an hour holds too many. */
const RECORDS_TIMEOUT = "20s";

/** Traces with anything since then that speaks of calls, which may be still to come. */
export async function partsSince(options: Searching, sinceMillis: number): Promise<KnownTrace[]> {
  return [
    ...(await recordsSince(options, sinceMillis)),
    ...(await eventsSince(options, sinceMillis)),
    ...(await scoresSince(options, sinceMillis)),
    ...(await wrappersSince(options, sinceMillis)),
  ];
}

/** Traces of which records of ours, or requests over HTTP, began since then; records may come without any call. */
const recordsSince = (options: Searching, sinceMillis: number): Promise<KnownTrace[]> =>
  searchOnce(options, sinceMillis, (tx) => ({
    table: "spans",
    time: "start_time",
    bits: tx`CASE WHEN bool_or(attributes ? 'genspan.record') THEN ${MARK_THING | MARK_RECORD}::int ELSE ${MARK_HTTP}::int END`,
    where: tx.unsafe(SPEAKS_OF_ANOTHER),
  }));

/** Traces with content in log events since then, whose calls may be still to come. */
const eventsSince = (options: Searching, sinceMillis: number): Promise<KnownTrace[]> =>
  searchOnce(options, sinceMillis, (tx) => ({
    table: "log_records",
    time: "time",
    bits: tx`${MARK_EVENT}::int`,
    where: tx`trace_id IS NOT NULL AND event_name = ANY(${[...CONTENT_EVENTS]})`,
  }));

/** Traces with evaluations since then: those may stand with another span than the call that they judge. */
const scoresSince = (options: Searching, sinceMillis: number): Promise<KnownTrace[]> =>
  searchOnce(options, sinceMillis, (tx) => ({
    table: "generation_scores",
    time: "time",
    bits: tx`${MARK_SCORE}::int`,
    where: tx`source = 'evaluation'`,
  }));

/** Traces with wrappers that began since then and are not counted. */
const wrappersSince = (options: Searching, sinceMillis: number): Promise<KnownTrace[]> =>
  searchOnce(options, sinceMillis, (tx) => ({
    table: "generation_twins",
    time: "start_time",
    bits: tx`${MARK_WRAPPER}::int`,
    where: tx`additional_metadata ? ${USAGE_OF_WRAPPER}`,
  }));

/** Which rows of a table speak of a trace, by their column of time, and what they mean for it. */
interface Search {
  readonly table: string;
  readonly time: string;
  readonly bits: PendingQuery<Row[]>;
  readonly where: PendingQuery<Row[]>;
}

async function searchOnce(
  { sql, schema, log }: Searching,
  sinceMillis: number,
  searchOf: (tx: TransactionSql) => Search,
): Promise<KnownTrace[]> {
  try {
    const rows = await sql.begin("READ ONLY", async (tx) => {
      await tx`SELECT set_config('statement_timeout', ${RECORDS_TIMEOUT}, true)`;
      const { table, time, bits, where } = searchOf(tx);
      return tx`
        SELECT project_id, trace_id, extract(epoch FROM min(${tx(time)})) * 1000 AS from_ms, extract(epoch FROM max(${tx(time)})) * 1000 AS to_ms, ${bits} AS bits
        FROM ${tx(schema)}.${tx(table)} WHERE ${tx(time)} >= ${new Date(sinceMillis)} AND ${where}
        GROUP BY project_id, trace_id ORDER BY max(received_at) DESC LIMIT ${MAX_TRACES}`;
    });
    return rows.map((row) => ({ ...traceOf(row), bits: Number(row["bits"]) }));
  } catch (error) {
    log.warn({ code: errorCode(error) }, "records of the last hour could not be looked through; what is sent from now on is not affected");
    return [];
  }
}

const traceOf = (row: Row) => ({
  projectId: Number(row["project_id"]),
  traceId: String(row["trace_id"]),
  fromMillis: Number(row["from_ms"]),
  toMillis: Number(row["to_ms"]),
  sign: row["sign"] === null || row["sign"] === undefined ? Number.NaN : Number(row["sign"]),
});

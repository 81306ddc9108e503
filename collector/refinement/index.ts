import type { PendingQuery, Row, Sql, TransactionSql } from "postgres";
import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import { within } from "../base/within.ts";
import { USAGE_OF_WRAPPER } from "../dialects/wrapper-usage.ts";
import {
  MARK_CALL,
  MARK_EVENT,
  MARK_HTTP,
  MARK_RECORD,
  MARK_SECOND_CALL,
  MARK_THING,
  MARK_WRAPPER,
  needsRefinement,
  type TraceMark,
  withMark,
} from "../rows/trace-marks.ts";
import { SPEAKS_OF_ANOTHER, type TraceRef, traceName } from "./evidence.ts";
import { CONTENT_EVENTS } from "./log-content.ts";
import { createOpenTraces } from "./open-traces.ts";
import { refineTraces, tracesWithCalls } from "./store.ts";
import { createTraceMemory, type KnownTrace } from "./trace-memory.ts";

export interface RefinerOptions {
  /** A pool of the writer's own login. */
  readonly sql: Sql;
  readonly schema: string;
  readonly log: Log;
  /** How long rows of a trace are gathered before it is looked at. */
  readonly delayMillis?: number;
  /** How often traces that other collectors wrote are looked for. */
  readonly sweepMillis?: number;
}

/** Brings generation rows in line with what came apart from their spans: twins, log events, attempts, updates. */
export interface Refiner {
  /** Says what a committed request brought. Never throws, never waits. */
  note(projectId: number, marks: readonly TraceMark[]): void;
  /** Resolves when every trace noted so far has been looked at; for tests and for stopping. */
  settled(): Promise<void>;
  /** Looks for traces of which other collectors wrote a part. Runs by the clock, too. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

/** Traces that are remembered at least, so that a late part finds the rest; the sweep finds what was forgotten. */
const REMEMBERED_TRACES = 25_000;
/** Traces that one sweep takes up. */
const MAX_TRACES = 50_000;
/** Parts that mean nothing without a call of their trace. */
const WAITING_PARTS = MARK_HTTP | MARK_RECORD;
/** Traces whose calls one sweep asks for, of which there may be none: most requests over HTTP are ordinary ones. */
const MAX_ASKED = 5_000;
/** Traces looked at by one turn. */
const PER_TURN = 200;
/** A trace is given up after so many tries, until something new arrives for it. */
const MAX_FAILURES = 5;
const DELAY_MS = 250;
/** Pause while the database does not answer. */
const OUTAGE_DELAY_MS = 2_000;
/** How long `stop` waits for a turn that is under way; what it leaves undone is found after the next start. */
const STOP_MS = 2_000;
const SWEEP_MS = 15_000;
/** After a start, rows of this long ago are looked at: a collector may have died between their commit and the look. */
const LOOK_BACK_MS = 3_600_000;

/** Beside the marks of a trace: calls of it that came before it was noted have been asked for. */
const ASKED = 1 << 15;

/** A trace that is to be looked at, and how often that failed. */
interface Known extends KnownTrace {
  failures?: number;
}

export function createRefiner(options: RefinerOptions): Refiner {
  const { log, delayMillis = DELAY_MS, sweepMillis = SWEEP_MS } = options;
  const known = createTraceMemory(REMEMBERED_TRACES);
  const due = new Map<string, Known>();
  const open = createOpenTraces<Known>();
  let turn: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function remember(projectId: number, mark: TraceMark): Known {
    const before = known.get(projectId, mark.traceId);
    const trace = before === undefined ? { ...mark, projectId } : merged(before, mark);
    known.set(trace);
    return trace;
  }

  function schedule(afterMillis = delayMillis): void {
    if (stopped || turn !== undefined || timer !== undefined || due.size === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      turn = work().then((reached) => {
        turn = undefined;
        schedule(reached ? delayMillis : OUTAGE_DELAY_MS);
      });
    }, afterMillis);
  }

  /** Looks at the traces that have waited longest. False when the database could not be reached: they stay due then. */
  async function work(): Promise<boolean> {
    const taken: [string, Known][] = [];
    for (const entry of due) if (taken.push(entry) === PER_TURN) break;
    for (const [key] of taken) due.delete(key);
    try {
      await refine(taken);
      return true;
    } catch (error) {
      if (!isAnswer(error)) {
        for (const [key, trace] of taken) due.set(key, trace);
        log.warn({ code: errorCode(error) }, "rows of traces could not be brought together; it is tried again");
        return false;
      }
      if (taken.length > 1) await oneByOne(taken);
      else for (const [key, trace] of taken) retryLater(key, trace, error);
      return true;
    }
  }

  async function refine(taken: readonly (readonly [string, Known])[]): Promise<void> {
    const found = await refineTraces(
      options,
      taken.map(([, trace]) => trace),
    );
    open.note(new Map(taken), found);
  }

  /** One trace that cannot be refined must not keep the others waiting. */
  async function oneByOne(taken: readonly (readonly [string, Known])[]): Promise<void> {
    for (const [key, trace] of taken) {
      if (stopped) return;
      try {
        await refine([[key, trace]]);
      } catch (error) {
        retryLater(key, trace, error);
      }
    }
  }

  function retryLater(key: string, trace: Known, error: unknown): void {
    trace.failures = (trace.failures ?? 0) + 1;
    log.warn({ code: errorCode(error), failures: trace.failures }, "the rows of a trace could not be brought together");
    if (trace.failures < MAX_FAILURES && !stopped) due.set(key, trace);
  }

  /** Traces in which a call that another collector writes changes something. */
  const waiting = (): Known[] => known.where((bits) => (bits & MARK_CALL) === 0 || (bits & MARK_WRAPPER) !== 0);

  let sweptUntil = Date.now() - LOOK_BACK_MS;
  let first = true;

  /** The first sweep looks at everything lately received: who wrote it may have died before it looked, and what it waited for comes to us. */
  async function sweep(): Promise<void> {
    const until = Date.now() - 2 * sweepMillis;
    const lately = await tracesSince(options, sweptUntil, first ? undefined : waiting());
    const parts = first ? await partsSince(options, sweptUntil) : [];
    for (const trace of [...lately, ...parts]) {
      const key = traceName(trace);
      const bits = first ? remember(trace.projectId, trace).bits : (known.get(trace.projectId, trace.traceId)?.bits ?? 0) | trace.bits;
      if (needsRefinement(bits) || (first && (bits & MARK_CALL) !== 0)) due.set(key, { ...trace, bits });
    }
    for (const [key, trace] of open.toLookAt()) due.set(key, trace);
    await findEarlierCalls();
    first = false;
    sweptUntil = until;
    schedule();
  }

  /** A late part of a call comes here while its call was written long ago by another collector: each such trace is asked for once. */
  async function findEarlierCalls(): Promise<void> {
    const unasked = waiting().filter(({ bits }) => (bits & ASKED) === 0 && (bits & WAITING_PARTS) !== 0);
    const asking = unasked.slice(0, MAX_ASKED);
    for (const trace of asking) known.set({ ...trace, bits: trace.bits | ASKED });
    const found = await tracesWithCalls(options, asking);
    for (const trace of asking) if (found.has(traceName(trace))) due.set(traceName(trace), trace);
  }

  const sweeper = setInterval(() => {
    sweep().catch((error: unknown) =>
      log.warn({ code: errorCode(error) }, "lately received rows could not be looked through; it is tried again"),
    );
  }, sweepMillis);
  sweeper.unref();

  return {
    note(projectId, marks) {
      for (const mark of marks) {
        const trace = remember(projectId, mark);
        if (needsRefinement(trace.bits)) due.set(traceName(trace), trace);
      }
      schedule();
    },
    sweep,
    async settled() {
      while (due.size > 0 || turn !== undefined || timer !== undefined) {
        if (turn === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
        else await turn;
      }
    },
    async stop() {
      stopped = true;
      clearInterval(sweeper);
      clearTimeout(timer);
      timer = undefined;
      await within(turn ?? Promise.resolve(), STOP_MS).catch(() => {});
    },
  };
}

/** A mark on top of what is known; something new is a reason to ask again. */
function merged(before: KnownTrace, mark: TraceMark): KnownTrace {
  const both = withMark(before, mark);
  const isNew = (before.bits & mark.bits) !== mark.bits;
  return { ...both, projectId: before.projectId, bits: isNew ? both.bits & ~ASKED : both.bits };
}

/** Classes of SQLSTATE that speak of the server's state and not of the statement: connection, resources, shutdown. */
const OUTAGE = /^(08|53|57)/;

/** Whether the database has answered that these rows cannot be worked on, rather than not at all. */
const isAnswer = (error: unknown): boolean => /^[0-9A-Z]{5}$/.test(errorCode(error)) && !OUTAGE.test(errorCode(error));

/** Of how many traces a sweep looks for calls that came earlier; with a range of times, so that few partitions are read. */
const COMPARED_TRACES = 5_000;
const EARLIER_WITHIN = "1 hour";

/**
 * Traces with calls received since then. Where `waiting` is given, only those that may need a look, because they have more than one call, one that came
 * before, or were waiting for one: of a hundred thousand others nobody need hear.
 */
async function tracesSince({ sql, schema }: RefinerOptions, sinceMillis: number, waiting?: readonly TraceRef[]): Promise<Known[]> {
  const since = new Date(sinceMillis);
  const rows = await sql`
    WITH lately AS (
      SELECT project_id, trace_id, count(*)::int AS calls, min(start_time) AS first_start, max(start_time) AS last_start,
        row_number() OVER (ORDER BY max(received_at) DESC) AS place
      FROM ${sql(schema)}.generation_logs WHERE received_at >= ${since}
      GROUP BY project_id, trace_id
    ), compared AS (
      SELECT *, place <= ${COMPARED_TRACES} AND EXISTS (
        SELECT FROM ${sql(schema)}.generation_logs earlier
        WHERE earlier.project_id = lately.project_id AND earlier.trace_id = lately.trace_id AND earlier.received_at < ${since}
          AND earlier.start_time BETWEEN first_start - ${EARLIER_WITHIN}::interval AND last_start + ${EARLIER_WITHIN}::interval) AS again
      FROM lately
    )
    SELECT project_id, trace_id, calls > 1 OR again AS several, extract(epoch FROM first_start) * 1000 AS from_ms, extract(epoch FROM last_start) * 1000 AS to_ms
    FROM compared
    WHERE ${waiting === undefined} OR calls > 1 OR again OR trace_id = ANY (${(waiting ?? []).map(({ traceId }) => traceId)}::text[])
    ORDER BY place LIMIT ${MAX_TRACES}`;
  return rows.map((row) => ({ ...traceOf(row), bits: row["several"] === true ? MARK_CALL | MARK_SECOND_CALL : MARK_CALL }));
}

/** Bounds the only searches of ours that read spans and log records without a key: once after a start, and given up where an hour holds too many. */
const RECORDS_TIMEOUT = "20s";

/** Traces with anything since then that speaks of calls, which may be still to come. */
async function partsSince(options: RefinerOptions, sinceMillis: number): Promise<Known[]> {
  return [
    ...(await recordsSince(options, sinceMillis)),
    ...(await eventsSince(options, sinceMillis)),
    ...(await wrappersSince(options, sinceMillis)),
  ];
}

/** Traces of which records of ours, or requests over HTTP, began since then; records may come without any call. */
const recordsSince = (options: RefinerOptions, sinceMillis: number): Promise<Known[]> =>
  searchOnce(options, sinceMillis, (tx) => ({
    table: "spans",
    time: "start_time",
    bits: tx`CASE WHEN bool_or(attributes ? 'genspan.record') THEN ${MARK_THING | MARK_RECORD}::int ELSE ${MARK_HTTP}::int END`,
    where: tx.unsafe(SPEAKS_OF_ANOTHER),
  }));

/** Traces with content in log events since then, whose calls may be still to come. */
const eventsSince = (options: RefinerOptions, sinceMillis: number): Promise<Known[]> =>
  searchOnce(options, sinceMillis, (tx) => ({
    table: "log_records",
    time: "time",
    bits: tx`${MARK_EVENT}::int`,
    where: tx`trace_id IS NOT NULL AND event_name = ANY(${[...CONTENT_EVENTS]})`,
  }));

/** Traces with wrappers that began since then and are not counted. */
const wrappersSince = (options: RefinerOptions, sinceMillis: number): Promise<Known[]> =>
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
  { sql, schema, log }: RefinerOptions,
  sinceMillis: number,
  searchOf: (tx: TransactionSql) => Search,
): Promise<Known[]> {
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
});

import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "../../schema/connect.ts";
import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import { runUnderLease } from "./lease.ts";

export interface ReaperOptions {
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  /** Unique per collector. */
  readonly holder: string;
  readonly log: Log;
  /** A call that was announced this long ago, without a word since, has timed out. */
  readonly pendingTimeoutMillis: number;
  readonly intervalMillis?: number;
}

export interface Reaper {
  /** Rows that became `timeout`; undefined where another collector is at it. */
  runOnce(): Promise<number | undefined>;
  start(): void;
  stop(): Promise<void>;
}

/** error_type of a call whose end was never reported; the final span, should it still come, replaces the row. */
export const NEVER_ENDED = "genspan.never_ended";

const INTERVAL_MS = 60_000;
/** How long `stop` waits for a statement under way: what it has done stays right, and the rest is found by the next one. */
const STOP_MS = 2_000;
const LEASE_TTL_MS = 60_000;
/** Rows of one statement: short locks, and a table full of them is worked off in turns. */
const BATCH = 1_000;

/** Turns calls that stayed pending too long into `timeout`: their process died, or its last export was lost. */
export function createReaper(options: ReaperOptions): Reaper {
  const { sql, schema, holder, log } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();

  const runOnce = (): Promise<number | undefined> =>
    runUnderLease(sql, { schema, holder, job: "reaper", ttlMillis: LEASE_TTL_MS }, async (lost) => {
      let reaped = 0;
      while (!lost.aborted) {
        const count = await reapBatch(options);
        reaped += count;
        if (count < BATCH) break;
      }
      if (reaped > 0) log.info({ generations: reaped }, "generations never ended and are now timeouts");
      return reaped;
    });

  const runLogged = (): void => {
    running = running.then(runOnce).catch((error: unknown) => {
      log.warn({ code: errorCode(error) }, "pending generations could not be looked through; it is tried again");
    });
  };

  return {
    runOnce,
    start() {
      runLogged();
      timer = setInterval(runLogged, options.intervalMillis ?? INTERVAL_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await Promise.race([running, sleep(STOP_MS, undefined, { ref: false })]);
    },
  };
}

/** All times are the collector's that received the record: a row is judged by when it came, not by a clock of its sender. */
async function reapBatch({ sql, schema, pendingTimeoutMillis }: ReaperOptions): Promise<number> {
  const [reaped] = await sql<[{ calls: number }]>`
    WITH reaped AS (
      UPDATE ${sql(schema)}.generation_logs t SET generation_status = 'timeout', error_type = ${NEVER_ENDED}, updated_at = clock_timestamp(),
        error_message = 'the call was announced and its end was never reported'
      FROM (
        SELECT project_id, trace_id, span_id, start_time FROM ${sql(schema)}.generation_logs
        WHERE generation_status = 'pending' AND received_at < clock_timestamp() - make_interval(secs => ${pendingTimeoutMillis / 1000})
        ORDER BY project_id, start_time, trace_id, span_id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
      ) s
      WHERE t.project_id = s.project_id AND t.trace_id = s.trace_id AND t.span_id = s.span_id AND t.start_time = s.start_time
        AND t.generation_status = 'pending'
      RETURNING t.project_id, t.start_time
    ), marked AS (
      INSERT INTO ${sql(schema)}.usage_dirty_hours (project_id, hour) SELECT DISTINCT project_id, date_trunc('hour', start_time, 'UTC') FROM reaped
    )
    SELECT count(*)::int AS calls FROM reaped`;
  return reaped.calls;
}

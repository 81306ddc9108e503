import { createLeasedJob, type Job, type JobOptions } from "./leased-job.ts";

export interface ReaperOptions extends JobOptions {
  /** A call that was announced this long ago, without a word since, has timed out. */
  readonly pendingTimeoutMillis: number;
}

/** error_type of a call whose end was never reported; the final span, should it still come, replaces the row. */
export const NEVER_ENDED = "genspan.never_ended";

/** How often it is looked; more often where the time allowed is shorter. */
const INTERVAL_MS = 60_000;
const LEASE_TTL_MS = 60_000;
/** Rows of one statement: short locks, and a table full of them is worked off in turns. */
const BATCH = 1_000;

/** Turns calls that stayed pending too long into `timeout`: their process died, or its last export was lost. Counts the rows. */
export const createReaper = (options: ReaperOptions): Job<number> =>
  createLeasedJob(options, {
    name: "reaper",
    everyMillis: Math.min(INTERVAL_MS, options.pendingTimeoutMillis),
    leaseTtlMillis: LEASE_TTL_MS,
    failure: "pending generations could not be looked through; it is tried again",
    async work(signal) {
      let reaped = 0;
      while (!signal.aborted) {
        const count = await reapBatch(options);
        reaped += count;
        if (count < BATCH) break;
      }
      if (reaped > 0) options.log.info({ generations: reaped }, "generations never ended and are now timeouts");
      return reaped;
    },
  });

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

import type { TransactionSql } from "../../schema/connect.ts";
import { BUCKET_SQL } from "../query/usage/histogram.ts";
import { createLeasedJob, type Job, type JobOptions } from "./leased-job.ts";

export interface UsageRollupOptions extends JobOptions {
  /** An hour is summed up when it has been over for this long: until then, every batch would make its sums anew. */
  readonly settleMillis?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const INTERVAL_MS = 15_000;
const SETTLE_MS = 120_000;
const LEASE_TTL_MS = 120_000;
/** Hours of one transaction: it holds no lock that a writer waits for, but its snapshot keeps old row versions. */
const HOURS_PER_TURN = 48;

/** What identifies a row of sums. */
const DIMENSIONS = `service_name, environment, provider_name, model_name, operation_name, prompt_template_name, prompt_template_version, cost_currency`;

/** Sums that add up: over hours to days as over rows to hours. */
const ADDITIVE =
  `generations succeeded failed timed_out pending approved rejected pending_review unpriced tokens_prompt tokens_completion tokens_reasoning
  tokens_cache_read tokens_cache_write tokens_total tokens_known cost_amount duration_known duration_sum_ms`.split(/\s+/);

/** Keeps usage_hours and usage_days in line with the rows: hours noted as dirty are summed up anew, never added to. Counts the hours. */
export const createUsageRollup = (options: UsageRollupOptions): Job<number> =>
  createLeasedJob(options, {
    name: "usage",
    everyMillis: INTERVAL_MS,
    leaseTtlMillis: LEASE_TTL_MS,
    failure: "usage could not be summed up; reports read the rows until it is",
    async work(signal) {
      let hours = 0;
      while (!signal.aborted) {
        const count = await rollUp(options);
        hours += count;
        if (count < HOURS_PER_TURN) break;
      }
      return hours;
    },
  });

interface Hours {
  readonly projects: number[];
  readonly hours: string[];
}

/**
 * One turn. The notes are taken first and the rows are read after them: what a writer commits in between is in the sums, and its own note, which this
 * transaction has not taken, makes the hour dirty again. Nothing is lost either way.
 */
function rollUp({ sql, schema, settleMillis = SETTLE_MS, now = Date.now }: UsageRollupOptions): Promise<number> {
  return sql.begin(async (tx) => {
    await tx`SELECT set_config('search_path', quote_ident(${schema}), true), set_config('jit', 'off', true)`;
    const settled = new Date(now() - settleMillis);
    const notes = await tx<{ project_id: number; hour: string; ready: boolean }[]>`
      WITH taken AS (DELETE FROM usage_dirty_hours RETURNING project_id, hour)
      SELECT DISTINCT project_id, hour::text AS hour, hour + interval '1 hour' <= ${settled} AS ready FROM taken ORDER BY hour, project_id`;
    const ready = notes.filter((note) => note.ready).slice(0, HOURS_PER_TURN);
    const kept = notes.filter((note) => !ready.includes(note));
    await tx`INSERT INTO usage_dirty_hours SELECT * FROM unnest(${kept.map((note) => note.project_id)}::int[], ${kept.map((note) => note.hour)}::text[]::timestamptz[])`;
    if (ready.length === 0) return 0;
    const touched = { projects: ready.map((note) => note.project_id), hours: ready.map((note) => note.hour) };
    await sumHours(tx, touched);
    await sumDays(tx, touched, settled);
    await passOnToWords(tx, touched);
    return ready.length;
  });
}

/** Their texts may have changed as well: signatures of them go at once, and are made again by a job of their own. */
async function passOnToWords(tx: TransactionSql, { projects, hours }: Hours): Promise<void> {
  const touched = tx`unnest(${projects}::int[], ${hours}::text[]::timestamptz[]) AS touched (project_id, hour)`;
  await tx`DELETE FROM word_signatures s USING ${touched} WHERE s.project_id = touched.project_id AND s.hour = touched.hour`;
  await tx`INSERT INTO word_dirty_hours (project_id, hour, noted_at) SELECT project_id, hour, clock_timestamp() FROM ${touched}`;
}

async function sumHours(tx: TransactionSql, { projects, hours }: Hours): Promise<void> {
  const touched = tx`unnest(${projects}::int[], ${hours}::text[]::timestamptz[]) AS touched (project_id, hour)`;
  await tx`DELETE FROM usage_hours u USING ${touched} WHERE u.project_id = touched.project_id AND u.hour = touched.hour`;
  await tx`
    INSERT INTO usage_hours (project_id, hour, ${tx.unsafe(DIMENSIONS)}, ${tx.unsafe(ADDITIVE.join(", "))}, duration_buckets, duration_counts)
    SELECT project_id, hour, ${tx.unsafe(DIMENSIONS)}, ${tx.unsafe(summed(""))},
      array_agg(bucket ORDER BY bucket) FILTER (WHERE bucket IS NOT NULL), array_agg(duration_known ORDER BY bucket) FILTER (WHERE bucket IS NOT NULL)
    FROM (
      SELECT touched.project_id, touched.hour, ${tx.unsafe(DIMENSIONS)}, ${tx.unsafe(BUCKET_SQL)} AS bucket,
        count(*) AS generations, count(*) FILTER (WHERE generation_status = 'success') AS succeeded,
        count(*) FILTER (WHERE generation_status = 'failed') AS failed, count(*) FILTER (WHERE generation_status = 'timeout') AS timed_out,
        count(*) FILTER (WHERE generation_status = 'pending') AS pending, count(*) FILTER (WHERE quality_status = 'approved') AS approved,
        count(*) FILTER (WHERE quality_status = 'rejected') AS rejected, count(*) FILTER (WHERE quality_status = 'pending_review') AS pending_review,
        count(*) FILTER (WHERE generation_status = 'success' AND cost_amount IS NULL) AS unpriced, sum(tokens_prompt) AS tokens_prompt,
        sum(tokens_completion) AS tokens_completion, sum(tokens_reasoning) AS tokens_reasoning, sum(tokens_cache_read) AS tokens_cache_read,
        sum(tokens_cache_write) AS tokens_cache_write, sum(tokens_total) AS tokens_total, count(tokens_total) AS tokens_known,
        sum(cost_amount) AS cost_amount, count(duration_ms) AS duration_known, sum(duration_ms) AS duration_sum_ms
      FROM ${touched} JOIN generation_logs g ON g.project_id = touched.project_id AND g.start_time >= touched.hour AND g.start_time < touched.hour + interval '1 hour'
      GROUP BY touched.project_id, touched.hour, ${tx.unsafe(DIMENSIONS)}, bucket
    ) AS bucketed GROUP BY project_id, hour, ${tx.unsafe(DIMENSIONS)}`;
}

const summed = (prefix: string): string => ADDITIVE.map((column) => `sum(${prefix}${column})`).join(", ");

/** Days that are over. A day that was summed up before and whose hours change is summed up again in the same transaction. */
async function sumDays(tx: TransactionSql, { projects, hours }: Hours, settled: Date): Promise<void> {
  const days = tx`(
    SELECT DISTINCT project_id, date_trunc('day', hour, 'UTC') AS day FROM unnest(${projects}::int[], ${hours}::text[]::timestamptz[]) AS h (project_id, hour)
  ) AS touched`;
  await tx`DELETE FROM usage_days u USING ${days} WHERE u.project_id = touched.project_id AND u.day = touched.day`;
  const inDay = tx`h.project_id = touched.project_id AND h.hour >= touched.day AND h.hour < touched.day + interval '1 day'`;
  const same = tx.unsafe(
    DIMENSIONS.split(", ")
      .map((column) => `s.${column} IS NOT DISTINCT FROM b.${column}`)
      .join(" AND "),
  );
  await tx`
    WITH sums AS (
      SELECT touched.project_id, touched.day, ${tx.unsafe(DIMENSIONS)}, ${tx.unsafe(ADDITIVE.map((column) => `sum(${column}) AS ${column}`).join(", "))}
      FROM ${days} JOIN usage_hours h ON ${inDay} WHERE touched.day + interval '1 day' <= ${settled}
      GROUP BY touched.project_id, touched.day, ${tx.unsafe(DIMENSIONS)}
    ), buckets AS (
      SELECT project_id, day, ${tx.unsafe(DIMENSIONS)}, array_agg(bucket ORDER BY bucket) AS duration_buckets, array_agg(calls ORDER BY bucket) AS duration_counts
      FROM (
        SELECT touched.project_id, touched.day, ${tx.unsafe(DIMENSIONS)}, bucket, sum(calls)::bigint AS calls
        FROM ${days} JOIN usage_hours h ON ${inDay} CROSS JOIN LATERAL unnest(h.duration_buckets, h.duration_counts) AS d (bucket, calls)
        GROUP BY touched.project_id, touched.day, ${tx.unsafe(DIMENSIONS)}, bucket
      ) AS merged GROUP BY project_id, day, ${tx.unsafe(DIMENSIONS)}
    )
    INSERT INTO usage_days (project_id, day, ${tx.unsafe(DIMENSIONS)}, ${tx.unsafe(ADDITIVE.join(", "))}, duration_buckets, duration_counts)
    SELECT s.project_id, s.day, ${tx.unsafe(
      DIMENSIONS.split(", ")
        .map((column) => `s.${column}`)
        .join(", "),
    )},
      ${tx.unsafe(ADDITIVE.map((column) => `s.${column}`).join(", "))}, b.duration_buckets, b.duration_counts
    FROM sums s LEFT JOIN buckets b ON s.project_id = b.project_id AND s.day = b.day AND ${same}`;
}

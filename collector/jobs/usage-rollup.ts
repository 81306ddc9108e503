import type { TransactionSql } from "../../schema/connect.ts";
import { UNPRICED_SQL } from "../query/cost.ts";
import { HISTOGRAM_SQL } from "../query/usage/histogram.ts";
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

const countOf = (condition: string): string => `count(*) FILTER (WHERE ${condition})`;

/** Sums by their column, as they are made from rows. They add up: over hours to days as over rows to hours. */
const SUMS: Readonly<Record<string, string>> = {
  generations: "count(*)",
  succeeded: countOf("generation_status = 'success'"),
  failed: countOf("generation_status = 'failed'"),
  timed_out: countOf("generation_status = 'timeout'"),
  pending: countOf("generation_status = 'pending'"),
  approved: countOf("quality_status = 'approved'"),
  rejected: countOf("quality_status = 'rejected'"),
  pending_review: countOf("quality_status = 'pending_review'"),
  unpriced: countOf(UNPRICED_SQL),
  tokens_prompt: "sum(tokens_prompt)",
  tokens_completion: "sum(tokens_completion)",
  tokens_reasoning: "sum(tokens_reasoning)",
  tokens_cache_read: "sum(tokens_cache_read)",
  tokens_cache_write: "sum(tokens_cache_write)",
  tokens_total: "sum(tokens_total)",
  tokens_known: "count(tokens_total)",
  cost_amount: "sum(cost_amount)",
  duration_known: "count(duration_ms)",
  duration_sum_ms: "sum(duration_ms)",
  durations: `sum(${HISTOGRAM_SQL})`,
};
const COLUMNS = [DIMENSIONS, ...Object.keys(SUMS)].join(", ");
const OF_ROWS = [DIMENSIONS, ...Object.values(SUMS)].join(", ");
const OF_HOURS = [DIMENSIONS, ...Object.keys(SUMS).map((column) => `sum(${column})`)].join(", ");

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
    INSERT INTO usage_hours (project_id, hour, ${tx.unsafe(COLUMNS)})
    SELECT touched.project_id, touched.hour, ${tx.unsafe(OF_ROWS)}
    FROM ${touched} JOIN generation_logs g ON g.project_id = touched.project_id AND g.start_time >= touched.hour AND g.start_time < touched.hour + interval '1 hour'
    GROUP BY touched.project_id, touched.hour, ${tx.unsafe(DIMENSIONS)}`;
}

/** Days that are over. A day that was summed up before and whose hours change is summed up again in the same transaction. */
async function sumDays(tx: TransactionSql, { projects, hours }: Hours, settled: Date): Promise<void> {
  const days = tx`(
    SELECT DISTINCT project_id, date_trunc('day', hour, 'UTC') AS day FROM unnest(${projects}::int[], ${hours}::text[]::timestamptz[]) AS h (project_id, hour)
  ) AS touched`;
  await tx`DELETE FROM usage_days u USING ${days} WHERE u.project_id = touched.project_id AND u.day = touched.day`;
  await tx`
    INSERT INTO usage_days (project_id, day, ${tx.unsafe(COLUMNS)})
    SELECT touched.project_id, touched.day, ${tx.unsafe(OF_HOURS)}
    FROM ${days} JOIN usage_hours h ON h.project_id = touched.project_id AND h.hour >= touched.day AND h.hour < touched.day + interval '1 day'
    WHERE touched.day + interval '1 day' <= ${settled} GROUP BY touched.project_id, touched.day, ${tx.unsafe(DIMENSIONS)}`;
}

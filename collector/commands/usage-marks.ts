import type { ISql } from "postgres";

/** Calls of one project that began in a range of time. */
export interface TouchedCalls {
  readonly projectId: number;
  readonly startMillis: readonly number[];
}

const HOUR_MS = 3_600_000;

/**
 * Notes that sums of these hours, and signatures of their texts, must be made anew. Whoever changes or removes rows of generation_logs says so in the same transaction: then no sum is ever
 * taken from the rollup that the rows do not confirm.
 */
export async function markUsage(tx: ISql, schema: string, { projectId, startMillis }: TouchedCalls): Promise<void> {
  const hours = [...new Set(startMillis.map((millis) => Math.floor(millis / HOUR_MS)))];
  if (hours.length === 0) return;
  await tx`INSERT INTO ${tx(schema)}.usage_dirty_hours (project_id, hour)
    SELECT ${projectId}, to_timestamp(h * 3600) FROM unnest(${hours.map(String)}::bigint[]) AS h`;
}

/** The same for calls by the text of their start_time. */
export async function markUsageAt(
  tx: ISql,
  schema: string,
  calls: readonly { readonly projectId: number; readonly startTime: string }[],
): Promise<void> {
  if (calls.length === 0) return;
  await tx`INSERT INTO ${tx(schema)}.usage_dirty_hours (project_id, hour)
    SELECT DISTINCT project_id, date_trunc('hour', start_time::timestamptz, 'UTC')
    FROM unnest(${calls.map(({ projectId }) => projectId)}::int[], ${calls.map(({ startTime }) => startTime)}::text[]) AS c (project_id, start_time)`;
}

/** The same for all calls that began before a time. */
export async function markUsageBefore(tx: ISql, schema: string, before: Date): Promise<void> {
  await tx`INSERT INTO ${tx(schema)}.usage_dirty_hours (project_id, hour)
    SELECT DISTINCT project_id, hour FROM ${tx(schema)}.usage_hours WHERE hour < ${before}`;
}

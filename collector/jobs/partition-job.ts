import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { createSchedule } from "../base/schedule.ts";
import { runUnderLease } from "./lease.ts";
import type { Job, JobOptions } from "./leased-job.ts";
import { maintainPartitions, type PartitionReport, readDefaultRows } from "./partitions.ts";
import { dropExpired, type RetentionReport } from "./retention.ts";

const INTERVAL_MS = 10 * 60_000;
const LEASE_TTL_MS = 60_000;

export interface PartitionJobOptions extends JobOptions {
  readonly metrics: Pick<Metrics, "defaultPartitionRows">;
  /** Telemetry older than this is removed; 0 (the default) removes nothing. */
  readonly retentionMillis?: number;
}

/** What one run made, and what it removed where there is a retention. */
export type PartitionJobReport = PartitionReport & { readonly expired: RetentionReport | undefined };

/**
 * Keeps the partitions ahead of the clock. A rebuild may take minutes; one that is broken off changes nothing, and the next run cleans up after it.
 */
export function createPartitionJob(options: PartitionJobOptions): Job<PartitionJobReport> {
  const { sql, schema, holder, log, metrics, retentionMillis = 0 } = options;

  /** Removes before it merges: what goes need not be rewritten first. */
  async function work(signal: AbortSignal): Promise<PartitionJobReport> {
    const now = new Date();
    const expired =
      retentionMillis > 0 ? await dropExpired(sql, { schema, before: new Date(now.getTime() - retentionMillis), signal }) : undefined;
    return { ...(await maintainPartitions(sql, { schema, now, signal })), expired };
  }

  async function measure(): Promise<void> {
    const { rows, failed } = await readDefaultRows(sql, schema);
    for (const [table, count] of Object.entries(rows)) metrics.defaultPartitionRows.set({ table }, count);
    if (!stopping.aborted) for (const failure of failed) log.warn(failure, "the rows of a DEFAULT partition could not be counted");
  }

  async function runOnce(): Promise<PartitionJobReport | undefined> {
    try {
      const lease = { schema, holder, job: "partitions", ttlMillis: LEASE_TTL_MS };
      const report = await runUnderLease(sql, lease, (lost) => work(AbortSignal.any([lost, stopping])));
      if (report !== undefined) logReport(log, report);
      return report;
    } finally {
      // Every collector measures, also where maintenance fails: this is the alarm for it.
      await measure();
    }
  }

  const { start, stop, stopping } = createSchedule({
    run: runOnce,
    everyMillis: options.intervalMillis ?? INTERVAL_MS,
    onError: (error) => log.error({ code: errorCode(error) }, "partition maintenance failed; ingest goes on into DEFAULT"),
  });
  return { runOnce, start, stop };
}

function logReport(log: Log, { created, merged, busy, blocked, failed, expired }: PartitionJobReport): void {
  if (created.length > 0) log.info({ partitions: created.length }, "partitions made");
  if (merged.length > 0) log.info({ partitions: merged.length }, "partitions merged");
  if (expired !== undefined && expired.dropped.length + expired.deletedRows > 0)
    log.info({ partitions: expired.dropped.length, rows: expired.deletedRows }, "expired telemetry removed");
  const waiting = [...new Set([...busy, ...(expired?.busy ?? [])])];
  if (waiting.length > 0) log.warn({ tables: waiting }, "tables were too busy for their partitions; trying again later");
  for (const relation of blocked)
    log.error(
      { relation },
      "a relation that genspan did not make has the name of a partition: rename it; until then those rows stay in DEFAULT",
    );
  for (const { relation, code } of [...failed, ...(expired?.failed ?? [])])
    log.error({ relation, code }, "partition maintenance failed for one relation, the others are done; ingest goes on");
}

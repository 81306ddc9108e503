import type { Sql } from "../../schema/connect.ts";
import { deleteDefaultBatch, dropPartition, PARTITIONED_TABLES, readPartitions, type Target } from "../../schema/partitions.ts";

export interface RetentionOptions {
  readonly schema: string;
  /** Rows of an earlier time go. */
  readonly before: Date;
  /** Rows deleted from DEFAULT per transaction. */
  readonly batchRows?: number;
  readonly signal?: AbortSignal;
}

export interface RetentionReport {
  /** Names of the partitions dropped. */
  readonly dropped: string[];
  /** Rows deleted from DEFAULT partitions. */
  readonly deletedRows: number;
  /** Tables that could not be locked; the next run tries again. */
  readonly busy: string[];
}

const BATCH_ROWS = 5_000;

/**
 * Removes telemetry of before a time: whole partitions are dropped, and rows are deleted, in batches, only from DEFAULT, where rows that come
 * after their partition was dropped go. A partition that holds the boundary stays until all of it is past. Run it under a lease.
 */
export async function dropExpired(sql: Sql, options: RetentionOptions): Promise<RetentionReport> {
  const report = { dropped: [] as string[], deletedRows: 0, busy: [] as string[] };
  for (const table of PARTITIONED_TABLES) {
    const target: Target = { sql, schema: options.schema, table };
    for (const partition of await readPartitions(target)) {
      if (options.signal?.aborted) return report;
      if (partition.to > options.before) break;
      const change = await dropPartition(target, partition.name);
      if (change.kind === "done") report.dropped.push(change.value);
      else report.busy.push(table.name);
    }
    report.deletedRows += await emptyDefault(target, options);
  }
  return report;
}

async function emptyDefault(target: Target, { before, batchRows = BATCH_ROWS, signal }: RetentionOptions): Promise<number> {
  let deleted = 0;
  for (;;) {
    if (signal?.aborted) return deleted;
    const batch = await deleteDefaultBatch(target, before, batchRows);
    deleted += batch;
    if (batch < batchRows) return deleted;
  }
}

import { withoutHaste } from "../../schema/brief-locks.ts";
import type { Sql } from "../../schema/connect.ts";
import {
  deleteDefaultBatch,
  dropPartition,
  namesIn,
  PARTITIONED_TABLES,
  type Partition,
  type PartitionedTable,
  readPartitions,
  type Target,
} from "../../schema/partitions.ts";
import { releaseAll } from "../commands/origins/release.ts";
import { markUsageBefore } from "../commands/usage-marks.ts";
import { POINTING_TABLES } from "../model/span-tables.ts";
import { noteBusy, type Step, type Unfinished, unlessFailed } from "./unfinished.ts";

export interface RetentionOptions {
  readonly schema: string;
  /** Rows of an earlier time go. */
  readonly before: Date;
  /** Rows deleted per transaction where they are deleted one by one. */
  readonly batchRows?: number;
  readonly signal?: AbortSignal;
}

/** `failed` are such as a partition that a view of somebody's reads. */
export interface RetentionReport extends Unfinished {
  /** Names of the partitions dropped. */
  readonly dropped: string[];
  /** Rows deleted from DEFAULT partitions and from tables without partitions. */
  readonly deletedRows: number;
}

/** What a run would remove of one table or partition. */
export interface ExpiredRows {
  readonly table: string;
  /** Null where rows are deleted one by one. */
  readonly partition: string | null;
  readonly rows: number;
}

const BATCH_ROWS = 5_000;

/** Partitions with rows that point to resources. */
const POINTING = new RegExp(`^(${POINTING_TABLES.join("|")})_`);

/** Tables without partitions, and what says how old a row is. Binary content goes when no output points to it any more. */
const SMALL_TABLES = [
  { name: "image_traces", expired: "created_at < $1" },
  { name: "generation_items", expired: "created_at < $1" },
  { name: "generation_runs", expired: "started_at < $1 AND status <> 'running'" },
  { name: "ingest_rejected", expired: "received_at < $1" },
  {
    name: "blobs",
    expired: "received_at < $1 AND NOT EXISTS (SELECT FROM outputs o WHERE o.project_id = t.project_id AND o.blob_hash = t.hash)",
  },
] as const;

/**
 * Removes telemetry of before a time: whole partitions are dropped, and rows are deleted, in batches, only from small tables and from DEFAULT, where
 * rows that come after their partition was dropped go. Resources and scopes go when partitions went and nothing points to them any more. A partition that holds the boundary stays until all of it is past. Run it under a lease.
 */
export async function dropExpired(sql: Sql, options: RetentionOptions): Promise<RetentionReport> {
  const { schema, before, signal } = options;
  const report = { dropped: [] as string[], deletedRows: 0, busy: [], failed: [] } satisfies RetentionReport;
  const step = (table: string, relation = table): Step => ({ report, table, relation, signal });
  for (const table of PARTITIONED_TABLES) {
    const target: Target = { sql, schema, table };
    await unlessFailed(step(table.name), async () => {
      for (const { name } of await expiredPartitions(target, before))
        await unlessFailed(step(table.name, name), async () => {
          const change = await dropPartition(target, name);
          if (change.kind === "done") report.dropped.push(change.value);
          else noteBusy(report, table.name);
        });
      await inBatches(options, async (rows) => counted(report, await deleteDefaultBatch(target, before, rows)));
    });
  }
  if (report.deletedRows + report.dropped.length > 0)
    await unlessFailed(step("usage_dirty_hours"), () => markUsageBefore(sql, schema, before));
  for (const table of SMALL_TABLES)
    await unlessFailed(step(table.name), () =>
      inBatches(options, async (rows) => counted(report, await deleteSmall(sql, options, { table, rows }))),
    );
  if (report.dropped.some((name) => POINTING.test(name)))
    await unlessFailed(step("resources"), async () => void (await releaseAll({ sql, schema }, signal)));
  return report;
}

/** Notes a batch as it is done, so that the rows are in the report also where a later batch fails. */
function counted(report: { deletedRows: number }, batch: number): number {
  report.deletedRows += batch;
  return batch;
}

/** What `dropExpired` would remove right now, without removing it. Counts rows, so it takes its time on large partitions. */
export async function previewExpired(sql: Sql, options: Pick<RetentionOptions, "schema" | "before">): Promise<ExpiredRows[]> {
  const found: ExpiredRows[] = [];
  const note = (table: string, partition: string | null, rows: number): void => {
    if (rows > 0 || partition !== null) found.push({ table, partition, rows });
  };
  const count = async (from: string, condition: string, values: Date[]): Promise<number> =>
    sql.begin("READ ONLY", async (tx) => {
      await tx`SELECT set_config('search_path', quote_ident(${options.schema}), true), set_config('statement_timeout', '0', true)`;
      const [row] = await tx.unsafe<[{ rows: number }]>(`SELECT count(*)::float8 AS rows FROM ${from} t WHERE ${condition}`, values);
      return row.rows;
    }) as Promise<number>;
  for (const table of PARTITIONED_TABLES) {
    const target: Target = { sql, schema: options.schema, table };
    const names = namesIn(target);
    for (const { name } of await expiredPartitions(target, options.before))
      note(table.name, name, await count(names.qualified(name), "true", []));
    note(table.name, null, await count(names.byDefault, `${timeColumn(table)} < $1`, [options.before]));
  }
  for (const { name, expired } of SMALL_TABLES) note(name, null, await count(name, expired, [options.before]));
  return found;
}

const timeColumn = (table: PartitionedTable): string => `"${table.timeColumn}"`;

const expiredPartitions = async (target: Target, before: Date): Promise<Partition[]> =>
  (await readPartitions(target)).filter((partition) => partition.to <= before);

interface SmallBatch {
  readonly table: (typeof SMALL_TABLES)[number];
  readonly rows: number;
}

async function deleteSmall(sql: Sql, { schema, before }: RetentionOptions, { table, rows }: SmallBatch): Promise<number> {
  return withoutHaste(sql, async (tx) => {
    await tx`SELECT set_config('search_path', quote_ident(${schema}), true)`;
    const deleted = await tx.unsafe(
      `DELETE FROM ${table.name} WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM ${table.name} t WHERE ${table.expired} LIMIT ${rows})) RETURNING 1`,
      [before],
    );
    return deleted.length;
  });
}

/** Until a batch is not full. */
async function inBatches(
  { batchRows = BATCH_ROWS, signal }: RetentionOptions,
  deleteBatch: (rows: number) => Promise<number>,
): Promise<void> {
  while (!signal?.aborted) if ((await deleteBatch(batchRows)) < batchRows) return;
}

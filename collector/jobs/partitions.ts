import type { LockedChange } from "../../schema/brief-locks.ts";
import type { Sql } from "../../schema/connect.ts";
import {
  countDefaultRows,
  createPartition,
  PARTITIONED_TABLES,
  type PartitionedTable,
  readPartitions,
  type Target,
  type TimeRange,
} from "../../schema/partitions.ts";
import { mergePartitions, rebuildDefault } from "../../schema/rebuild.ts";
import { planMerge, planPartitions } from "./partition-plan.ts";

export interface PartitionOptions {
  readonly schema: string;
  readonly now: Date;
  /** Days after today that get their partition in advance: so long may maintenance fail unnoticed. */
  readonly aheadDays?: number;
  /** Partitions per table, DEFAULT not counted: every lookup by id probes each of them. */
  readonly maxLive?: number;
  /** So many rows of a past day in DEFAULT earn the day a partition of its own. */
  readonly minRows?: number;
  /** With more rows than this in DEFAULT it is rebuilt beside ingest instead of emptied under a lock. */
  readonly rebuildRows?: number;
  readonly tables?: readonly PartitionedTable[];
  readonly signal?: AbortSignal;
}

const DEFAULTS = { aheadDays: 7, maxLive: 60, minRows: 1_000, rebuildRows: 20_000 };

/** What one run did. */
export interface PartitionReport {
  /** Names of new partitions. */
  readonly created: string[];
  /** Names of partitions made of several older ones. */
  readonly merged: string[];
  /** Tables that could not be locked; the next run tries again. */
  readonly busy: string[];
  /** Rows left in DEFAULT, by table. */
  readonly defaultRows: Record<string, number>;
}

/**
 * Makes the partitions that are missing, empties DEFAULT into them and keeps the number of partitions bounded. `sql` connects as the owner of
 * the tables. Ingest goes on meanwhile: no lock on a table in use is waited for longer than 0.2 s. Run it under a lease.
 */
export async function maintainPartitions(sql: Sql, options: PartitionOptions): Promise<PartitionReport> {
  const report: PartitionReport = { created: [], merged: [], busy: [], defaultRows: {} };
  for (const table of options.tables ?? PARTITIONED_TABLES) {
    if (options.signal?.aborted) break;
    await maintainTable({ sql, schema: options.schema, table }, { ...DEFAULTS, ...options }, report);
  }
  return report;
}

/** Rows that wait in DEFAULT partitions, by table. */
export async function readDefaultRows(sql: Sql, schema: string): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  for (const table of PARTITIONED_TABLES) rows[table.name] = total(await countDefaultRows({ sql, schema, table }));
  return rows;
}

type Settings = PartitionOptions & typeof DEFAULTS;

async function maintainTable(target: Target, settings: Settings, report: PartitionReport): Promise<void> {
  const { name } = target.table;
  const stopped = (): boolean => settings.signal?.aborted === true || report.busy.includes(name);
  const note = (change: LockedChange<string | string[]>, list: string[]): void => {
    if (change.kind === "done") list.push(...[change.value].flat());
    else report.busy.push(name);
  };

  const defaultRows = await countDefaultRows(target);
  const missing = planPartitions({ ...settings, existing: await readPartitions(target), defaultRows });
  const holdsRows = (range: TimeRange): boolean => defaultRows.some(({ day }) => day !== null && range.from <= day && day < range.to);
  const full = total(defaultRows) > settings.rebuildRows ? missing.filter(holdsRows) : [];
  if (full.length > 0) note(await rebuildDefault(target, full), report.created);
  for (const range of missing) {
    if (stopped()) break;
    if (!full.includes(range)) note(await createPartition(target, range), report.created);
  }
  for (;;) {
    const merge = planMerge(await readPartitions(target), settings.now, settings.maxLive);
    if (merge === undefined || stopped()) break;
    note(await mergePartitions(target, merge.sources, merge.range), report.merged);
  }
  report.defaultRows[name] = total(await countDefaultRows(target));
}

const total = (counts: readonly { rows: number }[]): number => counts.reduce((sum, each) => sum + each.rows, 0);

import type { LockedChange } from "../../schema/brief-locks.ts";
import type { Sql } from "../../schema/connect.ts";
import { partitionsUnderViews, takenNames } from "../../schema/partition-obstacles.ts";
import {
  countDefaultRows,
  createPartition,
  type DefaultRows,
  defaultPartition,
  dissolvePartition,
  hasMoreRows,
  PARTITIONED_TABLES,
  type PartitionedTable,
  partitionName,
  readPartitions,
  type Target,
  type TimeRange,
} from "../../schema/partitions.ts";
import { rebuildDefault, rebuildNames, removeUnfinished, replacePartitions } from "../../schema/rebuild.ts";
import { errorCode } from "../base/error-code.ts";
import { type Merge, planMerge, planPartitions, planSplits } from "./partition-plan.ts";
import { noteBusy, noteFailure, type PartitionFailure, type Step, type Unfinished, unlessFailed } from "./unfinished.ts";

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
export interface PartitionReport extends Unfinished {
  /** Names of new partitions. */
  readonly created: string[];
  /** Names of partitions made of several older ones. */
  readonly merged: string[];
  /** Names that partitions need and relations of somebody else have; the rows of those days stay in DEFAULT until they are renamed. */
  readonly blocked: string[];
  /** Rows left in DEFAULT, by table. */
  readonly defaultRows: Record<string, number>;
}

/**
 * Makes the partitions that are missing, empties DEFAULT into them and keeps the number of partitions bounded. `sql` connects as the owner of
 * the tables. Ingest goes on meanwhile: no lock on a table in use is waited for longer than 0.2 s. Run it under a lease. What cannot be done for
 * one table or partition is reported and keeps nothing else from being done.
 */
export async function maintainPartitions(sql: Sql, options: PartitionOptions): Promise<PartitionReport> {
  const report: PartitionReport = { created: [], merged: [], busy: [], blocked: [], failed: [], defaultRows: {} };
  const settings = { ...DEFAULTS, ...options };
  for (const table of options.tables ?? PARTITIONED_TABLES) {
    if (options.signal?.aborted) break;
    const turn: Turn = { target: { sql, schema: options.schema, table }, settings, report };
    await unlessFailed(stepOf(turn), () => maintainTable(turn));
  }
  return report;
}

export interface DefaultRowCounts {
  /** Rows that wait in DEFAULT partitions, by table; tables that could not be read are missing. */
  readonly rows: Readonly<Record<string, number>>;
  readonly failed: readonly PartitionFailure[];
}

export async function readDefaultRows(sql: Sql, schema: string): Promise<DefaultRowCounts> {
  const rows: Record<string, number> = {};
  const failed: PartitionFailure[] = [];
  for (const table of PARTITIONED_TABLES) {
    try {
      rows[table.name] = total(await countDefaultRows({ sql, schema, table }));
    } catch (error) {
      failed.push({ relation: table.name, code: errorCode(error) });
    }
  }
  return { rows, failed };
}

/** One table in one run. */
interface Turn {
  readonly target: Target;
  readonly settings: PartitionOptions & typeof DEFAULTS;
  readonly report: PartitionReport;
}

async function maintainTable(turn: Turn): Promise<void> {
  const { target, report } = turn;
  // What a killed rebuild has left has names that are needed now.
  if (!(await removeUnfinished(target))) return noteBusy(report, target.table.name);
  await splitReached(turn);
  await makeMissing(turn);
  await mergeMany(turn);
  report.defaultRows[target.table.name] = total(await countDefaultRows(target));
}

/** Partitions for later days that the clock has reached: back into DEFAULT with few rows, cut into days with many. */
async function splitReached(turn: Turn): Promise<void> {
  const { target, settings, report } = turn;
  for (const { source, parts } of planSplits(await readPartitions(target), settings.now, settings.aheadDays)) {
    if (isStopped(turn)) return;
    await unlessFailed(stepOf(turn, source.name), async () => {
      if (!(await hasMoreRows(target, source.name, settings.rebuildRows))) {
        note(turn, await dissolvePartition(target, source.name), []);
      } else if ((await freeOfObstacles(turn, parts)).length === parts.length) {
        note(turn, await replacePartitions(target, { sources: [source], ranges: parts, withDefault: false }), report.created);
      }
    });
  }
}

async function makeMissing(turn: Turn): Promise<void> {
  const { target, settings, report } = turn;
  const defaultRows = await countDefaultRows(target);
  const planned = planPartitions({ ...settings, existing: await readPartitions(target), defaultRows });
  const missing = await freeOfObstacles(turn, planned);
  const holding = total(defaultRows) > settings.rebuildRows ? missing.filter((range) => rowsIn(defaultRows, range) > 0) : [];
  const rebuilds = holding.length > 0 && (await canRebuildDefault(turn));
  if (rebuilds)
    await unlessFailed(stepOf(turn, defaultPartition(target.table)), async () =>
      note(turn, await rebuildDefault(target, holding), report.created),
    );
  // Where DEFAULT cannot be rebuilt, only what would be moved under a lock for too long waits for that.
  const waiting = rebuilds ? holding : holding.filter((range) => rowsIn(defaultRows, range) > settings.rebuildRows);
  for (const range of missing) {
    if (isStopped(turn)) return;
    if (!waiting.includes(range))
      await unlessFailed(stepOf(turn, partitionName(target.table, range)), async () =>
        note(turn, await createPartition(target, range), report.created),
      );
  }
}

/** Merges while there are too many partitions; what cannot be merged is passed over. */
async function mergeMany(turn: Turn): Promise<void> {
  const { target, settings, report } = turn;
  const nameOf = ({ range }: Merge): string => partitionName(target.table, range);
  const passedOver = new Set<string>();
  for (;;) {
    const existing = await readPartitions(target);
    const merge = planMerge({ ...settings, existing, refused: (each) => passedOver.has(nameOf(each)) });
    if (merge === undefined || isStopped(turn)) return;
    // Once only: where it is done, it is not planned again.
    passedOver.add(nameOf(merge));
    await unlessFailed(stepOf(turn, nameOf(merge)), async () => {
      const { sources, range } = merge;
      const underViews = await partitionsUnderViews(
        target,
        sources.map(({ name }) => name),
      );
      for (const relation of underViews) noteFailure(report, { relation, code: DEPENDENT_OBJECTS });
      if (underViews.length > 0 || (await freeOfObstacles(turn, [range])).length === 0) return;
      const withDefault = rowsIn(await countDefaultRows(target), range) > settings.rebuildRows;
      note(turn, await replacePartitions(target, { sources, ranges: [range], withDefault }), report.merged);
    });
  }
}

/** SQLSTATE of what cannot be dropped because something depends on it. */
const DEPENDENT_OBJECTS = "2BP01";

/** The ranges whose partitions' names are free; the others are reported. */
async function freeOfObstacles({ target, report }: Turn, ranges: readonly TimeRange[]): Promise<TimeRange[]> {
  const nameOf = (range: TimeRange): string => partitionName(target.table, range);
  const taken = await takenNames(target, ranges.map(nameOf));
  report.blocked.push(...taken.filter((name) => !report.blocked.includes(name)));
  return ranges.filter((range) => !taken.includes(nameOf(range)));
}

async function canRebuildDefault({ target, report }: Turn): Promise<boolean> {
  const taken = await takenNames(target, rebuildNames(target.table));
  const underViews = await partitionsUnderViews(target, [defaultPartition(target.table)]);
  report.blocked.push(...taken);
  for (const relation of underViews) noteFailure(report, { relation, code: DEPENDENT_OBJECTS });
  return taken.length + underViews.length === 0;
}

const stepOf = ({ target: { table }, settings, report }: Turn, relation = table.name): Step => ({
  report,
  table: table.name,
  relation,
  signal: settings.signal,
});

function note({ target, report }: Turn, change: LockedChange<string | string[]>, list: string[]): void {
  if (change.kind === "done") list.push(...[change.value].flat());
  else noteBusy(report, target.table.name);
}

const isStopped = ({ target, settings, report }: Turn): boolean =>
  settings.signal?.aborted === true || report.busy.includes(target.table.name);

const rowsIn = (defaultRows: readonly DefaultRows[], { from, to }: TimeRange): number =>
  total(defaultRows.filter(({ day }) => day !== null && from <= day && day < to));

const total = (counts: readonly { rows: number }[]): number => counts.reduce((sum, each) => sum + each.rows, 0);

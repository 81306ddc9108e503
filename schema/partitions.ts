import type { Sql, TransactionSql } from "postgres";
import { type LockedChange, withBriefLocks, withoutHaste } from "./brief-locks.ts";
import { quoteName } from "./connect.ts";
import { createLikeParent } from "./partition-table.ts";

/** A partitioned table and the column that says which partition a row belongs to. */
export interface PartitionedTable {
  readonly name: string;
  readonly timeColumn: "start_time" | "time";
}

export const PARTITIONED_TABLES: readonly PartitionedTable[] = [
  { name: "spans", timeColumn: "start_time" },
  { name: "generation_logs", timeColumn: "start_time" },
  { name: "log_records", timeColumn: "time" },
  { name: "generation_attempts", timeColumn: "start_time" },
  { name: "generation_scores", timeColumn: "time" },
  { name: "outputs", timeColumn: "start_time" },
  { name: "generation_twins", timeColumn: "start_time" },
];

/** Instants from `from` up to, not including, `to`. Those of partitions lie on UTC midnights. */
export interface TimeRange {
  readonly from: Date;
  readonly to: Date;
}

export interface Partition extends TimeRange {
  readonly name: string;
}

/** One partitioned table in one database. */
export interface Target {
  readonly sql: Sql;
  readonly schema: string;
  readonly table: PartitionedTable;
}

/** The partitions that have a range, oldest first. */
export async function readPartitions({ sql, schema, table }: Target): Promise<Partition[]> {
  // Not without its time limit: pg_get_expr locks the partition.
  return withoutHaste(
    sql,
    (tx) => tx<Partition[]>`
    SELECT c.relname AS name, (bound.texts)[1]::timestamptz AS from, (bound.texts)[2]::timestamptz AS to
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (
      SELECT regexp_match(pg_get_expr(c.relpartbound, c.oid), $$FROM [(]'([^']+)'[)] TO [(]'([^']+)'[)]$$) AS texts
    ) bound
    WHERE i.inhparent = to_regclass(${`${quoteName(schema)}.${quoteName(table.name)}`}) AND bound.texts IS NOT NULL
    ORDER BY 2`,
  );
}

export interface DefaultRows {
  /** Null for times before 1970 and after 2554, which OTLP has no numbers for: they have no partition but DEFAULT. */
  readonly day: Date | null;
  readonly rows: number;
}

/** How many rows wait in the DEFAULT partition, by UTC day. Reads that partition once. */
export async function countDefaultRows({ sql, schema, table }: Target): Promise<DefaultRows[]> {
  const time = sql(table.timeColumn);
  return withoutHaste(
    sql,
    (tx) => tx<DefaultRows[]>`
      SELECT CASE WHEN ${time} >= '1970-01-01 00:00:00+00' AND ${time} < '2555-01-01 00:00:00+00' THEN date_trunc('day', ${time}, 'UTC') END AS day,
        count(*)::float8 AS rows
      FROM ${sql(schema)}.${sql(defaultPartition(table))} GROUP BY 1`,
  );
}

/**
 * Makes a partition and takes the rows of its range out of DEFAULT, in one transaction: readers see every row once at any moment, and a row
 * that arrives meanwhile waits for the lock and finds its way afterwards.
 */
export async function createPartition(target: Target, range: TimeRange): Promise<LockedChange<string>> {
  const names = namesIn(target);
  const partition = partitionName(target.table, range);
  return withBriefLocks(target.sql, async (tx) => {
    await createDetached(tx, target, partition);
    // The parent too: a COPY that had found DEFAULT for its rows and waited for it would fail (23514) once they have a partition of their own.
    await tx.unsafe(`LOCK TABLE ONLY ${names.parent}, ${names.byDefault} IN ACCESS EXCLUSIVE MODE`);
    await moveFromDefault(tx, target, { partition, range });
    await attach(tx, target, { partition, range });
    return partition;
  });
}

/** Drops a partition with its rows. */
export async function dropPartition(target: Target, partition: string): Promise<LockedChange<string>> {
  const { parent, qualified } = namesIn(target);
  return withBriefLocks(target.sql, async (tx) => {
    await tx.unsafe(`ALTER TABLE ${parent} DETACH PARTITION ${qualified(partition)}; DROP TABLE ${qualified(partition)}`);
    return partition;
  });
}

/** Puts the rows of a partition back into DEFAULT and drops it; for partitions with few rows. */
export async function dissolvePartition(target: Target, partition: string): Promise<LockedChange<string>> {
  const { parent, byDefault, qualified } = namesIn(target);
  return withBriefLocks(target.sql, async (tx) => {
    const columns = (await writableColumns(tx, target)).join(", ");
    await tx.unsafe(`LOCK TABLE ONLY ${parent}, ${byDefault}, ${qualified(partition)} IN ACCESS EXCLUSIVE MODE;
      ALTER TABLE ${parent} DETACH PARTITION ${qualified(partition)};
      INSERT INTO ${byDefault} (${columns}) SELECT ${columns} FROM ${qualified(partition)};
      DROP TABLE ${qualified(partition)}`);
    return partition;
  });
}

/** Whether a partition has more rows than that; counts no further. */
export async function hasMoreRows({ sql, schema }: Target, partition: string, rows: number): Promise<boolean> {
  const [counted] = await withoutHaste(
    sql,
    (tx) => tx<[{ count: number }]>`
      SELECT count(*)::float8 AS count FROM (SELECT FROM ${sql(schema)}.${sql(partition)} LIMIT ${rows + 1}) up_to`,
  );
  return counted.count > rows;
}

/** Deletes up to `limit` rows of before a time from DEFAULT and returns how many there were. */
export async function deleteDefaultBatch({ sql, schema, table }: Target, before: Date, limit: number): Promise<number> {
  const from = sql`${sql(schema)}.${sql(defaultPartition(table))}`;
  const deleted = await withoutHaste(
    sql,
    (tx) => tx`
      DELETE FROM ${from} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${from} WHERE ${sql(table.timeColumn)} < ${before} LIMIT ${limit})) RETURNING 1`,
  );
  return deleted.length;
}

export const defaultPartition = (table: PartitionedTable): string => `${table.name}_default`;

/** `spans_20261120` for a day, `spans_20261101_20261201` for a wider range. */
export function partitionName(table: PartitionedTable, { from, to }: TimeRange): string {
  const isDay = to.getTime() - from.getTime() === 86_400_000;
  return [table.name, digits(from), ...(isDay ? [] : [digits(to)])].join("_");
}

const digits = (date: Date): string => date.toISOString().slice(0, 10).replaceAll("-", "");

export interface PartitionNames {
  readonly parent: string;
  readonly byDefault: string;
  qualified(name: string): string;
}

/** Names as SQL writes them. */
export function namesIn({ schema, table }: Target): PartitionNames {
  const qualified = (name: string): string => `${quoteName(schema)}.${quoteName(name)}`;
  return { parent: qualified(table.name), byDefault: qualified(defaultPartition(table)), qualified };
}

/** Makes a table like the parent: columns, storage, constraints, indexes. Row-level security without a policy closes it to everyone but its owner. */
export async function createDetached(tx: TransactionSql, target: Target, name: string): Promise<void> {
  const { parent, qualified } = namesIn(target);
  await createLikeParent(tx, { parent, table: qualified(name) });
  await tx.unsafe(`ALTER TABLE ${qualified(name)} ENABLE ROW LEVEL SECURITY`);
}

interface Placed {
  readonly partition: string;
  readonly range: TimeRange;
}

export async function attach(tx: TransactionSql, target: Target, { partition, range }: Placed): Promise<void> {
  const { parent, qualified } = namesIn(target);
  const bounds = `FROM ('${range.from.toISOString()}') TO ('${range.to.toISOString()}')`;
  await tx.unsafe(`ALTER TABLE ${parent} ATTACH PARTITION ${qualified(partition)} FOR VALUES ${bounds}`);
}

/** Takes the rows of a range out of DEFAULT; the caller has locked it. */
export async function moveFromDefault(tx: TransactionSql, target: Target, { partition, range }: Placed): Promise<void> {
  const { byDefault, qualified } = namesIn(target);
  const columns = (await writableColumns(tx, target)).join(", ");
  await tx.unsafe(`WITH moved AS (DELETE FROM ${byDefault} WHERE ${inRange(target.table, range)} RETURNING ${columns})
    INSERT INTO ${qualified(partition)} (${columns}) SELECT ${columns} FROM moved`);
}

export const inRange = (table: PartitionedTable, { from, to }: TimeRange): string =>
  `${table.timeColumn} >= timestamptz '${from.toISOString()}' AND ${table.timeColumn} < timestamptz '${to.toISOString()}'`;

/** All columns but the generated ones, which cannot be inserted; read from the catalog because users may add columns of their own. */
export async function writableColumns(tx: TransactionSql, target: Target): Promise<string[]> {
  const rows = await tx<{ name: string }[]>`
    SELECT quote_ident(attname) AS name FROM pg_attribute
    WHERE attrelid = to_regclass(${namesIn(target).parent}) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`;
  return rows.map((row) => row.name);
}

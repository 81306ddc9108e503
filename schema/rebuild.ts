import type { Sql, TransactionSql } from "postgres";
import { type LockedChange, withBriefLocks, withoutHaste } from "./brief-locks.ts";
import { quoteName } from "./connect.ts";
import {
  attach,
  createDetached,
  defaultPartition,
  inRange,
  moveFromDefault,
  namesIn,
  type Partition,
  type PartitionedTable,
  type PartitionNames,
  partitionName,
  type Target,
  type TimeRange,
  writableColumns,
} from "./partitions.ts";

// Replaces partitions by others with the same rows while ingest and readers go on. A trigger notes the keys that change in the old ones, the
// rows are copied, the changes are caught up with, and in one short exchange the new tables take the old ones' place. The trigger exists
// only meanwhile. What a killed run leaves behind is removed by the next one. Only one may run at a time per table: callers hold a lease.

/** So few changes are applied while ingest stands still: less than a second's work. */
const STILL_CHANGES = 5_000;
/** A round beside ingest must leave less than this share of the last one's work, or ingest is too fast for it. */
const SHRINKING = 0.7;
/** Enough for an hour of changes at the pace of the slices; then the rebuild is given up. */
const MAX_SLICES = 1_000;
/** Comment on what an unfinished rebuild has made: by it the next run knows it from what is somebody else's, such as tables detached to be kept. */
const UNFINISHED = "genspan: unfinished rebuild of partitions";

/** What a rebuild makes besides partitions, for as long as it runs. */
const changesOf = (table: PartitionedTable): string => `${table.name}_noted_changes`;
const triggerOf = (table: PartitionedTable): string => `${table.name}_note_change`;
const nextDefaultOf = (table: PartitionedTable): string => `${table.name}_default_next`;

/** Names that must be free for a rebuild; remains of an unfinished one are to be removed first. */
export const rebuildNames = (table: PartitionedTable): string[] => [changesOf(table), nextDefaultOf(table)];

/**
 * Empties a DEFAULT partition that has grown too large to be emptied under a lock. `ranges` must cover most of its rows; the others go into
 * the new DEFAULT. Gives the names of the new partitions; `busy`: nothing has changed.
 */
export async function rebuildDefault(target: Target, ranges: readonly TimeRange[]): Promise<LockedChange<string[]>> {
  return rebuild(target, [defaultPartition(target.table)], [...ranges.map((range) => partOf(target, range)), restOf(target, ranges)]);
}

export interface Replacement {
  /** Neighbours, or one. */
  readonly sources: readonly Partition[];
  /** They must cover all of the sources. */
  readonly ranges: readonly TimeRange[];
  /** Whether DEFAULT holds too many rows of these ranges to be moved under a lock: it is rebuilt as well then. */
  readonly withDefault: boolean;
}

/** Puts partitions of other ranges, such as a wider one, in the place of some. Gives their names; `busy`: nothing has changed. */
export async function replacePartitions(target: Target, { sources, ranges, withDefault }: Replacement): Promise<LockedChange<string[]>> {
  const names = sources.map((source) => source.name);
  const parts = ranges.map((range) => partOf(target, range));
  return withDefault
    ? rebuild(target, [...names, defaultPartition(target.table)], [...parts, restOf(target, ranges)])
    : rebuild(target, names, parts);
}

/** One new table and the condition for the rows that it takes; without a range it becomes DEFAULT. */
interface Part {
  readonly name: string;
  readonly range: TimeRange | undefined;
  readonly condition: string;
}

const partOf = ({ table }: Target, range: TimeRange): Part => ({
  name: partitionName(table, range),
  range,
  condition: inRange(table, range),
});

/** What stays in DEFAULT. */
function restOf({ table }: Target, ranges: readonly TimeRange[]): Part {
  const covered = ranges.map((range) => `(${inRange(table, range)})`).join(" OR ");
  return { name: nextDefaultOf(table), range: undefined, condition: covered === "" ? "true" : `NOT (${covered})` };
}

interface Rebuild {
  readonly names: PartitionNames;
  readonly parts: readonly Part[];
  /** The tables to be replaced, and all the following: as SQL text. */
  readonly sources: readonly string[];
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly changes: string;
  readonly trigger: string;
}

async function rebuild(target: Target, sources: readonly string[], parts: readonly Part[]): Promise<LockedChange<string[]>> {
  const job = await describe(target, sources, parts);
  if (!(await removeUnfinished(target))) return { kind: "busy" };
  try {
    const noting = await withBriefLocks(target.sql, (tx) => noteChanges(tx, job));
    if (noting.kind === "busy") return noting;
    for (const part of parts) await copyPart(target, job, part);
    if (!(await catchUp(target.sql, job))) return { kind: "busy" };
    return await withBriefLocks(target.sql, (tx) => exchange(tx, target, job));
  } finally {
    // Should this not get its locks, the next run does it; until then the trigger only costs time.
    await removeUnfinished(target);
  }
}

async function describe(target: Target, sources: readonly string[], parts: readonly Part[]): Promise<Rebuild> {
  const names = namesIn(target);
  const { columns, key } = await target.sql.begin("read only", async (tx) => ({
    columns: await writableColumns(tx, target),
    key: await tx<{ name: string }[]>`
      SELECT quote_ident(a.attname) AS name FROM pg_index x CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY k (attnum, position)
      JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
      WHERE x.indrelid = to_regclass(${names.parent}) AND x.indisprimary ORDER BY k.position`,
  }));
  return {
    names,
    parts,
    sources: sources.map(names.qualified),
    columns,
    key: key.map((column) => column.name),
    changes: names.qualified(changesOf(target.table)),
    trigger: names.qualified(triggerOf(target.table)),
  };
}

async function noteChanges(tx: TransactionSql, { names, sources, key, changes, trigger }: Rebuild): Promise<void> {
  const keyOf = (row: string): string => key.map((column) => `${row}.${column}`).join(", ");
  await tx.unsafe(`
    CREATE TABLE ${changes} AS SELECT ${key.join(", ")} FROM ${names.parent} WHERE false;
    CREATE FUNCTION ${trigger}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'INSERT' THEN INSERT INTO ${changes} VALUES (${keyOf("OLD")}); END IF;
      IF TG_OP <> 'DELETE' THEN INSERT INTO ${changes} VALUES (${keyOf("NEW")}); END IF;
      RETURN NULL;
    END $$;
    COMMENT ON TABLE ${changes} IS '${UNFINISHED}';
    COMMENT ON FUNCTION ${trigger}() IS '${UNFINISHED}'`);
  for (const source of sources)
    await tx.unsafe(`CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON ${source} FOR EACH ROW EXECUTE FUNCTION ${trigger}()`);
}

async function copyPart(target: Target, { names, sources, columns }: Rebuild, part: Part): Promise<void> {
  const table = names.qualified(part.name);
  const list = columns.join(", ");
  await withoutHaste(target.sql, async (tx) => {
    await createDetached(tx, target, part.name);
    await tx.unsafe(`COMMENT ON TABLE ${table} IS '${UNFINISHED}'`);
    for (const source of sources) await tx.unsafe(`INSERT INTO ${table} (${list}) SELECT ${list} FROM ${source} WHERE ${part.condition}`);
    // Spares ATTACH the reading of all rows under the parent's lock.
    await tx.unsafe(`ALTER TABLE ${table} ADD CONSTRAINT in_range CHECK (${part.condition})`);
  });
}

/**
 * Applies noted changes until few are left: beside ingest while that gets ahead, then in slices during which writers (not readers) wait,
 * with half as much time for them between the slices. False where even that is too slow, or a lock was not to be had.
 */
async function catchUp(sql: Sql, job: Rebuild): Promise<boolean> {
  let last = Number.POSITIVE_INFINITY;
  for (;;) {
    await sql.unsafe(`VACUUM ${job.changes}`);
    const applied = await withoutHaste(sql, (tx) => applyChanges(tx, job));
    if (applied <= STILL_CHANGES) return true;
    if (applied > last * SHRINKING) break;
    last = applied;
  }
  for (let slice = 0; slice < MAX_SLICES; slice++) {
    await sql.unsafe(`VACUUM ${job.changes}`);
    const started = performance.now();
    const applied = await withBriefLocks(sql, async (tx) => {
      await tx.unsafe(`LOCK TABLE ONLY ${job.names.parent} IN EXCLUSIVE MODE`);
      return applyChanges(tx, job, 2 * STILL_CHANGES);
    });
    if (applied.kind === "busy") return false;
    if (applied.value <= STILL_CHANGES) return true;
    await new Promise((resolve) => setTimeout(resolve, (performance.now() - started) / 2));
  }
  return false;
}

/**
 * Brings the rows of noted keys up to date in their new tables and returns how many keys that were. The rows are read after the notes were
 * taken: whatever changes them later is noted again.
 */
async function applyChanges(
  tx: TransactionSql,
  { names, sources, parts, columns, key, changes }: Rebuild,
  limit?: number,
): Promise<number> {
  const some = limit === undefined ? "" : `WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${changes} LIMIT ${limit}))`;
  const keys = key.join(", ");
  const matches = (row: string): string => key.map((column) => `${row}.${column} = c.${column}`).join(" AND ");
  await tx.unsafe(`CREATE TEMP TABLE taken_changes ON COMMIT DROP AS SELECT ${keys} FROM ${changes} LIMIT 0`);
  await tx.unsafe(`WITH taken AS (
      DELETE FROM ${changes} ${some} RETURNING ${keys}
    ) INSERT INTO pg_temp.taken_changes SELECT DISTINCT ${keys} FROM taken`);
  // Few keys are looked up by index, many are joined; the planner must know which it is.
  await tx.unsafe("ANALYZE pg_temp.taken_changes");
  for (const part of parts) {
    const table = names.qualified(part.name);
    // The key contains the time, so each key concerns one part.
    const taken = `(SELECT ${keys} FROM pg_temp.taken_changes WHERE ${part.condition}) c`;
    await tx.unsafe(`DELETE FROM ${table} p USING ${taken} WHERE ${matches("p")}`);
    const copied = columns.map((column) => `s.${column}`).join(", ");
    for (const source of sources)
      await tx.unsafe(`INSERT INTO ${table} (${columns.join(", ")}) SELECT ${copied} FROM ${source} s JOIN ${taken} ON ${matches("s")}`);
  }
  const [taken] = await tx.unsafe<[{ count: number }]>("SELECT count(*)::int AS count FROM pg_temp.taken_changes");
  return taken.count;
}

async function exchange(tx: TransactionSql, target: Target, job: Rebuild): Promise<string[]> {
  const { names, sources, parts, changes, trigger } = job;
  // The parent first: once it is ours nobody else is in its partitions, so the other locks cannot deadlock with writers.
  const locked = new Set([names.parent, names.byDefault, ...sources]);
  await tx.unsafe(`LOCK TABLE ONLY ${[...locked].join(", ONLY ")} IN ACCESS EXCLUSIVE MODE`);
  await applyChanges(tx, job);
  for (const source of sources) await tx.unsafe(`ALTER TABLE ${names.parent} DETACH PARTITION ${source}; DROP TABLE ${source}`);
  await tx.unsafe(`DROP TABLE ${changes}; DROP FUNCTION ${trigger}()`);
  for (const { name, range } of parts) {
    if (range === undefined) await takeDefaultsPlace(tx, target, name);
    else {
      if (!sources.includes(names.byDefault)) await moveFromDefault(tx, target, { partition: name, range });
      await attach(tx, target, { partition: name, range });
    }
    const table = range === undefined ? names.byDefault : names.qualified(name);
    await tx.unsafe(`ALTER TABLE ${table} DROP CONSTRAINT in_range; COMMENT ON TABLE ${table} IS NULL`);
  }
  return parts.flatMap((part) => (part.range === undefined ? [] : [part.name]));
}

async function takeDefaultsPlace(tx: TransactionSql, target: Target, name: string): Promise<void> {
  const { parent, byDefault, qualified } = namesIn(target);
  await tx.unsafe(`ALTER TABLE ${qualified(name)} RENAME TO ${quoteName(defaultPartition(target.table))};
    ALTER TABLE ${parent} ATTACH PARTITION ${byDefault} DEFAULT`);
}

/** Removes trigger, notes and new tables of an unfinished rebuild. False where their locks were not to be had. */
export async function removeUnfinished({ sql, schema, table }: Target): Promise<boolean> {
  const removed = await withBriefLocks(sql, async (tx) => {
    const unfinished = await tx<{ kind: "FUNCTION" | "TABLE"; name: string }[]>`
      SELECT 'FUNCTION' AS kind, proname AS name FROM pg_proc
      WHERE pronamespace = to_regnamespace(quote_ident(${schema})) AND proname = ${triggerOf(table)} AND obj_description(oid, 'pg_proc') = ${UNFINISHED}
      UNION ALL
      SELECT 'TABLE', relname FROM pg_class
      WHERE relnamespace = to_regnamespace(quote_ident(${schema})) AND starts_with(relname, ${`${table.name}_`}) AND relkind = 'r' AND NOT relispartition
        AND obj_description(oid, 'pg_class') = ${UNFINISHED}`;
    // The function first, with its triggers: they write into one of the tables.
    for (const { kind, name } of unfinished)
      await tx.unsafe(`DROP ${kind} ${quoteName(schema)}.${quoteName(name)}${kind === "TABLE" ? "" : "() CASCADE"}`);
  });
  return removed.kind === "done";
}

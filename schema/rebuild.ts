import type { Sql, TransactionSql } from "postgres";
import { type LockedChange, withBriefLocks } from "./brief-locks.ts";
import { quoteName } from "./connect.ts";
import {
  attach,
  createDetached,
  defaultPartition,
  inRange,
  namesIn,
  type PartitionNames,
  partitionName,
  type Target,
  type TimeRange,
  writableColumns,
} from "./partitions.ts";

/** So few changes are applied while ingest stands still. */
const FINAL_CHANGES = 2_000;
const CATCH_UP_ROUNDS = 100;
const CHANGES_PER_ROUND = 50_000;
/** Comment on the tables of an unfinished rebuild: by it the next run knows them from tables that somebody has detached to keep. */
const UNFINISHED = "genspan: unfinished rebuild of a DEFAULT partition";

/**
 * Empties a DEFAULT partition that has grown too large for `createPartition`, while ingest keeps writing into it: a trigger notes the keys
 * that change, the rows are copied into new tables, the changes are caught up with, and in one short exchange the new tables take the place
 * of the old DEFAULT. The trigger exists only meanwhile. `ranges` must cover most rows; the others go into the new DEFAULT. `busy`: nothing
 * has changed. What a killed run leaves behind is removed by the next one; only one may run at a time per table.
 */
export async function rebuildDefault(target: Target, ranges: readonly TimeRange[]): Promise<LockedChange<string[]>> {
  const rebuild = await describe(target, ranges);
  if (!(await removeRemains(target, rebuild))) return { kind: "busy" };
  try {
    const noting = await withBriefLocks(target.sql, (tx) => noteChanges(tx, rebuild));
    if (noting.kind === "busy") return noting;
    for (const part of rebuild.parts) await copyPart(target, rebuild, part);
    if (!(await catchUp(target.sql, rebuild))) return { kind: "busy" };
    return await withBriefLocks(target.sql, (tx) => exchange(tx, target, rebuild));
  } finally {
    // Should this not get its locks, the next run does it; until then the trigger only costs time.
    await removeRemains(target, rebuild);
  }
}

/** One new table and the condition for the rows that it takes. */
interface Part {
  readonly name: string;
  readonly range: TimeRange | undefined;
  readonly condition: string;
}

interface Rebuild {
  readonly names: PartitionNames;
  readonly parts: readonly Part[];
  /** Column lists as SQL text. */
  readonly columns: string;
  readonly key: readonly string[];
  /** Names as SQL text. */
  readonly changes: string;
  readonly trigger: string;
}

async function describe(target: Target, ranges: readonly TimeRange[]): Promise<Rebuild> {
  const names = namesIn(target);
  const { columns, key } = await target.sql.begin("read only", async (tx) => ({
    columns: await writableColumns(tx, target),
    key: await tx<{ name: string }[]>`
      SELECT quote_ident(a.attname) AS name FROM pg_index x CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY k (attnum, position)
      JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
      WHERE x.indrelid = to_regclass(${names.parent}) AND x.indisprimary ORDER BY k.position`,
  }));
  const covered = ranges.map((range) => `(${inRange(target.table, range)})`).join(" OR ");
  const parts: Part[] = ranges.map((range) => ({
    name: partitionName(target.table, range),
    range,
    condition: inRange(target.table, range),
  }));
  parts.push({ name: `${target.table.name}_default_next`, range: undefined, condition: covered === "" ? "true" : `NOT (${covered})` });
  return {
    names,
    parts,
    columns,
    key: key.map((column) => column.name),
    changes: names.qualified(`${target.table.name}_default_changes`),
    trigger: names.qualified(`${target.table.name}_note_change`),
  };
}

async function noteChanges(tx: TransactionSql, { names, key, changes, trigger }: Rebuild): Promise<void> {
  const keyOf = (row: string): string => key.map((column) => `${row}.${column}`).join(", ");
  await tx.unsafe(`
    CREATE TABLE ${changes} AS SELECT ${key.join(", ")} FROM ${names.byDefault} WHERE false;
    CREATE FUNCTION ${trigger}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'INSERT' THEN INSERT INTO ${changes} VALUES (${keyOf("OLD")}); END IF;
      IF TG_OP <> 'DELETE' THEN INSERT INTO ${changes} VALUES (${keyOf("NEW")}); END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON ${names.byDefault} FOR EACH ROW EXECUTE FUNCTION ${trigger}()`);
}

async function copyPart({ sql, ...rest }: Target, { names, columns }: Rebuild, part: Part): Promise<void> {
  await sql.begin(async (tx) => {
    await createDetached(tx, { sql, ...rest }, part.name);
    await tx.unsafe(`COMMENT ON TABLE ${names.qualified(part.name)} IS '${UNFINISHED}'`);
    await tx.unsafe(
      `INSERT INTO ${names.qualified(part.name)} (${columns}) SELECT ${columns} FROM ${names.byDefault} WHERE ${part.condition}`,
    );
    // Spares ATTACH the reading of all rows under the parent's lock.
    await tx.unsafe(`ALTER TABLE ${names.qualified(part.name)} ADD CONSTRAINT in_range CHECK (${part.condition})`);
  });
}

/** Applies noted changes until few are left. False where ingest is faster than this. */
async function catchUp(sql: Sql, rebuild: Rebuild): Promise<boolean> {
  for (let round = 0; round < CATCH_UP_ROUNDS; round++) {
    const applied = (await sql.begin("isolation level read committed", (tx) => applyChanges(tx, rebuild, CHANGES_PER_ROUND))) as number;
    if (applied <= FINAL_CHANGES) return true;
  }
  return false;
}

/**
 * Brings the rows of the oldest noted keys up to date in their new tables and returns how many keys that were. The rows are read after the
 * notes were taken: whatever changes them later is noted again.
 */
async function applyChanges(tx: TransactionSql, { names, parts, columns, key, changes }: Rebuild, limit: number): Promise<number> {
  const keys = key.join(", ");
  await tx.unsafe(`CREATE TEMP TABLE taken_changes ON COMMIT DROP AS SELECT ${keys} FROM ${changes} LIMIT 0`);
  await tx.unsafe(`WITH taken AS (
      DELETE FROM ${changes} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${changes} LIMIT ${limit})) RETURNING ${keys}
    ) INSERT INTO pg_temp.taken_changes SELECT DISTINCT ${keys} FROM taken`);
  for (const part of parts) {
    const table = names.qualified(part.name);
    const matches = (row: string): string => key.map((column) => `${row}.${column} = c.${column}`).join(" AND ");
    await tx.unsafe(`DELETE FROM ${table} p USING pg_temp.taken_changes c WHERE ${matches("p")}`);
    await tx.unsafe(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM (
        SELECT d.* FROM ${names.byDefault} d JOIN pg_temp.taken_changes c ON ${matches("d")}
      ) changed WHERE ${part.condition}`);
  }
  const [taken] = await tx.unsafe<[{ count: number }]>("SELECT count(*)::int AS count FROM pg_temp.taken_changes");
  return taken.count;
}

async function exchange(tx: TransactionSql, target: Target, rebuild: Rebuild): Promise<string[]> {
  const { names, parts, changes, trigger } = rebuild;
  await tx.unsafe(`LOCK TABLE ONLY ${names.parent}, ${names.byDefault} IN ACCESS EXCLUSIVE MODE`);
  await applyChanges(tx, rebuild, 2 ** 31 - 1);
  await tx.unsafe(`ALTER TABLE ${names.parent} DETACH PARTITION ${names.byDefault};
    DROP TABLE ${names.byDefault}, ${changes}; DROP FUNCTION ${trigger}()`);
  for (const { name, range } of parts) {
    if (range === undefined) await takeDefaultsPlace(tx, target, name);
    else await attach(tx, target, { partition: name, range });
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
async function removeRemains({ sql, schema, table }: Target, { names, changes, trigger }: Rebuild): Promise<boolean> {
  const removed = await withBriefLocks(sql, async (tx) => {
    await tx.unsafe(`DROP FUNCTION IF EXISTS ${trigger}() CASCADE; DROP TABLE IF EXISTS ${changes}`);
    const unfinished = await tx<{ name: string }[]>`
      SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ${schema} AND starts_with(c.relname, ${`${table.name}_`}) AND c.relkind = 'r' AND NOT c.relispartition
        AND obj_description(c.oid, 'pg_class') = ${UNFINISHED}`;
    for (const { name } of unfinished) await tx.unsafe(`DROP TABLE ${names.qualified(name)}`);
  });
  return removed.kind === "done";
}

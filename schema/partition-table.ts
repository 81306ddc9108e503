import type { TransactionSql } from "postgres";

export interface TableNames {
  /** As SQL writes them, with their schema. */
  readonly parent: string;
  readonly table: string;
}

/**
 * Makes a table that can be attached to the parent: its columns with their types, storage and defaults, its constraints and indexes. In the order of the
 * parent's columns two percent of all bytes would be gaps: PostgreSQL aligns each value to its size. Here those of fixed size come first, the largest first, so
 * that there are none between them (docs/decisions/0032). Rows find their columns by name.
 */
export async function createLikeParent(tx: TransactionSql, names: TableNames): Promise<void> {
  const columns = await readColumns(tx, names.parent);
  const [key = "", ...checks] = await readConstraints(tx, names.parent);
  const indexes = await readIndexes(tx, names.parent);
  const storages = columns.flatMap(({ name, storage }) => (storage === null ? [] : [`ALTER COLUMN ${name} SET STORAGE ${storage}`]));
  await tx.unsafe(`CREATE TABLE ${names.table} (${[...columns.map(({ definition }) => definition), key, ...checks].join(", ")})`);
  if (storages.length > 0) await tx.unsafe(`ALTER TABLE ${names.table} ${storages.join(", ")}`);
  for (const { unique, rest } of indexes) await tx.unsafe(`CREATE ${unique ? "UNIQUE " : ""}INDEX ON ${names.table} ${rest}`);
}

interface Column {
  readonly name: string;
  readonly definition: string;
  /** Null where it is the type's own. */
  readonly storage: string | null;
}

/** In the order of the new table. Of two columns of one size the one that every row has comes first: PostgreSQL then knows where it lies. */
async function readColumns(tx: TransactionSql, parent: string): Promise<readonly Column[]> {
  return tx<Column[]>`
    SELECT quote_ident(a.attname) AS name,
      concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attcollation <> t.typcollation THEN (
          SELECT format('COLLATE %I.%I', n.nspname, c.collname) FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = a.attcollation) END,
        CASE a.attcompression WHEN 'l' THEN 'COMPRESSION lz4' WHEN 'p' THEN 'COMPRESSION pglz' END,
        CASE a.attgenerated WHEN '' THEN 'DEFAULT ' || value.text WHEN 's' THEN format('GENERATED ALWAYS AS (%s) STORED', value.text)
          ELSE format('GENERATED ALWAYS AS (%s) VIRTUAL', value.text) END,
        CASE WHEN a.attnotnull THEN 'NOT NULL' END) AS definition,
      CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END AS storage
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN LATERAL (SELECT pg_get_expr(d.adbin, d.adrelid) AS text FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) AS value ON true
    WHERE a.attrelid = to_regclass(${parent}) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attlen < 0, CASE a.attalign WHEN 'd' THEN 1 WHEN 'i' THEN 2 WHEN 's' THEN 3 ELSE 4 END * (a.attlen > 0)::int, NOT a.attnotnull, a.attnum`;
}

/** The primary key first, then the checks. */
async function readConstraints(tx: TransactionSql, parent: string): Promise<readonly string[]> {
  const rows = await tx<{ definition: string }[]>`
    SELECT CASE contype WHEN 'p' THEN pg_get_constraintdef(oid) ELSE format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) END AS definition
    FROM pg_constraint WHERE conrelid = to_regclass(${parent}) AND contype IN ('p', 'c') ORDER BY contype = 'c', conname`;
  return rows.map(({ definition }) => definition);
}

/** All but the primary key's, each from its method on. */
async function readIndexes(tx: TransactionSql, parent: string): Promise<readonly { readonly unique: boolean; readonly rest: string }[]> {
  return tx<{ unique: boolean; rest: string }[]>`
    SELECT indisunique AS unique, substring(pg_get_indexdef(indexrelid) FROM ' (USING .*)$') AS rest
    FROM pg_index WHERE indrelid = to_regclass(${parent}) AND NOT indisprimary ORDER BY indexrelid`;
}

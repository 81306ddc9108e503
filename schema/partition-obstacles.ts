import { namesIn, type Target } from "./partitions.ts";

/** Those of the names that a relation or a type in the schema has already: no partition can be made under them. */
export async function takenNames({ sql, schema }: Target, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const wanted = sql.array([...names]);
  const rows = await sql<{ name: string }[]>`
    SELECT relname AS name FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(${schema})) AND relname = ANY (${wanted}::text[])
    UNION SELECT typname FROM pg_type WHERE typnamespace = to_regnamespace(quote_ident(${schema})) AND typname = ANY (${wanted}::text[])
    ORDER BY 1`;
  return rows.map(({ name }) => name);
}

/** Those of the partitions that views of somebody's read by name: they cannot be replaced by others. */
export async function partitionsUnderViews(target: Target, names: readonly string[]): Promise<string[]> {
  const { qualified } = namesIn(target);
  const rows = await target.sql<{ name: string }[]>`
    SELECT DISTINCT c.relname AS name FROM pg_class c JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
    WHERE d.classid = 'pg_rewrite'::regclass AND c.oid = ANY (ARRAY(SELECT to_regclass(n) FROM unnest(${target.sql.array(names.map(qualified))}::text[]) n))
    ORDER BY 1`;
  return rows.map(({ name }) => name);
}

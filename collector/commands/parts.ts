import type { ISql } from "postgres";

/** Names of a table's partitions, or the table's own where it has none. */
export async function partsOf(sql: ISql, schema: string, table: string): Promise<string[]> {
  const parts = await sql<{ part: string }[]>`
    SELECT leaf.relname AS part FROM pg_class c LEFT JOIN LATERAL pg_partition_tree(c.oid) p ON true JOIN pg_class leaf ON leaf.oid = coalesce(p.relid, c.oid)
    WHERE c.relnamespace = to_regnamespace(quote_ident(${schema})) AND c.relname = ${table} AND coalesce(p.isleaf, true)`;
  return parts.map(({ part }) => part);
}

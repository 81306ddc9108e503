import type { TransactionSql } from "postgres";
import type { ServerFacts } from "./server-checks.ts";

/**
 * Large values are compressed with lz4, or not at all where the server was built without it: pglz costs three times the CPU of lz4
 * for a 10 KB prompt. The migrations say `COMPRESSION lz4`. A server without it gets `COMPRESSION pglz` instead, which serves only as a
 * mark in the catalog (nothing else of ours names pglz): `storeMarkedUncompressed` finds the marked columns and makes them STORAGE EXTERNAL.
 * Partitions made later inherit either choice.
 */
export function forServer(migrationSql: string, server: ServerFacts): string {
  return server.hasLz4 ? migrationSql : migrationSql.replaceAll("COMPRESSION lz4", "COMPRESSION pglz");
}

/** Second half of `forServer`; run in the transaction of the migration. */
export async function storeMarkedUncompressed(sql: TransactionSql, schema: string): Promise<void> {
  const marked = await sql<{ table: string; column: string }[]>`
    SELECT c.relname AS table, a.attname AS column
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p') AND a.attcompression = 'p' AND NOT a.attisdropped
    ORDER BY c.relkind, c.relname, a.attnum`;
  for (const { table, column } of marked)
    await sql`ALTER TABLE ONLY ${sql(schema)}.${sql(table)} ALTER COLUMN ${sql(column)} SET COMPRESSION default,
      ALTER COLUMN ${sql(column)} SET STORAGE EXTERNAL`;
}

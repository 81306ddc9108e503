import type { Sql } from "postgres";

/** What a database server says of itself, as far as genspan depends on it. */
export interface ServerFacts {
  /** 150004 for 15.4 (server_version_num). */
  readonly versionNumber: number;
  readonly version: string;
  /** The server's clock, in milliseconds since 1970. */
  readonly nowMillis: number;
  /** The newest migration in the schema; 0 where there is none. */
  readonly schemaVersion: number;
  readonly role: string;
  readonly mayCreateTables: boolean;
  /** Whether new transactions may only read: a standby, or default_transaction_read_only. */
  readonly readOnly: boolean;
  /** A table of the schema that belongs to somebody else; undefined when there is none. */
  readonly foreignTable: string | undefined;
}

/** Asks as the owner. An unknown schema has no tables and version 0. */
export async function serverFacts(sql: Sql, schema: string): Promise<ServerFacts> {
  const [row] = await sql<
    [{ number: number; version: string; role: string; readOnly: boolean; may: boolean; foreign: string | null; migrated: boolean }]
  >`
    SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version, current_user AS role,
      current_setting('transaction_read_only') = 'on' AS "readOnly",
      coalesce(has_schema_privilege(to_regnamespace(quote_ident(${schema}))::oid, 'CREATE'), has_database_privilege(current_database(), 'CREATE')) AS may,
      EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(${schema}) || '.genspan_migrations') AND attname = 'version') AS migrated,
      (SELECT min(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ${schema} AND c.relname IN ('spans', 'generation_logs', 'genspan_migrations')
          AND NOT pg_has_role(current_user, c.relowner, 'USAGE')) AS foreign`;
  const [newest] = row.migrated
    ? await sql<[{ version: number }]>`SELECT coalesce(max(version), 0) AS version FROM ${sql(`${schema}.genspan_migrations`)}`
    : [{ version: 0 }];
  // Asked last and alone: what lies between question and answer is the error of the comparison.
  const [clock] = await sql<[{ millis: number }]>`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS millis`;
  return {
    versionNumber: row.number,
    version: row.version,
    nowMillis: clock.millis,
    schemaVersion: newest.version,
    role: row.role,
    mayCreateTables: row.may,
    readOnly: row.readOnly,
    foreignTable: row.foreign ?? undefined,
  };
}

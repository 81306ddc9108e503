import type { Sql, TransactionSql } from "postgres";
import { SchemaError } from "./schema-error.ts";

const MIN_SERVER_VERSION_NUM = 150_000;

/** What the server is and what it lets us do, as far as the schema depends on it. */
export interface ServerFacts {
  readonly database: string;
  readonly role: string;
  /** Whether columns can be declared COMPRESSION lz4. */
  readonly hasLz4: boolean;
}

/** Reads what the server is. Throws SchemaError for one that genspan cannot live on: before PostgreSQL 15, not UTF-8, without writes. */
export async function checkServer(sql: Sql | TransactionSql): Promise<ServerFacts> {
  const [row] = await sql<
    [{ num: number; version: string; encoding: string; standby: boolean; readOnly: boolean; lz4: boolean; database: string; role: string }]
  >`
    SELECT current_setting('server_version_num')::int AS num, current_setting('server_version') AS version,
      pg_encoding_to_char(encoding) AS encoding, pg_is_in_recovery() AS standby,
      current_setting('transaction_read_only') = 'on' AS "readOnly",
      (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') AS lz4,
      current_database() AS database, current_user AS role
    FROM pg_database WHERE datname = current_database()`;
  if (row.num < MIN_SERVER_VERSION_NUM)
    throw new SchemaError(
      `the server is PostgreSQL ${row.version}; genspan needs version 15 or newer: point DATABASE_URL at a newer server`,
    );
  if (row.encoding !== "UTF8")
    throw new SchemaError(
      `the database "${row.database}" has the encoding ${row.encoding}; genspan needs UTF8: create one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`,
    );
  if (row.standby)
    throw new SchemaError(`the server of database "${row.database}" is a read-only standby: point DATABASE_URL at the primary`);
  if (row.readOnly)
    throw new SchemaError(
      `the database "${row.database}" takes no writes from the role "${row.role}" (default_transaction_read_only is on): set it to off with ALTER DATABASE or ALTER ROLE, wherever it was switched on; a managed server does so when its disk is full`,
    );
  return { database: row.database, role: row.role, hasLz4: row.lz4 };
}

/** Makes the schema if it is missing. Throws SchemaError where the role may not create tables in it, naming the GRANT. */
export async function ensureSchema(sql: TransactionSql, schema: string, server: ServerFacts): Promise<void> {
  const [found] = await sql<[{ exists: boolean; may: boolean; mayCreateSchema: boolean }]>`
    SELECT to_regnamespace(quote_ident(${schema})) IS NOT NULL AS exists,
      coalesce(has_schema_privilege(to_regnamespace(quote_ident(${schema}))::oid, 'CREATE'), false) AS may,
      has_database_privilege(current_database(), 'CREATE') AS "mayCreateSchema"`;
  if (found.exists && !found.may)
    throw new SchemaError(
      `the role "${server.role}" may not create tables in schema "${schema}" of database "${server.database}": let its owner run GRANT CREATE ON SCHEMA "${schema}" TO "${server.role}"`,
    );
  if (found.exists) return;
  if (!found.mayCreateSchema)
    throw new SchemaError(
      `the schema "${schema}" is missing and the role "${server.role}" may not create it: let the owner of database "${server.database}" run CREATE SCHEMA "${schema}" AUTHORIZATION "${server.role}"`,
    );
  await sql`CREATE SCHEMA ${sql(schema)}`;
}

/** What a migration is about to make. */
export interface WantedNames {
  readonly relations: readonly string[];
  readonly functions: readonly string[];
}

/** Throws SchemaError naming the first relation, type or function of these names that already stands in the schema: it is somebody else's. */
export async function refuseForeignNames(sql: TransactionSql, schema: string, { relations, functions }: WantedNames): Promise<void> {
  const [taken] = await sql<{ name: string }[]>`
    SELECT name FROM (
      SELECT relname AS name, ${sql.array([...relations])}::text[] AS wanted FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(${schema}))
      UNION ALL SELECT typname, ${sql.array([...relations])}::text[] FROM pg_type WHERE typnamespace = to_regnamespace(quote_ident(${schema}))
      UNION ALL SELECT proname, ${sql.array([...functions])}::text[] FROM pg_proc WHERE pronamespace = to_regnamespace(quote_ident(${schema}))
    ) present WHERE name = ANY (wanted) ORDER BY 1 LIMIT 1`;
  if (taken !== undefined) throw foreignName(schema, taken.name);
}

export const foreignName = (schema: string, name: string): SchemaError =>
  new SchemaError(
    `the database already has "${schema}"."${name}", which genspan did not make: set GENSPAN_SCHEMA to another schema, or rename what has that name`,
  );

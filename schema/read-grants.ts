import type { TransactionSql } from "postgres";
import { createdRelations, loadMigrations } from "./migration-files.ts";

/** Tables that no reader needs: hashes of keys, addresses of webhooks, and the machinery. */
const NOT_FOR_READERS = new Set(["api_keys", "job_leases", "alert_channels", "archive_folders", "released_origins"]);

/** Tables and views of ours that readers may read; partitions are never among them. */
export function readableRelations(): string[] {
  return loadMigrations()
    .flatMap((migration) => createdRelations(migration, ["TABLE", "VIEW"]))
    .filter((name) => !NOT_FOR_READERS.has(name));
}

/** Lets `role` read parents and views, and reach them; grants only what is missing, because most starts find everything in place. */
export async function grantReadAccess(tx: TransactionSql, schema: string, role: string): Promise<void> {
  const [missing] = await tx<[{ connect: boolean; usage: boolean; relations: string[]; database: string }]>`
    SELECT NOT has_database_privilege(${role}, current_database(), 'CONNECT') AS connect,
      NOT has_schema_privilege(${role}, ${schema}, 'USAGE') AS usage,
      ARRAY(SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ${schema} AND c.relname = ANY (${tx.array(readableRelations())}::text[])
          AND NOT c.relispartition AND NOT has_table_privilege(${role}, c.oid, 'SELECT') ORDER BY 1) AS relations,
      current_database() AS database`;
  if (missing.connect) await tx`GRANT CONNECT ON DATABASE ${tx(missing.database)} TO ${tx(role)}`;
  if (missing.usage) await tx`GRANT USAGE ON SCHEMA ${tx(schema)} TO ${tx(role)}`;
  for (const relation of missing.relations) await tx`GRANT SELECT ON ${tx(schema)}.${tx(relation)} TO ${tx(role)}`;
}

/** Lets every login of sql_logins read what a newer version brought. */
export async function grantToSqlLogins(tx: TransactionSql, schema: string): Promise<void> {
  const logins = await tx<{ login: string }[]>`
    SELECT l.login FROM ${tx(schema)}.sql_logins l JOIN pg_roles r ON r.rolname = l.login WHERE r.rolcanlogin ORDER BY 1`;
  for (const { login } of logins) await grantReadAccess(tx, schema, login);
}

/** Takes back what `grantReadAccess` gave: a role with rights left cannot be dropped. */
export async function revokeReadAccess(tx: TransactionSql, schema: string, role: string): Promise<void> {
  const granted = await tx<{ name: string }[]>`
    SELECT DISTINCT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN aclexplode(c.relacl) g
    WHERE n.nspname = ${schema} AND g.grantee = to_regrole(quote_ident(${role}))::oid`;
  for (const { name } of granted) await tx`REVOKE ALL ON ${tx(schema)}.${tx(name)} FROM ${tx(role)}`;
  const [{ database }] = await tx<[{ database: string }]>`SELECT current_database() AS database`;
  await tx`REVOKE ALL ON SCHEMA ${tx(schema)} FROM ${tx(role)}`;
  await tx`REVOKE ALL ON DATABASE ${tx(database)} FROM ${tx(role)}`;
}

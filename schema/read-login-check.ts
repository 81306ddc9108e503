import type { Sql } from "postgres";
import { withConnection } from "./connect.ts";
import { DEFAULT_SCHEMA } from "./migrate.ts";
import { readableRelations } from "./read-grants.ts";
import { SchemaError } from "./schema-error.ts";

/**
 * Throws SchemaError for a login that reads past row-level security (superuser, BYPASSRLS, owner of a table or member of its owner) or
 * that lacks a right to read. Made for logins that an operator gives; `ensureReader` holds its own to the same.
 */
export async function checkReadLogin(options: { readonly url: string; readonly schema?: string }): Promise<void> {
  const schema = options.schema ?? DEFAULT_SCHEMA;
  await withConnection(options.url, async (sql) => {
    const [role] = await sql<[{ login: string; superuser: boolean; bypass: boolean }]>`
      SELECT rolname AS login, rolsuper AS superuser, rolbypassrls AS bypass FROM pg_roles WHERE rolname = current_user`;
    const power = role.superuser ? "is a superuser" : role.bypass ? "has BYPASSRLS" : await findExposure(sql, schema);
    if (power !== undefined)
      throw new SchemaError(
        `the login "${role.login}" ${power}, so that it would read the rows of every project: give genspan a login for reading that owns nothing and has SELECT only`,
      );
    const unreadable = await findUnreadable(sql, schema);
    if (unreadable !== undefined)
      throw new SchemaError(
        `the login "${role.login}" may not read "${unreadable}": let the owner run GRANT USAGE ON SCHEMA "${schema}" TO "${role.login}" and GRANT SELECT on every table and view of genspan`,
      );
  });
}

/** A table of ours, or a partition, of which this login owns or reads all rows. */
async function findExposure(sql: Sql, schema: string): Promise<string | undefined> {
  const [exposed] = await sql<{ name: string; owner: boolean }[]>`
    SELECT c.relname AS name, pg_has_role(current_user, c.relowner, 'MEMBER') AS owner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p')
      AND EXISTS (SELECT FROM pg_partition_ancestors(c.oid) a JOIN pg_class p ON p.oid = a.relid
        WHERE p.relname = ANY (${sql.array(readableRelations())}::text[])
        UNION ALL SELECT WHERE c.relname = ANY (${sql.array(readableRelations())}::text[]))
      AND (pg_has_role(current_user, c.relowner, 'MEMBER') OR (has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)))
    ORDER BY 1 LIMIT 1`;
  if (exposed === undefined) return undefined;
  return exposed.owner ? `owns the table "${exposed.name}" or is a member of its owner` : `reads "${exposed.name}" past row-level security`;
}

async function findUnreadable(sql: Sql, schema: string): Promise<string | undefined> {
  const [unreadable] = await sql<{ name: string }[]>`
    SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND c.relname = ANY (${sql.array(readableRelations())}::text[]) AND NOT c.relispartition
      AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
    ORDER BY 1 LIMIT 1`;
  return unreadable?.name;
}

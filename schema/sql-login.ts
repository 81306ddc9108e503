import { lockSchemaChanges, quoteName, retryConcurrent, withConnection } from "./connect.ts";
import { DEFAULT_SCHEMA } from "./migrate.ts";
import { grantReadAccess, revokeReadAccess } from "./read-grants.ts";
import { SchemaError } from "./schema-error.ts";
import { scramVerifier } from "./scram.ts";

export interface SqlLoginOptions {
  /** The writer's URL. */
  readonly url: string;
  readonly schema?: string;
  /** Name of the database role, at most 63 bytes. */
  readonly login: string;
  /** ASCII. */
  readonly password: string;
  readonly projectId: number;
}

/**
 * Makes a database login for Grafana or psql that is bound to one project: no setting and no SET ROLE shows it another. Called again for
 * the same login it sets password and project anew. Throws SchemaError for a role that exists and was not made here.
 */
export async function ensureSqlLogin(options: SqlLoginOptions): Promise<void> {
  const { login, projectId } = options;
  const schema = options.schema ?? DEFAULT_SCHEMA;
  const role = quoteName(login);
  await withConnection(options.url, (sql) =>
    retryConcurrent(() =>
      sql.begin("isolation level read committed", async (tx) => {
        await lockSchemaChanges(tx, schema);
        const table = tx`${tx(schema)}.sql_logins`;
        const [found] = await tx<[{ role: boolean; ours: boolean; project: boolean; database: string }]>`
          SELECT to_regrole(${role}) IS NOT NULL AS role, EXISTS (SELECT FROM ${table} WHERE login = ${login}) AS ours,
            EXISTS (SELECT FROM ${tx(schema)}.projects WHERE id = ${projectId} AND deleted_at IS NULL) AS project, current_database() AS database`;
        if (!found.project) throw new SchemaError(`there is no project ${projectId}: create it first`);
        if (found.role && !found.ours)
          throw new SchemaError(`the role "${login}" exists already and was not made by genspan: choose another name for the login`);
        await tx.unsafe(`${found.role ? "ALTER" : "CREATE"} ROLE ${role} LOGIN PASSWORD '${scramVerifier(options.password)}'`);
        await tx.unsafe(`ALTER ROLE ${role} IN DATABASE ${quoteName(found.database)} SET search_path = ${quoteName(schema)}`);
        await tx`INSERT INTO ${table} (login, project_id, created_at) VALUES (${login}, ${projectId}, now())
          ON CONFLICT (login) DO UPDATE SET project_id = excluded.project_id`;
        await grantReadAccess(tx, schema, login);
      }),
    ),
  );
}

/** Takes away a login made by `ensureSqlLogin`, with its rights. Without such a login it does nothing. */
export async function dropSqlLogin(options: Pick<SqlLoginOptions, "url" | "schema" | "login">): Promise<void> {
  const schema = options.schema ?? DEFAULT_SCHEMA;
  await withConnection(options.url, (sql) =>
    sql.begin(async (tx) => {
      await lockSchemaChanges(tx, schema);
      const removed = await tx`DELETE FROM ${tx(schema)}.sql_logins WHERE login = ${options.login} RETURNING login`;
      if (removed.length === 0) return;
      await revokeReadAccess(tx, schema, options.login);
      await tx`DROP ROLE ${tx(options.login)}`;
    }),
  );
}

import type { Sql, TransactionSql } from "postgres";
import { lockSchemaChanges, quoteName, retryConcurrent, sqlState, withConnection } from "./connect.ts";
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
  /** Without it the project that the login has. */
  readonly projectId?: number;
  /** For a new login where no project is given; else 1. */
  readonly newProjectId?: number;
}

const FIRST_PROJECT = 1;

/** A dashboard asks for a dozen panels at a time. Nobody can raise it for himself, so that no login takes the collectors' connections. */
const MAX_SESSIONS = 20;

/** How sessions begin. A session may set them anew: they are against mistakes, and rights and row-level security against intent. */
const SETTINGS: Readonly<Record<string, string>> = {
  default_transaction_read_only: "on",
  statement_timeout: "60s",
  // What is left open holds back the partitions that retention drops, and every vacuum.
  idle_in_transaction_session_timeout: "60s",
};

/** Of one session; only for writers that may set it for others. It cannot be raised by the login. */
const TEMP_FILE_LIMIT = "1GB";

/**
 * Makes a database login for Grafana or psql that is bound to one project: no setting and no SET ROLE shows it another. Called again for
 * the same login it sets the password anew, and the project where one is given. Resolves with the project that it reads. Throws SchemaError for a
 * missing project and for a role that exists and was not made here.
 */
export async function ensureSqlLogin(options: SqlLoginOptions): Promise<{ readonly projectId: number }> {
  const { login } = options;
  const schema = options.schema ?? DEFAULT_SCHEMA;
  const role = quoteName(login);
  return withConnection(options.url, (sql) =>
    retryConcurrent(async () => {
      const projectId = await sql.begin("isolation level read committed", async (tx) => {
        await lockSchemaChanges(tx, schema);
        const table = tx`${tx(schema)}.sql_logins`;
        const [found] = await tx<[{ role: boolean; ours: boolean; reads: number | null; database: string }]>`
          SELECT to_regrole(${role}) IS NOT NULL AS role, EXISTS (SELECT FROM ${table} WHERE login = ${login}) AS ours,
            (SELECT project_id FROM ${table} WHERE login = ${login}) AS reads, current_database() AS database`;
        const project = options.projectId ?? found.reads ?? options.newProjectId ?? FIRST_PROJECT;
        const known = await tx`SELECT FROM ${tx(schema)}.projects WHERE id = ${project} AND deleted_at IS NULL`;
        if (known.length === 0) throw new SchemaError(`there is no project ${project}: create it first`);
        if (found.role && !found.ours)
          throw new SchemaError(`the role "${login}" exists already and was not made by genspan: choose another name for the login`);
        await tx.unsafe(
          `${found.role ? "ALTER" : "CREATE"} ROLE ${role} LOGIN CONNECTION LIMIT ${MAX_SESSIONS} PASSWORD '${scramVerifier(options.password)}'`,
        );
        await writeSettings(tx, `ALTER ROLE ${role} IN DATABASE ${quoteName(found.database)}`, schema);
        await tx`INSERT INTO ${table} (login, project_id, created_at) VALUES (${login}, ${project}, now())
          ON CONFLICT (login) DO UPDATE SET project_id = excluded.project_id`;
        await grantReadAccess(tx, schema, login);
        return project;
      });
      return { projectId };
    }),
  );
}

async function writeSettings(tx: TransactionSql, alterRole: string, schema: string): Promise<void> {
  await tx.unsafe(`${alterRole} SET search_path = ${quoteName(schema)}`);
  for (const [name, value] of Object.entries(SETTINGS)) await tx.unsafe(`${alterRole} SET ${name} = '${value}'`);
  const [may] = await tx<[{ limitFiles: boolean }]>`SELECT has_parameter_privilege('temp_file_limit', 'SET') AS "limitFiles"`;
  if (may.limitFiles) await tx.unsafe(`${alterRole} SET temp_file_limit = '${TEMP_FILE_LIMIT}'`);
}

/** What became of a login that was taken away. */
export interface DroppedLogin {
  readonly projectId: number;
  /** Its role is gone; or it only cannot log in any more and has no right left, since something in a database belongs to it. */
  readonly role: "dropped" | "closed";
}

type Dropping = Required<Pick<SqlLoginOptions, "schema" | "login">>;

/**
 * Takes away a login made by `ensureSqlLogin`, with its rights, its sessions and its large objects, which anybody can make in a database. What else
 * belongs to it stays, and its closed role with it. Undefined without such a login.
 */
export async function dropSqlLogin(options: Pick<SqlLoginOptions, "url" | "schema" | "login">): Promise<DroppedLogin | undefined> {
  const dropping = { login: options.login, schema: options.schema ?? DEFAULT_SCHEMA };
  return withConnection(options.url, async (sql) => {
    const projectId = await closeLogin(sql, dropping);
    if (projectId === undefined) return undefined;
    await removeLargeObjects(sql, dropping.login);
    return { projectId, role: await dropRole(sql, dropping) };
  });
}

/** From here on it reads nothing. Its entry stays to the end, so that a drop that was broken off can be called again. */
async function closeLogin(sql: Sql, { schema, login }: Dropping): Promise<number | undefined> {
  const closed = await sql.begin(async (tx) => {
    await lockSchemaChanges(tx, schema);
    const [found] = await tx<{ project_id: number; role: boolean }[]>`
      SELECT project_id, to_regrole(${quoteName(login)}) IS NOT NULL AS role FROM ${tx(schema)}.sql_logins WHERE login = ${login}`;
    if (found?.role === true) {
      await revokeReadAccess(tx, schema, login);
      await tx.unsafe(`ALTER ROLE ${quoteName(login)} NOLOGIN PASSWORD NULL`);
    }
    return found;
  });
  return closed?.project_id;
}

/** So few that their locks have room on any server. */
const OBJECTS_AT_A_TIME = 500;

/** Only who has the role's own rights may take its objects and sessions away; a writer that may not is left with a closed role. */
async function removeLargeObjects(sql: Sql, login: string): Promise<void> {
  const role = quoteName(login);
  try {
    const [may] = await sql<
      [{ already: boolean }]
    >`SELECT coalesce(pg_has_role(current_user, to_regrole(${role})::oid, 'USAGE'), true) AS already`;
    if (!may.already) await sql.unsafe(`GRANT ${role} TO CURRENT_USER`);
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${login} AND datname = current_database()`;
    for (let removed = OBJECTS_AT_A_TIME; removed === OBJECTS_AT_A_TIME; ) {
      const objects = await sql`SELECT lo_unlink(oid) FROM (
        SELECT oid FROM pg_largeobject_metadata WHERE lomowner = to_regrole(${role})::oid LIMIT ${OBJECTS_AT_A_TIME}) o`;
      removed = objects.length;
    }
  } catch (error) {
    if (sqlState(error) !== "42501") throw error;
  }
}

/** Objects in this database or another one belong to the role. */
const STILL_NEEDED = "2BP01";

async function dropRole(sql: Sql, { schema, login }: Dropping): Promise<DroppedLogin["role"]> {
  const forget = (on: Sql | TransactionSql) => on`DELETE FROM ${on(schema)}.sql_logins WHERE login = ${login}`;
  try {
    await sql.begin(async (tx) => {
      await forget(tx);
      await tx`DROP ROLE IF EXISTS ${tx(login)}`;
    });
    return "dropped";
  } catch (error) {
    if (sqlState(error) !== STILL_NEEDED) throw error;
    await forget(sql);
    return "closed";
  }
}

import { createHash, createHmac } from "node:crypto";
import type { Sql, TransactionSql } from "postgres";
import { lockSchemaChanges, quoteName, retryConcurrent, sqlState, withConnection } from "./connect.ts";
import { DEFAULT_SCHEMA } from "./migrate.ts";
import { grantReadAccess, grantToSqlLogins } from "./read-grants.ts";
import { checkReadLogin } from "./read-login-check.ts";
import { SchemaError } from "./schema-error.ts";
import { scramVerifier } from "./scram.ts";

export interface ReaderOptions {
  /** The writer's URL: a role that owns the tables and may create roles. */
  readonly url: string;
  readonly schema?: string;
}

/**
 * Makes sure of the login that the collector reads with, and returns its URL. The login owns nothing, may read parents and views only, and
 * is under row-level security: it sees the project named by SET LOCAL genspan.project. Roles are cluster-wide, so its name contains a hash of
 * database and schema; its password is derived from the writer's, so that collectors on several machines agree on it without a shared file.
 * Throws SchemaError where the writer may not create roles or the server does not let the login in.
 */
export async function ensureReader(options: ReaderOptions): Promise<{ url: string }> {
  const schema = options.schema ?? DEFAULT_SCHEMA;
  return withConnection(options.url, async (sql) => {
    const [{ database }] = await sql<[{ database: string }]>`SELECT current_database() AS database`;
    const login = readerName(database, schema);
    const password = derivePassword(options.url, login);
    const url = withLogin(options.url, login, password);
    const setUp = (resetPassword: boolean) => setUpReader(sql, { schema, database, login, password, resetPassword });

    await setUp(false);
    try {
      await checkReadLogin({ url, schema });
    } catch (error) {
      if (!isRefusedLogin(error)) throw error;
      // The writer's password has changed since the login was made.
      await setUp(true);
      await checkReadLogin({ url, schema }).catch((again: unknown) => {
        throw isRefusedLogin(again) ? refusedSentence(login, password) : again;
      });
    }
    return { url };
  });
}

interface Reader {
  readonly schema: string;
  readonly database: string;
  readonly login: string;
  readonly password: string | undefined;
  readonly resetPassword: boolean;
}

/** Makes what is missing of the login; most starts find everything in place and change nothing. */
async function setUpReader(sql: Sql, reader: Reader): Promise<void> {
  await retryConcurrent(() =>
    sql.begin("isolation level read committed", async (tx) => {
      await lockSchemaChanges(tx, reader.schema);
      const [found] = await tx<[{ exists: boolean; hasSettings: boolean; may: boolean; writer: string }]>`
        SELECT to_regrole(${quoteName(reader.login)}) IS NOT NULL AS exists, rolsuper OR rolcreaterole AS may, rolname AS writer,
          EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
            WHERE d.datname = current_database() AND s.setrole = to_regrole(${quoteName(reader.login)})::oid) AS "hasSettings"
        FROM pg_roles WHERE rolname = current_user`;
      const writesRole = !found.exists || reader.resetPassword;
      if ((writesRole || !found.hasSettings) && !found.may) throw missingCreateRole(found.writer);
      if (writesRole) await writeRole(tx, reader, found.exists);
      if (!found.hasSettings) await writeSettings(tx, reader);
      await grantReadAccess(tx, reader.schema, reader.login);
      await grantToSqlLogins(tx, reader.schema);
    }),
  );
}

/** Utility statements take no parameters; a verifier has no character that needs quoting. */
async function writeRole(tx: TransactionSql, { login, password }: Reader, exists: boolean): Promise<void> {
  const secret = password === undefined ? "NULL" : `'${scramVerifier(password)}'`;
  await tx.unsafe(`${exists ? "ALTER" : "CREATE"} ROLE ${quoteName(login)} LOGIN PASSWORD ${secret}`);
}

async function writeSettings(tx: TransactionSql, { login, database, schema }: Reader): Promise<void> {
  const role = `ALTER ROLE ${quoteName(login)} IN DATABASE ${quoteName(database)}`;
  await tx.unsafe(`${role} SET search_path = ${quoteName(schema)}`);
  await tx.unsafe(`${role} SET default_transaction_read_only = on`);
}

function readerName(database: string, schema: string): string {
  return `genspan_reader_${createHash("sha256").update(`${database}\0${schema}`).digest("hex").slice(0, 16)}`;
}

/** Undefined where the writer has no password in its URL: then there is no secret to derive one from, and the server must not ask for one. */
function derivePassword(writerUrl: string, login: string): string | undefined {
  const { password } = new URL(writerUrl);
  if (password === "") return undefined;
  return createHmac("sha256", decodeURIComponent(password)).update(`genspan reader ${login}`).digest("base64url");
}

function withLogin(url: string, login: string, password: string | undefined): string {
  const changed = new URL(url);
  changed.username = login;
  changed.password = password ?? "";
  return changed.href;
}

const isRefusedLogin = (error: unknown): boolean =>
  error instanceof SchemaError && ["28P01", "28000"].includes(sqlState(error.cause) ?? "");

function missingCreateRole(writer: string): SchemaError {
  return new SchemaError(
    `the role "${writer}" may not create the login that genspan reads with: let a superuser run ALTER ROLE "${writer}" CREATEROLE, or make a login that may only read and give its URL as read_url`,
  );
}

function refusedSentence(login: string, password: string | undefined): SchemaError {
  const hint =
    password === undefined ? "DATABASE_URL has no password to derive one from: add one, or" : "check the server's pg_hba.conf for it, or";
  return new SchemaError(
    `the server does not let in the login "${login}" that genspan reads with; ${hint} make a read login and give its URL as read_url`,
  );
}

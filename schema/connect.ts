import type { Sql, TransactionSql } from "postgres";
import { postgres, SESSION } from "./driver.ts";
import { SchemaError } from "./schema-error.ts";

/** The connection pool as callers that only pass it on know it. */
export type { Sql, TransactionSql } from "postgres";

/** Opens one connection for `work` and closes it. A server that cannot be reached or refuses the login is a SchemaError. */
export async function withConnection<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  if (!isDatabaseUrl(url)) throw explainConnectError(Object.assign(new Error("invalid URL"), { code: "ERR_INVALID_URL" }), url);
  if (!hasKnownSslMode(url)) throw explainConnectError(Object.assign(new Error("unknown sslmode"), { code: UNKNOWN_SSL_MODE }), url);
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection: { application_name: "genspan schema", ...SESSION } });
  try {
    await sql`SELECT`.catch((error: unknown) => {
      throw explainConnectError(error, url);
    });
    return await work(sql);
  } finally {
    await sql.end();
  }
}

const isDatabaseUrl = (url: string): boolean => URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol);

/** libpq's, and `no-verify` of drivers for Node. Any other word would silently mean TLS. */
const SSL_MODES: ReadonlySet<string> = new Set(["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full", "no-verify"]);
const UNKNOWN_SSL_MODE = "ERR_UNKNOWN_SSL_MODE";

const hasKnownSslMode = (url: string): boolean => new URL(url).searchParams.getAll("sslmode").every((mode) => SSL_MODES.has(mode));

/**
 * Takes the turn of the one session per schema that may change it; given back at the end of the transaction, also when the session dies.
 * (A lock of the transaction, not of the session, so that it holds behind a pooler as well.)
 */
export async function lockSchemaChanges(tx: TransactionSql, schema: string): Promise<void> {
  await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`genspan.schema.${schema}`}, 0))`;
}

/** Roles are shared by all databases of a server, and a lock is not: a neighbour may change the same catalog row in the same moment. */
const CONCURRENT_CHANGE = new Set(["XX000", "23505", "42710"]);
const ATTEMPTS = 5;

/** Runs `work` again where a concurrent change of roles or grants made it fail. */
export async function retryConcurrent<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !CONCURRENT_CHANGE.has(sqlState(error) ?? "")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
    }
  }
}

/** A name as SQL writes it. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The SQLSTATE or the system's error code of a failed statement or connection. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Turns a failed connection into one sentence; a defect of the program comes back as it is. The sentence names host and user, never the password. */
export function explainConnectError(error: unknown, url: string): unknown {
  const code = sqlState(error);
  return code === undefined ? error : new SchemaError(connectSentence(code, url), { cause: error });
}

/** Codes of OpenSSL and Node for a certificate that does not hold. */
const CERTIFICATE_CODE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/;

function connectSentence(code: string, url: string): string {
  const { host, user, database } = describeUrl(url);
  switch (code) {
    case "ECONNREFUSED":
    case "ENOENT":
      return `no PostgreSQL answers at ${host}: start it, or correct the host and port in DATABASE_URL`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the host of ${host} is not known: correct it in DATABASE_URL`;
    case "CONNECT_TIMEOUT":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `PostgreSQL at ${host} cannot be reached: check the address in DATABASE_URL and the firewall`;
    case "28P01":
    case "28000":
      return `PostgreSQL at ${host} refuses the user "${user}": check user and password in DATABASE_URL and the server's pg_hba.conf`;
    case "3D000":
      return `the database "${database}" does not exist at ${host}: create it, or correct its name in DATABASE_URL`;
    case "ERR_INVALID_URL":
      return "DATABASE_URL is not a URL like postgres://user:password@host:5432/database: correct it";
    case UNKNOWN_SSL_MODE:
      return "the sslmode in DATABASE_URL is none that there is: write disable, require or verify-full";
    case "ECONNRESET":
    case "EPIPE":
    case "CONNECTION_CLOSED":
      return `${host} breaks off the connection: check that PostgreSQL listens there, and that it speaks TLS if sslmode in DATABASE_URL demands it`;
    case "53300":
      return `PostgreSQL at ${host} has no connection left: raise its max_connections, or end other sessions`;
    case "57P03":
      return `PostgreSQL at ${host} is starting up or shutting down: start again when it takes connections`;
    default:
      return CERTIFICATE_CODE.test(code)
        ? `the certificate of PostgreSQL at ${host} is not trusted (${code}): correct it, or the sslmode in DATABASE_URL`
        : `PostgreSQL at ${host} refuses the connection (${code}): check the settings in DATABASE_URL`;
  }
}

/** The parts of a database URL that may be shown. */
function describeUrl(url: string): { host: string; user: string; database: string } {
  if (!URL.canParse(url)) return { host: "the given address", user: "", database: "" };
  const { hostname, port, username, pathname } = new URL(url);
  return { host: `${hostname}:${port || "5432"}`, user: decodeURIComponent(username), database: decodeURIComponent(pathname.slice(1)) };
}

import { SchemaError } from "./schema-error.ts";

/** The SQLSTATE or the system's error code of a failed statement or connection. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Turns a failed connection into one sentence; other errors come back as they are. The sentence names host and user, never the password. */
export function explainConnectError(error: unknown, url: string): unknown {
  const sentence = connectSentence(sqlState(error), url);
  return sentence === undefined ? error : new SchemaError(sentence, { cause: error });
}

function connectSentence(code: string | undefined, url: string): string | undefined {
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
    default:
      return undefined;
  }
}

function describeUrl(url: string): { host: string; user: string; database: string } {
  if (!URL.canParse(url)) return { host: "the given address", user: "", database: "" };
  const { hostname, port, username, pathname } = new URL(url);
  return { host: `${hostname}:${port || "5432"}`, user: decodeURIComponent(username), database: decodeURIComponent(pathname.slice(1)) };
}

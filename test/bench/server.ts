import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import postgres, { type Sql } from "postgres";
import { findServiceAccount } from "../../collector/embedded/service-account.ts";
import { startCluster, systemBinaries } from "../support/cluster.ts";
import { parentOf } from "./machine.ts";

/** The database that a run works in: empty at the start, gone at the end. */
export interface BenchServer {
  readonly kind: "embedded" | "system" | "given";
  readonly url: string;
  /** Process id of the postmaster, undefined where the server runs on another machine. */
  readonly postmasterPid: number | undefined;
  readonly hasLz4: boolean;
  close(): Promise<void>;
}

/** Room for the load: enough buffers and WAL that no checkpoint falls into a measurement. Everything else is as installed. */
const SETTINGS = { shared_buffers: "1GB", max_wal_size: "8GB" };
const SYSTEM_SETTINGS = { ...SETTINGS, wal_compression: "lz4" };

/** Starts a throw-away cluster (`system`, `embedded`), or makes a database of its own on a server that was given by URL. */
export async function openServer(choice: string): Promise<BenchServer> {
  const kind = choice === "auto" ? automatic() : choice;
  if (kind !== "system" && kind !== "embedded") return onGivenServer(kind);
  const cluster = kind === "system" ? await startCluster("server", SYSTEM_SETTINGS) : await startCluster("embedded", SETTINGS);
  const database = await createDatabase(cluster.url);
  return { kind, ...database, postmasterPid: cluster.pid(), close: () => cluster.destroy() };
}

const automatic = (): "system" | "embedded" => (systemBinaries(findServiceAccount() ?? undefined) === undefined ? "embedded" : "system");

async function onGivenServer(url: string): Promise<BenchServer> {
  const database = await createDatabase(url);
  const close = async (): Promise<void> => {
    const name = new URL(database.url).pathname.slice(1);
    await withSql(url, (sql) => sql.unsafe(`DROP DATABASE ${name} WITH (FORCE)`));
  };
  return { kind: "given", ...database, close };
}

async function createDatabase(url: string): Promise<Pick<BenchServer, "url" | "postmasterPid" | "hasLz4">> {
  const name = `genspan_bench_${randomBytes(4).toString("hex")}`;
  const facts = await withSql(url, async (sql) => {
    await sql.unsafe(`CREATE DATABASE ${name}`);
    const [row] = await sql`SELECT pg_backend_pid() AS pid,
      (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') AS lz4`;
    return { postmasterPid: postmasterOf(Number(row?.["pid"])), hasLz4: row?.["lz4"] === true };
  });
  const own = new URL(url);
  own.pathname = name;
  return { url: own.href, ...facts };
}

/** The parent of a backend, if that backend is a process of this machine. */
function postmasterOf(backendPid: number): number | undefined {
  try {
    return readFileSync(`/proc/${backendPid}/cmdline`, "latin1").startsWith("postgres:") ? parentOf(backendPid) : undefined;
  } catch {
    return undefined;
  }
}

async function withSql<T>(url: string, use: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

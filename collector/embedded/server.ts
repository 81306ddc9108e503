import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { SetupError } from "../base/setup-error.ts";
import type { Binaries } from "./binaries.ts";
import { type ServiceAccount, spawnAs } from "./service-account.ts";

/** One PostgreSQL server: its programs, the user it runs as, and its files. */
export interface ServerPlace {
  readonly binaries: Binaries;
  readonly account: ServiceAccount | undefined;
  /** PGDATA. */
  readonly cluster: string;
  readonly logFile: string;
}

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export const OWNER = "genspan";

/** For a laptop: durable as PostgreSQL is by default, roomy enough that bursts do not force checkpoints, nothing that wakes up for no reason. */
const SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: "256MB",
  max_wal_size: "4GB",
  checkpoint_timeout: "15min",
  jit: "off",
  max_connections: "80",
  timezone: "UTC",
  log_timezone: "UTC",
  unix_socket_directories: "",
};

const READY_WITHIN_MS = 60_000;
const POLL_MS = 25;
const STOP_WITHIN_SECONDS = 60;

/** Makes a cluster owned by `genspan`, reachable by password only. It appears under its name when it is complete. */
export function initCluster(place: ServerPlace, password: string): void {
  const { account, binaries, cluster } = place;
  const partial = `${cluster}.new`;
  const passwordFile = `${cluster}.password`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account !== undefined) for (const path of [partial, passwordFile]) chownSync(path, account.uid, account.gid);
  const flags = ["-U", OWNER, "-A", "scram-sha-256", `--pwfile=${passwordFile}`, "-E", "UTF8", "--locale=C", "--no-instructions"];
  const made = spawnSync(binaries.initdb, ["-D", partial, ...flags], { ...spawnAs(account), encoding: "utf8" });
  rmSync(passwordFile, { force: true });
  if (made.status !== 0) {
    rmSync(partial, { recursive: true, force: true });
    throw new SetupError(
      `the embedded database could not be created (${lastLine(made.stderr)}): free some disk space or choose another GENSPAN_DATA_DIR`,
    );
  }
  renameSync(partial, cluster);
}

/**
 * Starts the server in a session of its own, so that Ctrl+C, which goes to the whole foreground group, does not reach it before its
 * user has drained. Resolves when it takes connections.
 */
export async function startServer(
  place: ServerPlace,
  address: ServerAddress,
  password: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { account, binaries, cluster, logFile } = place;
  const log = openSync(logFile, "a", 0o600);
  if (account !== undefined) chownSync(logFile, account.uid, account.gid);
  const all = { ...SETTINGS, listen_addresses: address.host, port: String(address.port), ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = spawn(binaries.postgres, ["-D", cluster, ...flags], { ...spawnAs(account), detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  let ended = false;
  server.once("exit", () => {
    ended = true;
  });
  server.once("error", () => {
    ended = true;
  });
  server.unref();
  await untilReady(address, password, () => ended && startFault(logFile, address));
}

/** Waits until the server answers; `failed` names a reason to give up. */
export async function untilReady(address: ServerAddress, password: string, failed: () => SetupError | false): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    if (await answers(urlOf(address, password, "postgres"))) return;
    const fault = failed();
    if (fault) throw fault;
    if (Date.now() > deadline)
      throw new SetupError("the embedded database did not become ready within a minute: look into postgres.log in its folder");
    await sleep(POLL_MS);
  }
}

async function answers(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {}, backoff: () => 0 });
  try {
    await sql`SELECT`;
    return true;
  } catch {
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function startFault(logFile: string, { host, port }: ServerAddress): SetupError {
  const log = existsSync(logFile) ? readFileSync(logFile, "utf8").split("\n").slice(-20).join("\n") : "";
  if (/could not bind|Address already in use/i.test(log)) return portTaken(host, port);
  const fatal = /(?:FATAL|PANIC):\s*(.*)/.exec(log)?.[1] ?? "it ended at once";
  return new SetupError(`the embedded database did not start (${fatal}): look into postgres.log in its folder`);
}

export const portTaken = (host: string, port: number): SetupError =>
  new SetupError(
    `Port ${port} on ${host}, meant for the embedded database, is in use by another program: stop it, or set DATABASE_URL to a server of your own.`,
  );

/** The pid of the server that owns the cluster, if it is alive, and the address it serves. */
export function runningServer(cluster: string): (ServerAddress & { readonly pid: number }) | undefined {
  const file = join(cluster, "postmaster.pid");
  if (!existsSync(file)) return undefined;
  const [pid = "", , , port = "", , host = ""] = readFileSync(file, "utf8").split("\n");
  if (!isAlive(Number(pid))) return undefined;
  return { pid: Number(pid), port: Number(port), host: host.trim() === "" ? "127.0.0.1" : host.trim() };
}

export function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Ends all sessions, writes everything out, and waits. */
export async function stopServer(place: ServerPlace): Promise<void> {
  const flags = ["stop", "-D", place.cluster, "-m", "fast", "-w", "-t", String(STOP_WITHIN_SECONDS)];
  const done = Promise.withResolvers<void>();
  const control = spawn(place.binaries.pgCtl, flags, { ...spawnAs(place.account), stdio: "ignore" });
  control.once("exit", () => done.resolve());
  control.once("error", () => done.resolve());
  await done.promise;
}

export function urlOf({ host, port }: ServerAddress, password: string, database: string): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `postgres://${OWNER}:${password}@${name}:${port}/${database}`;
}

/** A port nobody listens on at the moment; for `wanted` 0 any. Undefined when the wanted one is taken. */
export function freePort(host: string, wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(undefined));
    probe.listen(wanted, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : undefined));
    });
  });
}

/** Gives a folder to the account, closed to others. */
export function giveTo(account: ServiceAccount | undefined, folder: string): void {
  chmodSync(folder, 0o700);
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "no reason given";

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError } from "../base/setup-error.ts";
import type { Binaries } from "./binaries.ts";
import { disownStalePid, isAlive, type Postmaster, readPostmaster } from "./postmaster-file.ts";
import { type ServiceAccount, spawnAs } from "./service-account.ts";
import { settingsText, writeSettings } from "./settings.ts";

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

const READY_WITHIN_MS = 60_000;
/** Sessions of a killed server notice within this time that it is gone. */
const OLD_SESSIONS_END_WITHIN_MS = 10_000;
const POLL_MS = 10;
const STOP_WITHIN_SECONDS = 60;
/** An older log is kept once, under the name with `.1`. */
const MAX_LOG_BYTES = 10 * 1024 * 1024;

/**
 * Makes a cluster owned by `genspan`, reachable by password only. It appears under its name when it is complete; of two made at once
 * the first stays. Text sorts by code point and knows the case of all letters wherever the server offers that without the system's locales.
 */
export function initCluster(place: ServerPlace, password: string): void {
  const { account, binaries, cluster } = place;
  removeAbandoned(cluster);
  const partial = `${cluster}.new-${process.pid}`;
  const passwordFile = `${partial}.password`;
  mkdirSync(partial, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account !== undefined) for (const path of [partial, passwordFile]) chownSync(path, account.uid, account.gid);
  const locale = binaries.majorVersion >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"] : ["--locale=C"];
  const flags = ["-U", OWNER, "-A", "scram-sha-256", `--pwfile=${passwordFile}`, "-E", "UTF8", ...locale, "--no-instructions"];
  const made = spawnSync(binaries.initdb, ["-D", partial, ...flags], { ...spawnAs(account), encoding: "utf8" });
  rmSync(passwordFile, { force: true });
  if (made.status === 0) {
    tryRename(partial, cluster);
    return;
  }
  rmSync(partial, { recursive: true, force: true });
  throw initFault(made.stderr);
}

function initFault(printed: string): SetupError {
  const reason = printed.split("\n").find((line) => /error|fatal|could not/i.test(line)) ?? "no reason given";
  const uid = /user ID (\d+): user does not exist/.exec(reason)?.[1];
  if (uid !== undefined)
    return new SetupError(
      `The user with uid ${uid} has no name on this system, which PostgreSQL needs: add one to /etc/passwd, start as another user, or set DATABASE_URL.`,
    );
  return new SetupError(`The embedded database could not be created (${reason}): free some disk space or choose another GENSPAN_DATA_DIR.`);
}

/** What starts that were killed have left. */
function removeAbandoned(cluster: string): void {
  for (const name of readdirSync(dirname(cluster))) {
    const pid = new RegExp(`^${basename(cluster)}\\.new-(\\d+)`).exec(name)?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid))))
      rmSync(join(dirname(cluster), name), { recursive: true, force: true });
  }
}

function tryRename(partial: string, cluster: string): void {
  try {
    renameSync(partial, cluster);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(join(cluster, "PG_VERSION"))) throw error;
  }
}

/**
 * Starts the server in a session of its own, so that Ctrl+C, which goes to the whole foreground group, does not reach it before its
 * user has drained. Resolves when it takes connections; `flags` are more settings for this start. Throws SetupError.
 */
export async function startServer(
  place: ServerPlace,
  address: ServerAddress,
  flags: Readonly<Record<string, string>> = {},
): Promise<Postmaster> {
  writeSettings(place.cluster, settingsText(place.binaries.version));
  const oldSessionsEnd = performance.now() + OLD_SESSIONS_END_WITHIN_MS;
  for (;;) {
    const attempt = await startOnce(place, { ...flags, listen_addresses: address.host, port: String(address.port) });
    if (typeof attempt !== "string") return attempt;
    const isHeld = /shared memory block .* is still in use/.test(attempt);
    if (!isHeld || performance.now() > oldSessionsEnd) throw startFault(attempt, address);
    await sleep(100);
  }
}

/** One attempt; resolves with what the server logged when it ended instead. */
async function startOnce(place: ServerPlace, settings: Readonly<Record<string, string>>): Promise<Postmaster | string> {
  const { account, binaries, cluster, logFile } = place;
  disownStalePid(cluster);
  if (existsSync(logFile) && statSync(logFile).size > MAX_LOG_BYTES) renameSync(logFile, `${logFile}.1`);
  const log = openSync(logFile, "a", 0o600);
  if (account !== undefined) chownSync(logFile, account.uid, account.gid);
  const logStart = statSync(logFile).size;
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = spawn(binaries.postgres, ["-D", cluster, ...flags], { ...spawnAs(account), detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  let failure: Error | undefined;
  server.once("error", (error) => {
    failure = error;
  });
  server.unref();
  const ended = (): boolean => failure !== undefined || server.exitCode !== null || server.signalCode !== null;
  const running = await untilReady(cluster, ended);
  return running ?? failure?.message ?? readFileSync(logFile).subarray(logStart).toString();
}

/** The server on the cluster once it takes connections; undefined when it is gone. Throws SetupError when it takes too long. */
export async function untilReady(
  cluster: string,
  isGone: () => boolean = () => readPostmaster(cluster) === undefined,
): Promise<Postmaster | undefined> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    // Asked first: a server that is ready and ends after that is not taken for one that never ran.
    const gone = isGone();
    const server = readPostmaster(cluster);
    if (server?.ready) return server;
    if (gone && server === undefined) return undefined;
    await sleep(POLL_MS);
  }
  throw new SetupError("The embedded database did not become ready within a minute: look into postgres.log in its folder.");
}

function startFault(logged: string, { host, port }: ServerAddress): SetupError {
  if (/could not bind|Address already in use/i.test(logged)) return portTaken(host, port);
  const fatal = /(?:FATAL|PANIC):\s*(.*)/.exec(logged)?.[1] ?? logged.trim().split("\n").at(-1);
  return new SetupError(`The embedded database did not start (${fatal || "it ended at once"}): look into postgres.log in its folder.`);
}

export const portTaken = (host: string, port: number): SetupError =>
  new SetupError(
    `Port ${port} on ${host}, meant for the embedded database, is in use by another program: stop it, or set DATABASE_URL to a server of your own.`,
  );

/** Ends all sessions, writes everything out, and waits until the server is gone. One that cannot finish is ended without writing out: it recovers at the next start. */
export async function stopServer(place: ServerPlace): Promise<void> {
  for (const mode of ["fast", "immediate"]) {
    if (readPostmaster(place.cluster) === undefined) return;
    const flags = ["stop", "-D", place.cluster, "-m", mode, "-w", "-t", String(STOP_WITHIN_SECONDS)];
    const control = spawn(place.binaries.pgCtl, flags, { ...spawnAs(place.account), stdio: "ignore" });
    await once(control, "exit");
  }
}

export function urlOf({ host, port }: ServerAddress, password: string, database: string): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `postgres://${OWNER}:${password}@${name}:${port}/${database}`;
}

/** A port nobody listens on at the moment; for `wanted` 0 any. Undefined when the wanted one is taken. Throws SetupError for a host or port that we may not have. */
export function freePort(host: string, wanted: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "EADDRINUSE") resolve(undefined);
      else reject(new SetupError(`The embedded database cannot listen on ${host}, port ${wanted} (${code}): choose another.`));
    });
    probe.listen(wanted, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : undefined));
    });
  });
}

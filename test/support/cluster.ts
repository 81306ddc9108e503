import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Binaries, findBinaries, tryBinaries } from "../../collector/embedded/binaries.ts";
import { binariesFolder, CLUSTER, makeShared } from "../../collector/embedded/data-folder.ts";
import { isAlive, readPostmaster } from "../../collector/embedded/postmaster-file.ts";
import { freePort, initCluster, type ServerPlace, startServer, stopServer, urlOf } from "../../collector/embedded/server.ts";
import { findServiceAccount, type ServiceAccount } from "../../collector/embedded/service-account.ts";
import { guardFolder } from "./folder-guard.ts";

export type ServerKind = "embedded" | "server";

/** A throw-away PostgreSQL of a test's own. */
export interface TestCluster {
  /** A superuser's URL; the same after every start. */
  readonly url: string;
  /** Everything the server said. */
  readonly logFile: string;
  /** Of the postmaster; 0 while it is down. */
  pid(): number;
  /** As when the machine runs out of memory: postmaster and all its children at once. Resolves when they are gone. */
  kill9(): Promise<void>;
  start(settings?: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
  /** Stops and removes everything; that happens also when the tests are interrupted. */
  destroy(): Promise<void>;
}

const PASSWORD = "s3cr3t-4711";
const SYSTEM_FOLDER = "/usr/lib/postgresql";

/** Small, and with all that a failed test may want to know in its log. */
const SETTINGS = { shared_buffers: "64MB", max_connections: "150", log_min_messages: "warning", log_min_error_statement: "error" };

/** The newest PostgreSQL installed on this machine, if there is one that our user can run. */
export function systemBinaries(account: ServiceAccount | undefined): Binaries | undefined {
  if (!existsSync(SYSTEM_FOLDER)) return undefined;
  const versions = readdirSync(SYSTEM_FOLDER).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => tryBinaries(join(SYSTEM_FOLDER, version), account)).find((found) => found !== undefined);
}

function testAccount(): ServiceAccount | undefined {
  const account = findServiceAccount();
  if (account === null) throw new Error("no user to run PostgreSQL as");
  return account;
}

function binariesOf(kind: ServerKind, account: ServiceAccount | undefined): Binaries {
  const copyFolder = account === undefined ? join(tmpdir(), `genspan-test-binaries-${process.getuid?.()}`) : binariesFolder();
  const beforeCopy = (): void => {
    if (account !== undefined) makeShared(copyFolder);
  };
  const found = kind === "server" ? systemBinaries(account) : findBinaries({ account, copyFolder, beforeCopy });
  if (found === undefined) throw new Error("no PostgreSQL is installed");
  return found;
}

/** Starts a fresh cluster in a temporary folder. `settings` go to the server's command line. */
export async function startCluster(kind: ServerKind, settings: Readonly<Record<string, string>> = {}): Promise<TestCluster> {
  const account = testAccount();
  const folder = mkdtempSync(join(tmpdir(), `genspan-test-${kind}-`));
  chmodSync(folder, 0o755);
  const guard = guardFolder(folder);
  const cluster = join(folder, CLUSTER);
  const place: ServerPlace = { binaries: binariesOf(kind, account), account, cluster, logFile: join(folder, "postgres.log") };
  initCluster(place, PASSWORD);
  const port = await freePort("127.0.0.1", 0);
  if (port === undefined) throw new Error("no free port");
  const address = { host: "127.0.0.1", port };
  const start = async (more: Readonly<Record<string, string>> = {}): Promise<void> => {
    await startServer(place, address, { ...SETTINGS, ...settings, ...more });
  };
  const pid = (): number => readPostmaster(cluster)?.pid ?? 0;
  await start();
  return {
    url: urlOf(address, PASSWORD, "postgres"),
    logFile: place.logFile,
    pid,
    kill9: () => killAll(pid()),
    start,
    stop: () => stopServer(place),
    async destroy() {
      await stopServer(place);
      rmSync(folder, { recursive: true, force: true });
      guard.release();
    },
  };
}

/** Every session is in a process group of its own, so a signal to the postmaster's group would leave them. */
export async function killAll(postmaster: number): Promise<void> {
  if (postmaster === 0) return;
  const found = spawnSync("pgrep", ["-P", String(postmaster)], { encoding: "utf8" }).stdout ?? "";
  const pids = [postmaster, ...found.split("\n").filter(Boolean).map(Number)];
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  while (pids.some((pid) => isAlive(pid) && !isZombie(pid))) await sleep(5);
}

/** A child whose parent has been killed may wait for an init process that never asks. */
function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

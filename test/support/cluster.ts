import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Binaries, findBinaries, tryBinaries } from "../../collector/embedded/binaries.ts";
import { binariesFolder } from "../../collector/embedded/data-folder.ts";
import {
  freePort,
  giveTo,
  initCluster,
  runningServer,
  type ServerPlace,
  startServer,
  stopServer,
  urlOf,
} from "../../collector/embedded/server.ts";
import { findServiceAccount, type ServiceAccount } from "../../collector/embedded/service-account.ts";

export type ServerKind = "embedded" | "server";

/** A throw-away PostgreSQL of a test's own. */
export interface TestCluster {
  readonly url: string;
  readonly logFile: string;
  pid(): number;
  /** As after a power cut for the server: postmaster and all its children at once. */
  kill9(): void;
  start(settings?: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
  /** Stops and removes everything. */
  destroy(): Promise<void>;
}

const PASSWORD = "s3cr3t-4711";
const SYSTEM_FOLDER = "/usr/lib/postgresql";

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
  const found = kind === "server" ? systemBinaries(account) : findBinaries({ account, copyFolder: binariesFolder() });
  if (found === undefined) throw new Error("no PostgreSQL is installed");
  return found;
}

/** Starts a fresh cluster in a temporary folder. `settings` go to the server's command line. */
export async function startCluster(kind: ServerKind, settings: Readonly<Record<string, string>> = {}): Promise<TestCluster> {
  const account = testAccount();
  const folder = mkdtempSync(join(tmpdir(), `genspan-test-${kind}-`));
  giveTo(account, folder);
  const place: ServerPlace = {
    binaries: binariesOf(kind, account),
    account,
    cluster: join(folder, "postgres"),
    logFile: join(folder, "postgres.log"),
  };
  initCluster(place, PASSWORD);
  const port = await freePort("127.0.0.1", 0);
  if (port === undefined) throw new Error("no free port");
  const address = { host: "127.0.0.1", port };
  const start = (more: Readonly<Record<string, string>> = {}) =>
    startServer(place, address, PASSWORD, { shared_buffers: "64MB", max_connections: "150", ...settings, ...more });
  const pid = (): number => runningServer(place.cluster)?.pid ?? 0;
  await start();
  return {
    url: urlOf(address, PASSWORD, "postgres"),
    logFile: place.logFile,
    pid,
    kill9: () => void process.kill(-pid(), "SIGKILL"),
    start,
    stop: () => stopServer(place),
    async destroy() {
      if (pid() > 0) await stopServer(place);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

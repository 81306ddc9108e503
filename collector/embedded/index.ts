import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import type { Log } from "../base/log.ts";
import { SetupError } from "../base/setup-error.ts";
import { findBinaries } from "./binaries.ts";
import { binariesFolder, hasCluster, openDataFolder, readPassword, writeState } from "./data-folder.ts";
import {
  freePort,
  initCluster,
  OWNER,
  portTaken,
  runningServer,
  type ServerAddress,
  type ServerPlace,
  startServer,
  stopServer,
  untilReady,
  urlOf,
} from "./server.ts";
import { findServiceAccount } from "./service-account.ts";

export { readEmbeddedState } from "./data-folder.ts";

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Log;
}

/** A running embedded PostgreSQL; ours alone until `stop`. */
export interface EmbeddedDatabase {
  /** The owner's connection URL. */
  readonly url: string;
  readonly port: number;
  /** The folder really used. */
  readonly folder: string;
  /** Ends all sessions and shuts down; resolves when the server is gone. */
  stop(): Promise<void>;
}

const DATABASE = "genspan";
/** Held by a session of the collector for as long as it lives: the system gives it back also after kill -9. */
const COLLECTOR_LOCK = 4_317_431_843_194_320n;
const WATCH_EVERY_MS = 500;
/** A killed collector's sessions end within this time. */
const LOCK_WITHIN_MS = 5_000;

/**
 * Starts PostgreSQL on the data folder, making it the first time; takes over a server that a killed collector left behind.
 * Throws SetupError for whatever a person must mend, among it a second live collector on the same data.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { log, host } = options;
  const account = findServiceAccount();
  if (account === null) {
    throw new SetupError(
      "PostgreSQL does not run as root and no user postgres, nobody or daemon exists: create one, start as an ordinary user, or set DATABASE_URL.",
    );
  }
  const folder = openDataFolder(options.dataDir, account, (substitute) =>
    log.warn({ folder: substitute, user: account?.name }, "the data folder is closed to the database's user; its data is kept elsewhere"),
  );
  const binaries = findBinaries({
    account,
    copyFolder: account === undefined ? join(folder, "binaries") : binariesFolder(),
    onCopy: (copy) => log.info({ folder: copy }, "the bundled PostgreSQL was copied to where the database's user can run it"),
  });
  const place: ServerPlace = { binaries, account, cluster: join(folder, "postgres"), logFile: join(folder, "postgres.log") };
  const password = readPassword(folder);
  if (!hasCluster(place.cluster, binaries.majorVersion)) initCluster(place, password);

  const address = await runOrTakeOver(place, { host, port: options.port }, password);
  const url = urlOf(address, password, DATABASE);
  await createDatabase(urlOf(address, password, "postgres"));
  const lock = await lockForUs(url);
  const guard = watchServer(place, { address, password, lock, log });
  writeState(folder, { url, host: address.host, port: address.port, pid: process.pid });
  return {
    url,
    port: address.port,
    folder,
    async stop() {
      rmSync(join(folder, "embedded.json"), { force: true });
      await guard.stop();
      await lock.end({ timeout: 1 });
      await stopServer(place);
    },
  };
}

async function runOrTakeOver(place: ServerPlace, wanted: ServerAddress, password: string): Promise<ServerAddress> {
  const orphan = runningServer(place.cluster);
  if (orphan !== undefined && orphan.port > 0) {
    const gone = () =>
      runningServer(place.cluster) === undefined && new SetupError("the embedded database stopped while it was taken over: start again");
    await untilReady(orphan, password, gone);
    return orphan;
  }
  const port = await freePort(wanted.host, wanted.port);
  if (port === undefined) throw portTaken(wanted.host, wanted.port);
  const address = { host: wanted.host, port };
  await startServer(place, address, password);
  return address;
}

interface Watched {
  readonly address: ServerAddress;
  readonly password: string;
  readonly lock: Sql;
  readonly log: Log;
}

/** Starts the server again when it has died (killed, out of memory): its clients meet a short outage and nothing else. */
function watchServer(place: ServerPlace, { address, password, lock, log }: Watched): { stop(): Promise<void> } {
  let mending: Promise<void> | undefined;
  const mend = async (): Promise<void> => {
    log.error({}, "the embedded database has died; starting it again");
    try {
      await startServer(place, address, password);
      await tryLock(lock);
      log.info({}, "the embedded database runs again");
    } catch (error) {
      log.error(
        { error: error instanceof Error ? error.name : "unknown" },
        "the embedded database could not be started again; trying again",
      );
    }
  };
  const timer = setInterval(() => {
    if (mending !== undefined || runningServer(place.cluster) !== undefined) return;
    mending = mend().finally(() => {
      mending = undefined;
    });
  }, WATCH_EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await mending;
    },
  };
}

async function createDatabase(adminUrl: string): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    const [known] = await sql`SELECT FROM pg_database WHERE datname = ${DATABASE}`;
    if (known === undefined) await sql.unsafe(`CREATE DATABASE ${DATABASE} OWNER ${OWNER}`);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function tryLock(sql: Sql): Promise<boolean> {
  const [answer] = await sql<[{ locked: boolean }]>`SELECT pg_try_advisory_lock(${COLLECTOR_LOCK.toString()}::bigint) AS locked`;
  return answer.locked;
}

async function lockForUs(url: string): Promise<Sql> {
  const sql = postgres(url, {
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    onnotice: () => {},
    connection: { application_name: "genspan collector lock" },
  });
  const deadline = Date.now() + LOCK_WITHIN_MS;
  for (;;) {
    if (await tryLock(sql)) return sql;
    if (Date.now() > deadline) break;
    await sleep(100);
  }
  await sql.end({ timeout: 1 });
  throw new SetupError(
    "Another genspan collector is running on this data folder: stop it, or set GENSPAN_DATA_DIR to another folder (or DATABASE_URL to share one database).",
  );
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { postgres } from "../../schema/driver.ts";
import type { Log } from "../base/log.ts";
import { SetupError } from "../base/setup-error.ts";
import { findBinaries } from "./binaries.ts";
import { binariesFolder, CLUSTER, checkVersion, makeShared, placeData } from "./data-folder.ts";
import { type Keeper, keepServer } from "./keeper.ts";
import { freePort, initCluster, OWNER, portTaken, type ServerAddress, type ServerPlace, startServer, untilReady, urlOf } from "./server.ts";
import { hasSettings, settingsText } from "./settings.ts";
import { readPassword, removeState, writeState } from "./state-file.ts";

export { type EmbeddedState, readEmbeddedState } from "./state-file.ts";

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Log;
  /** Where the platform package keeps its files; by default where npm installed it. */
  readonly nativeFolder?: string;
}

/** A running embedded PostgreSQL; ours alone until `stop`. Should it die, it is started again on the same port. */
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
/** A database that every cluster has: it is there before ours. */
const MAINTENANCE_DATABASE = "postgres";

/**
 * Starts PostgreSQL on the data folder, making it the first time; takes over a server that a killed collector left behind.
 * Throws SetupError for whatever a person must mend, among it a second live collector on the same data.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { folder, place } = prepare(options);
  const exists = existsSync(join(place.cluster, "PG_VERSION"));
  if (exists) checkVersion(place.cluster, place.binaries.majorVersion);
  const password = readPassword(folder, exists);
  if (!exists) initCluster(place, password);

  const { address, keeper } = await run(place, options, password);
  try {
    const url = urlOf(address, password, DATABASE);
    await createDatabase(urlOf(address, password, MAINTENANCE_DATABASE));
    writeState(folder, { url, ...address, pid: process.pid });
    return {
      url,
      port: address.port,
      folder,
      async stop() {
        removeState(folder);
        await keeper.stop();
      },
    };
  } catch (error) {
    await keeper.stop();
    throw error;
  }
}

/** Folders, user and programs; each substitute for what was wanted is said in one line. */
function prepare({ dataDir, log, nativeFolder }: EmbeddedOptions): { folder: string; place: ServerPlace } {
  const { folder, account, isSubstitute } = placeData(dataDir);
  if (isSubstitute)
    log.warn({ folder, user: account?.name }, "the data folder is closed to the database's user; its data is kept in another folder");
  const copyFolder = account === undefined ? join(folder, "binaries") : binariesFolder();
  const binaries = findBinaries({
    account,
    copyFolder,
    beforeCopy: () => account !== undefined && makeShared(copyFolder),
    onCopy: (copy) => log.info({ folder: copy }, "the bundled PostgreSQL was copied to where the database's user can run it"),
    ...(nativeFolder === undefined ? {} : { nativeFolder }),
  });
  return { folder, place: { binaries, account, cluster: join(folder, CLUSTER), logFile: join(folder, "postgres.log") } };
}

interface Running {
  readonly address: ServerAddress;
  readonly keeper: Keeper;
}

/**
 * A server that is there already is either a live collector's, then its lock refuses us, or an orphan, which becomes ours: as it is when it
 * was started as we would, else through a restart.
 */
async function run(place: ServerPlace, options: EmbeddedOptions, password: string): Promise<Running> {
  const keep = async ({ host, port }: ServerAddress): Promise<Running> => {
    const address = { host, port };
    const keeper = await keepServer({ place, address, url: urlOf(address, password, MAINTENANCE_DATABASE), log: options.log });
    if (keeper === undefined) throw heldByAnother();
    return { address, keeper };
  };
  const orphan = await untilReady(place.cluster);
  if (orphan !== undefined) {
    const running = await keep(orphan);
    if (isAsWanted(orphan, options) && hasSettings(place.cluster, settingsText(place.binaries.version))) return running;
    await running.keeper.stop();
  }
  const port = await freePort(options.host, options.port);
  if (port === undefined) throw portTaken(options.host, options.port);
  return keep(await startServer(place, { host: options.host, port }));
}

const isAsWanted = (server: ServerAddress, wanted: ServerAddress): boolean =>
  server.host === wanted.host && (wanted.port === 0 || server.port === wanted.port);

const heldByAnother = (): SetupError =>
  new SetupError(
    "Another genspan collector is running on this data folder: stop it, or set GENSPAN_DATA_DIR to another folder (or DATABASE_URL to share one database).",
  );

async function createDatabase(adminUrl: string): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    const [known] = await sql`SELECT FROM pg_database WHERE datname = ${DATABASE}`;
    if (known === undefined) await sql.unsafe(`CREATE DATABASE ${DATABASE} OWNER ${OWNER}`);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

import type { Sql } from "../../schema/connect.ts";
import { useGivenReader } from "../../schema/given-reader.ts";
import { migrate } from "../../schema/migrate.ts";
import { ensureReader } from "../../schema/reader.ts";
import type { Front } from "../api/front.ts";
import { hostAndPort } from "../base/address.ts";
import { postgresOptions } from "../config/questions.ts";
import { watchDisk } from "../embedded/disk-watch.ts";
import { startEmbedded } from "../embedded/index.ts";
import { createPool } from "../query/pool.ts";
import { createReader, type Reader } from "../query/reader.ts";
import type { AppOptions, Context } from "./context.ts";

/** A migrated database, and the collector's sessions on it besides those that write telemetry. */
export interface Database {
  /** Connects as the owner of the tables. */
  readonly url: string;
  /** The URL as a person may read it. */
  readonly address: string;
  /** In which file its password stands, where it is ours. */
  readonly passwordHint: string;
  /** Of the embedded one; the disk of another server cannot be seen from here. */
  readonly diskNearlyFull: () => boolean;
  readonly pools: Pools;
}

/** Each kind of work has sessions of its own, so that none waits for another's long statements. All but the readers are of the owner. */
export interface Pools {
  /** Keys and commands: short, and somebody waits for them. */
  readonly owner: Sql;
  readonly jobs: Sql;
  readonly refiner: Sql;
  readonly live: Sql;
  /** The start page. */
  readonly latest: Sql;
  /** The API. */
  readonly reader: Reader;
}

const OWNER_CONNECTIONS = 3;
const JOB_CONNECTIONS = 3;
const LIVE_CONNECTIONS = 2;
const PAGE_CONNECTIONS = 3;
/** Questions that the API asks the database at once. */
const API_CONNECTIONS = 4;

/** Starts the embedded server where there is no other, and migrates; `front` says meanwhile what takes so long. */
export async function openDatabase({ options, started }: Context, front: Front): Promise<Database> {
  const { schema, log } = options;
  const embedded = options.databaseUrl === undefined ? await openEmbedded(options, started) : undefined;
  const url = options.databaseUrl ?? embedded?.url ?? "";
  front.at("migrating");
  const { applied, version } = await migrate({ url, schema, log: { info: (fields, message) => log.debug(fields, message) } });
  if (applied.length > 0) log.info({ applied: applied.length, version }, "migrations applied");
  const { readUrl } = postgresOptions(options.config);
  const reader = await (readUrl === undefined ? ensureReader({ url, schema }) : useGivenReader({ url, readUrl, schema }));
  return {
    url,
    address: withoutPassword(url),
    passwordHint: embedded === undefined ? "" : ` (password in ${embedded.folder}/password)`,
    diskNearlyFull: embedded?.diskNearlyFull ?? (() => false),
    pools: openPools({ url, readUrl: reader.url, schema }, started),
  };
}

async function openEmbedded({ dataDir, embeddedPort, log }: AppOptions, started: AsyncDisposableStack) {
  const { url, folder, stop } = await startEmbedded({ dataDir, host: "127.0.0.1", port: embeddedPort, log });
  started.defer(stop);
  const disk = await watchDisk({ folder });
  started.defer(() => disk.stop());
  return { url, folder, diskNearlyFull: () => disk.isNearlyFull() };
}

interface Logins {
  readonly url: string;
  readonly readUrl: string;
  readonly schema: string;
}

function openPools({ url, readUrl, schema }: Logins, started: AsyncDisposableStack): Pools {
  const pools = {
    owner: createPool(url, OWNER_CONNECTIONS),
    jobs: createPool(url, JOB_CONNECTIONS),
    refiner: createPool(url, 1),
    live: createPool(url, LIVE_CONNECTIONS),
    latest: createPool(readUrl, PAGE_CONNECTIONS),
  };
  const reader = createReader({ url: readUrl, schema, maxConnections: API_CONNECTIONS });
  started.defer(async () => {
    await Promise.all([...Object.values(pools).map((pool) => pool.end({ timeout: 1 })), reader.end()]);
  });
  return { ...pools, reader };
}

function withoutPassword(text: string): string {
  const url = new URL(text);
  const user = url.username === "" ? "" : `${url.username}@`;
  return `postgres://${user}${hostAndPort(url.hostname.replace(/^\[|\]$/g, ""), Number(url.port || 5432))}${url.pathname}`;
}

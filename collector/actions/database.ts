import { existsSync } from "node:fs";
import { join } from "node:path";
import { sqlState } from "../../schema/connect.ts";
import { useGivenReader } from "../../schema/given-reader.ts";
import { migrate } from "../../schema/migrate.ts";
import { ensureReader } from "../../schema/reader.ts";
import { SchemaError } from "../../schema/schema-error.ts";
import { createLog } from "../base/log.ts";
import type { DatabaseOptions, SqlOptions } from "../cli/actions.ts";
import { CommandError, EXIT } from "../cli/exit-codes.ts";
import { CLUSTER, possibleFolders } from "../embedded/data-folder.ts";
import { readEmbeddedState, startEmbedded } from "../embedded/index.ts";
import { runSql } from "../query/run-sql.ts";

/** The owner's URL of the database a command is about. Throws CommandError where there is none that runs. */
export function ownerUrl({ databaseUrl, dataDir }: DatabaseOptions): string {
  const url = databaseUrl ?? readEmbeddedState(dataDir)?.url;
  if (url !== undefined) return url;
  throw new CommandError(
    EXIT.unreachable,
    `No embedded database is running on ${dataDir}: start the collector with "genspan serve", or give --database-url.`,
  );
}

/**
 * Runs `work` on the owner's URL. An embedded database that is not running is started for as long as it takes: a key must be there before
 * the collector may listen to other machines. With `make` also where there is no data yet.
 */
export async function withOwner<T>(options: DatabaseOptions, make: boolean, work: (url: string) => Promise<T>): Promise<T> {
  const running = options.databaseUrl ?? readEmbeddedState(options.dataDir)?.url;
  if (running !== undefined) return reported(() => work(running));
  const exists = possibleFolders(options.dataDir).some((folder) => existsSync(join(folder, CLUSTER)));
  if (!exists && !make) return work(ownerUrl(options));
  const embedded = await startEmbedded({ dataDir: options.dataDir, host: "127.0.0.1", port: 0, log: createLog("warn") });
  try {
    return await work(embedded.url);
  } finally {
    await embedded.stop();
  }
}

export const migrateDatabase = (options: DatabaseOptions) => withOwner(options, true, (url) => migrate({ url, schema: options.schema }));

/** The reading login's URL, made sure of: the given one of the configuration, else the one that genspan makes. */
export async function readerUrl(options: DatabaseOptions, given?: string): Promise<string> {
  const { schema } = options;
  const url = ownerUrl(options);
  const reader = await reported(() =>
    given === undefined ? ensureReader({ url, schema }) : useGivenReader({ url, readUrl: given, schema }),
  );
  return reader.url;
}

export const sql = async (query: string, options: SqlOptions) => runSql(query, { ...options, url: await readerUrl(options) });

const REFUSED_LOGIN = /^28/;
const UNREACHABLE = new Set("ECONNREFUSED ENOENT ENOTFOUND EAI_AGAIN CONNECT_TIMEOUT ETIMEDOUT EHOSTUNREACH ENETUNREACH".split(" "));

/** Gives a database that does not answer, or does not let us in, the exit code that scripts know it by. */
export async function reported<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof SchemaError ? sqlState(error.cause) : undefined;
    if (code === undefined) throw error;
    const { message } = error as SchemaError;
    if (REFUSED_LOGIN.test(code)) throw new CommandError(EXIT.notAuthorised, message);
    if (UNREACHABLE.has(code)) throw new CommandError(EXIT.unreachable, message);
    throw error;
  }
}

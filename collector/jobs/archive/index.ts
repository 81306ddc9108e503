import type { Sql } from "../../../schema/connect.ts";
import { errorCode } from "../../base/error-code.ts";
import type { Log } from "../../base/log.ts";
import { runUnderLease } from "../lease.ts";
import type { IsContentName } from "./content-tables.ts";
import { type RemovedContent, removeContent } from "./remove-content.ts";

export interface ContentJobOptions {
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  /** Unique per collector. */
  readonly holder: string;
  readonly log: Log;
  /** Content older than this goes; 0 keeps it. */
  readonly retentionMillis: number;
  /** Where it is kept; undefined keeps nothing. */
  readonly archiveFolder: string | undefined;
  readonly isContentName: IsContentName;
  readonly intervalMillis?: number;
}

export interface ContentJob {
  /** Undefined where another collector is at it, or where content is kept. */
  runOnce(): Promise<RemovedContent | undefined>;
  start(): void;
  stop(): Promise<void>;
}

const INTERVAL_MS = 3_600_000;
const LEASE_TTL_MS = 60_000;

/** Takes the content out of rows that are older than it is to be kept. */
export function createContentJob(options: ContentJobOptions): ContentJob {
  const { sql, schema, holder, log, retentionMillis, archiveFolder, isContentName } = options;
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();

  async function runOnce(): Promise<RemovedContent | undefined> {
    if (retentionMillis === 0) return undefined;
    const before = new Date(Date.now() - retentionMillis);
    return runUnderLease(sql, { schema, holder, job: "content", ttlMillis: LEASE_TTL_MS }, async (lost) => {
      const signal = AbortSignal.any([lost, stopping.signal]);
      const removed = await removeContent({
        ...{ sql, schema, before, isContentName, keepChars: 0, signal },
        ...(archiveFolder === undefined ? {} : { archiveFolder }),
      });
      const rows = Object.values(removed).reduce((sum, count) => sum + count, 0);
      if (rows > 0) log.info({ rows, archived: archiveFolder !== undefined }, "old content removed");
      return removed;
    });
  }

  const runLogged = (): void => {
    running = running.then(runOnce).catch((error: unknown) => {
      if (stopping.signal.aborted) return;
      log.error({ code: errorCode(error) }, "old content could not be removed; it is tried again");
    });
  };
  return {
    runOnce,
    start() {
      runLogged();
      timer = setInterval(runLogged, options.intervalMillis ?? INTERVAL_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}

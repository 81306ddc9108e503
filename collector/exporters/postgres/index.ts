import { errorCode } from "../../base/error-code.ts";
import { type Log, throttled } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { EncodedRequest, SharedRow, WriteResult } from "../../rows/encoded-request.ts";
import { createAnnouncements } from "./announced.ts";
import { checkWriter } from "./check-writer.ts";
import { createBackoff, createLink } from "./link.ts";
import { createQueue } from "./queue.ts";
import { createSharedRows, type ReleasedRow } from "./shared-rows.ts";
import { createStatements } from "./statements.ts";
import { runWorker } from "./worker.ts";
import { connectWriter } from "./writer-connection.ts";

export interface PostgresExporterOptions {
  readonly url: string;
  readonly schema: string;
  /** Sessions that write at the same time; two keep PostgreSQL busy while one waits for its commit. */
  readonly connections: number;
  /** Requests above it are answered with `overload`, except when nothing else waits. */
  readonly maxPendingBytes: number;
  readonly maxBatchBytes: number;
  /** A request that is not committed after this long is answered with a retryable failure; a session that hangs so long is cut. */
  readonly writeDeadlineMillis: number;
  /** A statement gives up after this long and may be tried again. Default: four fifths of the write deadline. */
  readonly statementTimeoutMillis?: number;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface PostgresExporter {
  /** Settles after COMMIT, or says why not; never rejects, and answers within the write deadline. */
  write(request: EncodedRequest): Promise<WriteResult>;
  /** Whether there is a session that takes writes; follows the database also while nothing is written. */
  ready(): boolean;
  /** Hears of resources and scopes that were deleted. Gives those that it has used since: what points to them may not be stored yet. */
  release(released: readonly ReleasedRow[]): SharedRow[];
  /** Throws a SetupError when this login or this database cannot do what the writer needs; logs what is only unwise. */
  check(): Promise<void>;
  /** Takes nothing more, finishes what waits within the grace time, then leaves. `unwritten` counts items that were refused for it. */
  stop(graceMillis: number): Promise<{ readonly unwritten: number }>;
}

/** COPY yields no more beyond it, and a batch is not meant to keep the event loop busy. */
const MAX_BATCH_ROWS = 8192;

/** Of the write deadline: below it, so that the server ends a statement before we end the connection. */
const STATEMENT_SHARE = 0.8;
/** Waiting for a lock leaves time for another try. */
const LOCK_SHARE = 0.4;
const CONNECT_SHARE = 0.6;

/**
 * The writer: group commit over a few sessions. Sessions are opened at once and reopened in the background; what arrives meanwhile
 * waits, as far as its deadline and the bound on pending bytes allow.
 */
export function createPostgresExporter(options: PostgresExporterOptions): PostgresExporter {
  const { url, writeDeadlineMillis, metrics } = options;
  const log = throttled(options.log);
  const statementTimeoutMillis = options.statementTimeoutMillis ?? Math.round(writeDeadlineMillis * STATEMENT_SHARE);
  const lockTimeoutMillis = Math.round(writeDeadlineMillis * LOCK_SHARE);
  const statements = createStatements({ schema: options.schema, statementTimeoutMillis, lockTimeoutMillis });
  const queue = createQueue({ ...options, maxBatchRows: MAX_BATCH_ROWS });
  const sharedRows = createSharedRows({ statements, writeDeadlineMillis, onBare: () => metrics.sanitized.inc({ reason: "shared_row" }) });
  const announcements = createAnnouncements();
  const backoff = createBackoff();
  const timeoutMillis = Math.round(writeDeadlineMillis * CONNECT_SHARE);
  const connected = createConnectedNotes(log);

  const openLink = () =>
    createLink({
      connect: (signal) => connectWriter({ url, timeoutMillis, signal }),
      backoff,
      onUp() {
        connected.up();
        queue.offer();
      },
      onDown(error) {
        connected.down();
        sharedRows.forget();
        metrics.connectionsReplaced.inc();
        log.warn({ code: errorCode(error, "connection_lost") }, "no connection to the database");
      },
    });
  const links = Array.from({ length: options.connections }, openLink);
  const workers = links.map((link) => runWorker({ ...options, log, link, backoff, queue, statements, announcements, sharedRows }));

  return {
    write: (request) => queue.add(request),
    ready: () => links.some((link) => link.up()),
    release: (released) => sharedRows.release(released),
    check: () => checkWriter({ ...options, log, timeoutMillis }),
    async stop(graceMillis) {
      const unwritten = await queue.drain(graceMillis);
      await Promise.all(links.map((link) => link.stop()));
      await Promise.all(workers);
      return { unwritten };
    },
  };
}

/** Says once for all sessions that the database is there, and again after one was lost. */
function createConnectedNotes(log: Log): { readonly up: () => void; readonly down: () => void } {
  let isTold = false;
  return {
    up() {
      log[isTold ? "debug" : "info"]({}, "connected to the database");
      isTold = true;
    },
    down() {
      isTold = false;
    },
  };
}

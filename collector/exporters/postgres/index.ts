import { setTimeout as sleep } from "node:timers/promises";
import { ByteWriter } from "../../base/byte-writer.ts";
import type { Log } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { EncodedRequest, WriteResult } from "../../rows/encoded-request.ts";
import { type Batch, collectRows, type Part } from "./batch.ts";
import type { CarefulResult } from "./careful-path.ts";
import { classifyError, sqlstateOf } from "./classify-error.ts";
import { writeFast } from "./fast-path.ts";
import { writeIsolating } from "./isolate-poison.ts";
import { createQueue, type Queue } from "./queue.ts";
import { createSharedRows, type SharedRows } from "./shared-rows.ts";
import { createStatements, type Statements } from "./statements.ts";
import { connectWriter, DeadlineError, type WriterConnection, within } from "./writer-connection.ts";

export interface PostgresExporterOptions {
  readonly url: string;
  readonly schema: string;
  /** Sessions that write at the same time; two keep PostgreSQL busy while one waits for its commit. */
  readonly connections: number;
  readonly maxPendingBytes: number;
  readonly maxBatchBytes: number;
  /** A request that is not committed after this long is answered with a retryable failure. */
  readonly writeDeadlineMillis: number;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface PostgresExporter {
  /** Settles after COMMIT, or says why not; never rejects and never takes longer than the write deadline. */
  write(request: EncodedRequest): Promise<WriteResult>;
  /** False while no session can be had. */
  ready(): boolean;
  /** Takes nothing more, finishes what waits within the grace time, then leaves. */
  stop(graceMillis: number): Promise<{ readonly unwritten: number }>;
}

/** Pause before connecting anew, doubled from try to try: fewer than five tries a second over all sessions. */
const RECONNECT_MIN_MS = 400;
const RECONNECT_MAX_MS = 2_000;
/** Pause before a transaction that lost against another one is tried again, with jitter. */
const RETRY_MIN_MS = 10;

/** Rows that PostgreSQL takes as one COPY with the best yield. */
const MAX_BATCH_ROWS = 8192;
/** What a batch buffer may keep of its memory between batches. */
const BUFFER_START_BYTES = 1024 * 1024;

export function createPostgresExporter(options: PostgresExporterOptions): PostgresExporter {
  const statements = createStatements(options.schema);
  const queue = createQueue({ ...options, maxBatchRows: MAX_BATCH_ROWS });
  const sharedRows = createSharedRows(statements);
  const workers = Array.from({ length: options.connections }, () => createWorker({ options, statements, queue, sharedRows }));
  return {
    write: (request) => queue.add(request),
    ready: () => workers.some((worker) => worker.ready()),
    async stop(graceMillis) {
      const unwritten = await queue.drain(graceMillis);
      await Promise.all(workers.map((worker) => worker.stop()));
      return { unwritten };
    },
  };
}

interface WorkerInput {
  readonly options: PostgresExporterOptions;
  readonly statements: Statements;
  readonly queue: Queue;
  readonly sharedRows: SharedRows;
}

/** One session and the loop that feeds it: whenever it is free it takes the oldest batch. */
function createWorker({ options, statements, queue, sharedRows }: WorkerInput) {
  const { metrics, log } = options;
  let connection: WriterConnection | undefined;
  let out = new ByteWriter(BUFFER_START_BYTES);
  let failedConnects = 0;
  let lastFailed = false;
  let connecting: Promise<WriterConnection> | undefined;
  /** Number of the newest attempt: an older one that was given up must not go on writing. */
  let attempts = 0;
  const stopping = new AbortController();
  const running = run();

  async function run(): Promise<void> {
    for (;;) {
      const batch = await queue.take();
      if (batch === undefined) return;
      await writeWithin(batch);
    }
  }

  /** Tries until the batch is written or nobody waits for it any more. */
  async function writeWithin(batch: Batch): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const remaining = queue.remainingMillis(batch);
      if (remaining <= 0) {
        queue.fail(batch, "database", "the database did not take the data in time; send it again");
        return;
      }
      const began = performance.now();
      try {
        await within(attemptWrite(batch), remaining, dropConnection);
        metrics.commitSeconds.observe((performance.now() - began) / 1000);
        metrics.batchRows.observe(batch.rows);
        lastFailed = false;
        return;
      } catch (error) {
        lastFailed = true;
        await recover(error, attempt);
      }
    }
  }

  async function attemptWrite(batch: Batch): Promise<void> {
    const mine = ++attempts;
    const session = await connected();
    if (mine !== attempts) return;
    await sharedRows.ensure(session, batch.parts);
    if (batch.groups === undefined) {
      const parts = queue.awaited(batch);
      const revisits = parts.some((part) => part.pending.request.revisiting.length > 0);
      if (!revisits && (await tryFast(session, parts))) return;
      batch.groups = [parts];
    }
    metrics.batches.inc({ path: "careful" });
    await writeIsolating(
      {
        connection: session,
        statements,
        onWritten: (written, result) => recordCareful(queue, written, result),
        onPoison: ({ part, item, reason }) => queue.refuse(part, item, reason),
      },
      batch.groups,
    );
  }

  /** True when COPY took everything; false when the careful path has to look. */
  async function tryFast(session: WriterConnection, parts: readonly Part[]): Promise<boolean> {
    const tables = collectRows(parts, "fresh");
    try {
      await writeFast(session, statements, tables, out);
    } catch (error) {
      const kind = classifyError(error);
      if (kind !== "duplicate" && kind !== "data") throw error;
      out = new ByteWriter(BUFFER_START_BYTES);
      await session.query("ROLLBACK");
      return false;
    }
    metrics.batches.inc({ path: "fast" });
    queue.writtenFast(parts, tables);
    return true;
  }

  /** After a failed attempt: a sound session is rolled back and waits a little, any other is replaced. */
  async function recover(error: unknown, attempt: number): Promise<void> {
    const kind = error instanceof DeadlineError ? "outage" : classifyError(error);
    const cause = sqlstateOf(error) ?? (error instanceof DeadlineError ? "deadline" : "connection");
    metrics.writeFailures.inc({ cause: cause.length === 5 ? cause.slice(0, 2) : cause });
    log.warn({ cause, kind, attempt }, "the database did not take a batch; trying again");
    if (kind !== "retry" || connection?.alive !== true) dropConnection();
    else await connection.query("ROLLBACK").catch(dropConnection);
    if (kind === "retry") await pause(RETRY_MIN_MS * attempt * (1 + Math.random()));
  }

  function connected(): Promise<WriterConnection> {
    if (connection?.alive === true) return Promise.resolve(connection);
    connecting ??= connect().finally(() => {
      connecting = undefined;
    });
    return connecting;
  }

  async function connect(): Promise<WriterConnection> {
    if (failedConnects > 0) await pause(Math.min(RECONNECT_MIN_MS * 2 ** failedConnects, RECONNECT_MAX_MS) * (0.75 + Math.random() / 2));
    failedConnects++;
    const made = await connectWriter({ url: options.url, timeoutMillis: options.writeDeadlineMillis });
    failedConnects = 0;
    connection = made;
    return made;
  }

  function dropConnection(): void {
    if (connection !== undefined) metrics.connectionsReplaced.inc();
    connection?.destroy();
    connection = undefined;
    out = new ByteWriter(BUFFER_START_BYTES);
    sharedRows.forget();
  }

  const pause = (millis: number): Promise<void> => sleep(millis, undefined, { signal: stopping.signal }).catch(() => {});

  return {
    ready: (): boolean => !lastFailed,
    async stop(): Promise<void> {
      stopping.abort();
      const idle = connection;
      await Promise.race([running, sleep(200)]);
      await idle?.close();
    },
  };
}

function recordCareful(queue: Queue, parts: readonly Part[], result: CarefulResult): void {
  for (const part of parts) {
    const stored = result.stored.get(part)?.size ?? 0;
    queue.written(part, { stored, conflicting: result.conflicting.get(part)?.size ?? 0 });
  }
}

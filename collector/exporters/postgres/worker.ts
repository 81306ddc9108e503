import { setTimeout as sleep } from "node:timers/promises";
import { ByteWriter } from "../../base/byte-writer.ts";
import type { Log } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import { DeadlineError, within } from "../../base/within.ts";
import type { Announcements } from "./announced.ts";
import type { Batch } from "./batch.ts";
import { classifyError, sqlstateOf } from "./classify-error.ts";
import { groupsAfter, type WriteGroup } from "./isolate-poison.ts";
import type { Backoff, Link } from "./link.ts";
import type { Queue } from "./queue.ts";
import type { SharedRows } from "./shared-rows.ts";
import type { Statements } from "./statements.ts";
import { writeTransaction } from "./transaction.ts";
import type { WriterConnection } from "./writer-connection.ts";

export interface WorkerOptions {
  readonly link: Link;
  readonly backoff: Backoff;
  readonly queue: Queue;
  readonly statements: Statements;
  readonly announcements: Announcements;
  readonly sharedRows: SharedRows;
  readonly writeDeadlineMillis: number;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Pause before a transaction that lost against another one is tried again; grows with the attempts, with jitter. */
const RETRY_MIN_MS = 10;

const OUT_START_BYTES = 1024 * 1024;
/** A buffer that one large row has blown up beyond this is not kept. */
const OUT_KEEP_BYTES = 16 * 1024 * 1024;

const REFUSED = "the database does not take data at the moment; send it again";

/** Feeds one session: whenever it is free it takes the oldest batch. Ends when the queue is drained. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { queue, link } = options;
  const writer = createBatchWriter(options);
  for (let batch = await queue.take(link.up); batch !== undefined; batch = await queue.take(link.up)) {
    await writer.write(batch);
    queue.release(batch);
  }
}

function createBatchWriter({ link, backoff, queue, statements, announcements, sharedRows, ...options }: WorkerOptions) {
  const { writeDeadlineMillis, metrics, log } = options;
  let out = new ByteWriter(OUT_START_BYTES);

  /** Tries until everything is written, nobody waits any more, or the time is over. Never rejects. */
  async function write(batch: Batch): Promise<void> {
    const deadline = performance.now() + writeDeadlineMillis;
    const groups: WriteGroup[] = [{ parts: batch.parts, path: "fast" }];
    for (let attempt = 1; groups.length > 0 && queue.awaited(batch.parts).length > 0; attempt++) {
      const remaining = deadline - performance.now();
      if (remaining <= 0) return queue.fail(batch.parts, REFUSED);
      let session: WriterConnection | undefined;
      try {
        session = await within(link.session(), remaining, () => {});
        await within(writeGroups(session, groups), deadline - performance.now(), session.destroy);
      } catch (error) {
        const rolledBack = await recover(session, error, attempt);
        const last = groups.pop();
        if (last !== undefined) groups.push(rolledBack ? last : { ...last, unsure: true });
      }
    }
  }

  /** Writes groups until none is left; what is done leaves the list, so that a later attempt neither repeats nor counts it twice. */
  async function writeGroups(session: WriterConnection, groups: WriteGroup[]): Promise<void> {
    for (let group = groups.at(-1); group !== undefined; group = groups.at(-1)) {
      const instead = await writeGroup(session, group);
      groups.pop();
      groups.push(...instead);
    }
  }

  /** Writes one group; gives what to write instead when the database refused these rows. */
  async function writeGroup(session: WriterConnection, group: WriteGroup): Promise<readonly WriteGroup[]> {
    const parts = queue.awaited(group.parts);
    if (parts.length === 0) return [];
    await sharedRows.ensure(session, parts);
    const began = performance.now();
    try {
      const marks = await writeTransaction(
        { connection: session, statements, announcements, out, unsure: group.unsure === true },
        parts,
        group.path,
      );
      if (group.refusal === undefined) queue.written(parts, marks);
      else queue.refuse(group.refusal.part, group.refusal.reason);
    } catch (error) {
      const instead = groupsAfter({ ...group, parts }, error);
      if (instead === undefined) throw error;
      await session.run([{ sql: "ROLLBACK" }]);
      return instead;
    }
    committed(
      group,
      parts.reduce((sum, part) => sum + part.rows, 0),
      performance.now() - began,
    );
    return [];
  }

  function committed({ path }: WriteGroup, rows: number, millis: number): void {
    metrics.batches.inc({ path });
    metrics.batchRows.observe(rows);
    metrics.commitSeconds.observe(millis / 1000);
    backoff.succeeded();
    if (out.buffer.length > OUT_KEEP_BYTES) out = new ByteWriter(OUT_START_BYTES);
  }

  /**
   * After a failed attempt: a sound session is rolled back and waits a little, any other is given up. Tells whether the transaction, if there was one, is
   * known to have ended without a commit.
   */
  async function recover(session: WriterConnection | undefined, error: unknown, attempt: number): Promise<boolean> {
    const cause = error instanceof DeadlineError ? "deadline" : (sqlstateOf(error)?.slice(0, 2) ?? "connection");
    metrics.writeFailures.inc({ cause });
    log.warn({ cause, sqlstate: sqlstateOf(error), attempt }, "the database did not take a batch");
    if (session === undefined) return true;
    if (classifyError(error) === "retry" && session.alive) {
      const rolledBack = within(session.run([{ sql: "ROLLBACK" }]), writeDeadlineMillis / 5, session.destroy);
      await rolledBack.catch(session.destroy);
      await sleep(RETRY_MIN_MS * Math.min(attempt, 20) * (1 + Math.random()));
      return true;
    }
    session.destroy();
    sharedRows.forget();
    // Its data may still be on its way out of this buffer.
    out = new ByteWriter(OUT_START_BYTES);
    return false;
  }

  return { write };
}

import type { Metrics } from "../../base/metrics.ts";
import type { EncodedRequest, WriteResult } from "../../rows/encoded-request.ts";
import { INGEST_REJECTED } from "../../rows/table-spec.ts";
import { type Batch, cutIntoParts, emptyBatch, type Part, type PendingRequest, type TableRows } from "./batch.ts";

export interface QueueOptions {
  readonly maxPendingBytes: number;
  readonly maxBatchBytes: number;
  readonly maxBatchRows: number;
  readonly writeDeadlineMillis: number;
  readonly metrics: Metrics;
}

/**
 * Holds each caller until its rows are committed. There is always at most one batch being filled; whoever has a free session takes
 * the oldest one, so batches grow with the load and nothing ever waits for a timer.
 */
export interface Queue {
  add(request: EncodedRequest): Promise<WriteResult>;
  /** The next batch, when there is one; undefined once the queue is stopped and empty. */
  take(): Promise<Batch | undefined>;
  /** Time until the last of the batch's requests gives up. */
  remainingMillis(batch: Batch): number;
  /** The batch's parts that somebody still waits for. */
  awaited(batch: Batch): Part[];
  /** All rows of these parts were stored by COPY: every item is new, but for keys that stood twice in the batch. */
  writtenFast(parts: readonly Part[], tables: readonly TableRows[]): void;
  /** The careful path committed this part (or a piece of it, after halving). */
  written(part: Part, counts: { readonly stored: number; readonly conflicting: number }): void;
  /** One item was refused by the database and is kept in ingest_rejected. */
  refuse(part: Part, item: number, reason: string): void;
  fail(batch: Batch, reason: "database" | "deadline" | "stopping", message: string): void;
  /** Stops taking requests and waits for the rest; gives the number of items nobody could write. */
  drain(graceMillis: number): Promise<number>;
}

/** How often deadlines are looked at. */
const SWEEP_MS = 100;

export function createQueue(options: QueueOptions): Queue {
  const { metrics } = options;
  const batches: Batch[] = [];
  const waiting: ((batch: Batch | undefined) => void)[] = [];
  const pending = new Set<PendingRequest>();
  let pendingBytes = 0;
  let stopped = false;
  let idle: (() => void) | undefined;

  const sweep = setInterval(() => {
    for (const request of pending) {
      if (request.deadlineAt <= performance.now()) giveUp(request, "database", "the database did not take the data in time; send it again");
    }
  }, SWEEP_MS);
  sweep.unref();

  function settle(request: PendingRequest, result: WriteResult): void {
    if (request.settled) return;
    request.settled = true;
    pending.delete(request);
    pendingBytes -= request.request.sizeBytes;
    metrics.pendingBytes.set(pendingBytes);
    request.settle(result);
    if (pending.size === 0) idle?.();
  }

  const giveUp = (request: PendingRequest, reason: "database" | "deadline" | "stopping", message: string): void =>
    settle(request, { kind: "failed", reason, message });

  function enqueue(part: Part): void {
    const last = batches.at(-1);
    const fits = last !== undefined && last.bytes + part.bytes <= options.maxBatchBytes && last.rows + part.rows <= options.maxBatchRows;
    const batch = fits ? last : emptyBatch();
    if (!fits) batches.push(batch);
    batch.parts.push(part);
    batch.bytes += part.bytes;
    batch.rows += part.rows;
    if (waiting.length > 0) waiting.shift()?.(batches.shift());
  }

  /** Items of the part that are accounted for; the request is answered with its last one. */
  function advance(request: PendingRequest, items: number): void {
    request.open -= items;
    if (request.open > 0) return;
    const { refusedItems } = request.request;
    const refused = [...refusedItems, ...request.refused];
    settle(request, {
      kind: "committed",
      stored: request.stored,
      duplicates: request.request.received - request.stored - refused.length,
      conflicting: request.conflicting,
      refused,
    });
  }

  return {
    add(request) {
      if (stopped)
        return Promise.resolve({ kind: "failed", reason: "stopping", message: "the collector is stopping; send the data again" });
      if (pendingBytes > 0 && pendingBytes + request.sizeBytes > options.maxPendingBytes) {
        return Promise.resolve({ kind: "failed", reason: "overload", message: "too much data is waiting for the database; send it again" });
      }
      return new Promise((resolve) => {
        const entry: PendingRequest = {
          request,
          deadlineAt: performance.now() + options.writeDeadlineMillis,
          open: request.received,
          stored: 0,
          conflicting: 0,
          refused: [],
          settled: false,
          settle: resolve,
        };
        pending.add(entry);
        pendingBytes += request.sizeBytes;
        metrics.pendingBytes.set(pendingBytes);
        for (const part of cutIntoParts(entry, options.maxBatchBytes, options.maxBatchRows)) enqueue(part);
      });
    },
    take() {
      const batch = batches.shift();
      if (batch !== undefined) return Promise.resolve(batch);
      if (stopped) return Promise.resolve(undefined);
      return new Promise((resolve) => waiting.push(resolve));
    },
    remainingMillis: (batch) =>
      Math.max(0, ...batch.parts.filter((part) => !part.pending.settled).map((part) => part.pending.deadlineAt - performance.now())),
    awaited: (batch) => batch.parts.filter((part) => !part.pending.settled),
    writtenFast(parts, tables) {
      const items = new Map<Part, Set<number>>();
      for (const { table, rows } of tables) {
        if (table === INGEST_REJECTED) continue;
        for (const row of rows) items.set(row.part, (items.get(row.part) ?? new Set()).add(row.item));
      }
      for (const part of parts) {
        part.pending.stored += items.get(part)?.size ?? 0;
        advance(part.pending, part.toItem - part.fromItem);
      }
    },
    written(part, { stored, conflicting }) {
      part.pending.stored += stored;
      part.pending.conflicting += conflicting;
      advance(part.pending, part.toItem - part.fromItem);
    },
    refuse(part, item, reason) {
      part.pending.refused.push({ item, reason });
      advance(part.pending, 1);
    },
    fail(batch, reason, message) {
      for (const part of batch.parts) giveUp(part.pending, reason, message);
    },
    async drain(graceMillis) {
      stopped = true;
      if (pending.size > 0) {
        const done = Promise.withResolvers<void>();
        idle = done.resolve;
        const timer = setTimeout(done.resolve, graceMillis);
        await done.promise;
        clearTimeout(timer);
      }
      clearInterval(sweep);
      const left = [...pending];
      const unwritten = left.reduce((sum, entry) => sum + entry.open, 0);
      for (const entry of left) giveUp(entry, "stopping", "the collector is stopping; send the data again");
      for (const resolve of waiting.splice(0)) resolve(undefined);
      return unwritten;
    },
  };
}

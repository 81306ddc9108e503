import type { Metrics } from "../../base/metrics.ts";
import { type EncodedRequest, giveBack, type WriteResult } from "../../rows/encoded-request.ts";
import { type Batch, type BatchLimits, cutIntoParts, type Part, type PendingRequest } from "./batch.ts";
import type { Marks } from "./marks.ts";

export interface QueueOptions extends BatchLimits {
  readonly maxPendingBytes: number;
  readonly writeDeadlineMillis: number;
  readonly metrics: Metrics;
}

/**
 * Holds each caller until its rows are committed or its deadline has passed. There is at most one batch being filled; whoever has a free session takes the
 * oldest one, so batches grow with the load. A small one first takes in all that has already arrived, and what is being written need not end for a large one
 * (docs/decisions/0029).
 */
export interface Queue {
  add(request: EncodedRequest): Promise<WriteResult>;
  /**
   * The next batch, once there is one and `isReady` holds: a worker without a session must not keep it from one that has one.
   * undefined once the queue is drained. Whoever takes a batch hands it back to `release`.
   */
  take(isReady: () => boolean): Promise<Batch | undefined>;
  /** Somebody has become ready. */
  offer(): void;
  /** The parts that somebody still waits for. */
  awaited(parts: readonly Part[]): Part[];
  /** These parts are committed. */
  written(parts: readonly Part[], marks: Marks): void;
  /** One item was refused by the database and is kept in ingest_rejected. */
  refuse(part: Part, reason: string): void;
  fail(parts: readonly Part[], message: string): void;
  /** Nothing of the batch is being written any more: its memory counts as free. */
  release(batch: Batch): void;
  /** Stops taking requests and waits for the rest; gives the number of items that could not be written. */
  drain(graceMillis: number): Promise<number>;
}

/** How often deadlines are looked at. */
const SWEEP_MS = 50;
/** The longest that a small batch waits for another one's transaction. What was answered together comes again within it; a slow disk takes longer to commit. */
const HOLD_MS = 3;
/** From here on a transaction's own cost is little beside that of its rows, so that a second session is worth it. */
const ENOUGH_ROWS = 64;
const ENOUGH_BYTES = 256 * 1024;

const LATE = "the database did not take the data in time; send it again";
const FULL = "too much data is waiting for the database; send it again";
const STOPPING = "the collector is stopping; send the data again";

const NOTHING: WriteResult = { kind: "committed", stored: 0, duplicates: 0, conflicting: 0, refused: [] };

type FailureReason = Extract<WriteResult, { kind: "failed" }>["reason"];
const failed = (reason: FailureReason, message: string): WriteResult => ({ kind: "failed", reason, message });

interface Taker {
  readonly isReady: () => boolean;
  readonly resolve: (batch: Batch | undefined) => void;
}

export function createQueue(options: QueueOptions): Queue {
  const batches: Batch[] = [];
  const takers: Taker[] = [];
  const pending = new Set<PendingRequest>();
  let pendingBytes = 0;
  /** Batches that somebody has taken and not released. */
  let writing = 0;
  let isGathering = false;
  let isHolding = false;
  let stopped = false;
  let drained = false;
  let onEmpty = (): void => {};
  const sweep = setInterval(giveUpLate, SWEEP_MS);
  sweep.unref();

  function giveUpLate(): void {
    const now = performance.now();
    for (const entry of pending) {
      if (entry.deadlineAt > now) break; // they stand in the order of their deadlines
      settle(entry, failed("database", LATE));
    }
    while (batches[0]?.parts.every((part) => part.pending.settled) === true) free(batches.shift()!);
  }

  function countUnacknowledged({ request }: PendingRequest, items: number): void {
    if (items > 0) options.metrics.unacknowledged.inc({ signal: request.signal }, items);
  }

  function countBytes(change: number): void {
    pendingBytes += change;
    options.metrics.pendingBytes.set(pendingBytes);
  }

  function settle(entry: PendingRequest, result: WriteResult): void {
    if (entry.settled) return;
    if (result.kind === "failed") countUnacknowledged(entry, entry.stored);
    entry.settled = true;
    pending.delete(entry);
    entry.settle(result);
    if (pending.size === 0) onEmpty();
  }

  function free(batch: Batch): void {
    for (const { pending: entry } of batch.parts) {
      entry.openParts--;
      if (entry.openParts > 0) continue;
      countBytes(-entry.request.sizeBytes);
      giveBack(entry.request);
    }
  }

  function enqueue(part: Part): void {
    const last = batches.at(-1);
    const fits = last !== undefined && last.bytes + part.bytes <= options.maxBatchBytes && last.rows + part.rows <= options.maxBatchRows;
    const batch = fits ? last : { parts: [], bytes: 0, rows: 0 };
    if (!fits) batches.push(batch);
    batch.parts.push(part);
    batch.bytes += part.bytes;
    batch.rows += part.rows;
    offer();
  }

  const enough = { rows: Math.min(ENOUGH_ROWS, options.maxBatchRows), bytes: Math.min(ENOUGH_BYTES, options.maxBatchBytes) };
  const isSmall = ({ rows, bytes }: Batch): boolean => batches.length === 1 && rows < enough.rows && bytes < enough.bytes;

  /** A small batch goes when everything that came with the same turn of the event loop is in it; a little later where another one is being written. */
  function offer(): void {
    const [batch] = batches;
    if (batch === undefined) return;
    if (!isSmall(batch)) handOut({ evenSmall: false });
    else if (writing === 0 && !isGathering) {
      isGathering = true;
      setImmediate(endGathering);
    } else if (writing > 0 && !isHolding) {
      isHolding = true;
      setTimeout(endHolding, HOLD_MS);
    }
  }

  function endGathering(): void {
    isGathering = false;
    if (writing === 0) handOut({ evenSmall: true });
    else offer();
  }

  function endHolding(): void {
    isHolding = false;
    handOut({ evenSmall: true });
  }

  function handOut({ evenSmall }: { readonly evenSmall: boolean }): void {
    for (let batch = batches[0]; batch !== undefined && (evenSmall || !isSmall(batch)); batch = batches[0]) {
      const next = takers.findIndex((taker) => taker.isReady());
      if (next < 0) return;
      const [taker] = takers.splice(next, 1);
      writing++;
      taker?.resolve(batches.shift());
    }
  }

  function advance(entry: PendingRequest, items: number): void {
    entry.openItems -= items;
    if (entry.openItems > 0) return;
    const refused = [...entry.request.refusedItems, ...entry.refused];
    const duplicates = entry.request.received - entry.stored - refused.length;
    settle(entry, { kind: "committed", stored: entry.stored, duplicates, conflicting: entry.conflicting, refused });
  }

  function add(request: EncodedRequest): Promise<WriteResult> {
    if (request.received === 0) return Promise.resolve(NOTHING);
    if (stopped) return Promise.resolve(failed("stopping", STOPPING));
    if (pendingBytes > 0 && pendingBytes + request.sizeBytes > options.maxPendingBytes) return Promise.resolve(failed("overload", FULL));
    const { promise, resolve } = Promise.withResolvers<WriteResult>();
    const entry: PendingRequest = {
      request,
      deadlineAt: performance.now() + options.writeDeadlineMillis,
      openItems: request.received,
      openParts: 0,
      stored: 0,
      conflicting: 0,
      refused: [],
      settled: false,
      settle: resolve,
    };
    const parts = cutIntoParts(entry, options);
    entry.openParts = parts.length;
    pending.add(entry);
    countBytes(request.sizeBytes);
    for (const part of parts) enqueue(part);
    return promise;
  }

  return {
    add,
    release(batch) {
      writing--;
      free(batch);
      offer();
    },
    offer,
    take(isReady) {
      if (drained) return Promise.resolve(undefined);
      const { promise, resolve } = Promise.withResolvers<Batch | undefined>();
      takers.push({ isReady, resolve });
      offer();
      return promise;
    },
    awaited: (parts) => parts.filter((part) => !part.pending.settled),
    written(parts, marks) {
      for (const part of parts) {
        const stored = marks.stored.get(part)?.size ?? 0;
        if (part.pending.settled) countUnacknowledged(part.pending, stored);
        part.pending.stored += stored;
        part.pending.conflicting += marks.conflicting.get(part)?.size ?? 0;
        advance(part.pending, part.toItem - part.fromItem);
      }
    },
    refuse(part, reason) {
      part.pending.refused.push({ item: part.fromItem, reason });
      advance(part.pending, 1);
    },
    fail(parts, message) {
      for (const part of parts) settle(part.pending, failed("database", message));
    },
    async drain(graceMillis) {
      stopped = true;
      if (pending.size > 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        onEmpty = resolve;
        const timer = setTimeout(resolve, graceMillis);
        await promise;
        clearTimeout(timer);
      }
      clearInterval(sweep);
      const left = [...pending];
      for (const entry of left) settle(entry, failed("stopping", STOPPING));
      for (const batch of batches.splice(0)) free(batch);
      drained = true;
      for (const taker of takers.splice(0)) taker.resolve(undefined);
      return left.reduce((sum, entry) => sum + entry.openItems, 0);
    },
  };
}

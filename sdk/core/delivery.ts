import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { isContent } from "./content-attributes.ts";
import { createDispatch } from "./dispatch.ts";
import type { TracingLimits } from "./options.ts";
import { nameOf, type Problems } from "./problems.ts";
import { createQueue, type Entry, type Losses, type Outcome } from "./queue.ts";
import type { Sender } from "./sender.ts";
import { createWaiters, nextTurn } from "./waiting.ts";

/** What a flush came to. */
export interface FlushResult {
  /** Whether everything that was queued when it was called has left (or was given up). */
  readonly complete: boolean;
  /** Records still queued. */
  readonly remaining: number;
}

/** Several destinations' results as one. */
export const joined = (results: readonly FlushResult[]): FlushResult => ({
  complete: results.every(({ complete }) => complete),
  remaining: results.reduce((sum, { remaining }) => sum + remaining, 0),
});

/** Figures since the start. */
export interface DeliveryStats {
  readonly queued: number;
  readonly queuedBytes: number;
  readonly exported: number;
  /** Records given up, for whatever reason. */
  readonly dropped: number;
  /** Records that lost their content to the bound of the queue. */
  readonly contentDropped: number;
  readonly retried: number;
}

/** A queue and the loop that empties it: one request at a time, each written out in a turn of the event loop of its own, never in the caller's. */
export interface Delivery {
  push(span: ReadableSpan, settled?: (outcome: Outcome) => void): Entry;
  cancel(entry: Entry): boolean;
  /** Sends as soon as the pause between two requests allows. */
  sendSoon(): void;
  flush(timeoutMillis: number): Promise<FlushResult>;
  /** Flushes and stops; what is pushed later is dropped. */
  shutdown(timeoutMillis: number): Promise<FlushResult>;
  /** Takes everything out that is not known to have arrived, for a last try at the end of the process. */
  takeAll(): ReadableSpan[];
  /** Whether the last request arrived or none was made. */
  reachable(): boolean;
  stats(): DeliveryStats;
}

export interface DeliveryOptions {
  readonly sender: Sender;
  readonly limits: TracingLimits;
  readonly problems: Problems;
  /** Whatever must be known before the first request (attributes of the resource that are found out asynchronously). */
  readonly ready?: Promise<unknown> | undefined;
}

/** A flush under way. Records that come, or are taken back, after it was asked for are none of its concern. */
interface Flush {
  /** The number of the last record that counts. */
  readonly upTo: number;
  /** How many of these are still to leave. */
  left: number;
}

/** How long a record may wait for others to share a request with. */
const GATHER_MS = 200;
/** Between two requests that are not full: a request costs as much as twenty records. The first after a pause leaves at once. */
const PAUSE_MS = 100;

export function createDelivery({ sender, limits, problems, ready }: DeliveryOptions): Delivery {
  const queue = createQueue(limits, isContent, (kind) => tellLoss(problems, kind));
  const dispatch = createDispatch({ sender, queue, problems });
  const waiters = createWaiters();
  /** Number of the latest record, and how many have left or were given up. */
  let [pushed, settled] = [0, 0];
  const flushes = new Set<Flush>();
  let sending: readonly Entry[] = [];
  let timer: NodeJS.Timeout | undefined;
  let timerMillis = 0;
  let lastSentMillis = Number.NEGATIVE_INFINITY;
  let running = false;
  let stopped = false;

  const isFull = (): boolean => queue.length >= limits.exportRecords || queue.bytes >= limits.exportBytes;
  const remaining = (): number => queue.length + sending.filter(({ state }) => state === "sending").length;
  const takeRest = (): readonly Entry[] => queue.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);

  function schedule(delayMillis: number): void {
    // No timer is ever later than the longest of the delays: most pushes need not look at the clock.
    if (running || stopped || (timer !== undefined && delayMillis >= GATHER_MS)) return;
    const atMillis = performance.now() + delayMillis;
    if (timer !== undefined && timerMillis <= atMillis) return;
    clearTimeout(timer);
    timerMillis = atMillis;
    timer = setTimeout(() => void drain(), delayMillis);
    // A process that has nothing else to do ends; its last records leave by the exit hooks.
    timer.unref();
  }

  async function drain(): Promise<void> {
    timer = undefined;
    if (running) return;
    running = true;
    try {
      await ready?.catch(() => {});
      while (queue.length > 0) {
        await sendNext();
        // While somebody waits for a flush, nothing waits for company.
        if (!isFull() && flushes.size === 0) break;
      }
    } catch (error) {
      // No promise of the SDK may reject unheard.
      problems.report("internal-error", `sending failed: ${nameOf(error)}`);
    }
    running = false;
    if (queue.length > 0) schedule(PAUSE_MS);
    waiters.wake();
  }

  async function sendNext(): Promise<void> {
    await nextTurn();
    sending = queue.take(limits.exportRecords, limits.exportBytes);
    if (sending.length > 0) await dispatch.send(sending);
    sending = [];
    lastSentMillis = performance.now();
  }

  async function flush(timeoutMillis: number): Promise<FlushResult> {
    const awaited: Flush = { upTo: pushed, left: pushed - settled };
    const isDone = (): boolean => awaited.left === 0;
    flushes.add(awaited);
    dispatch.hurry();
    schedule(0);
    if (!isDone()) await waiters.until(isDone, timeoutMillis);
    flushes.delete(awaited);
    return { complete: isDone(), remaining: remaining() };
  }

  return {
    push(span, onSettled) {
      const number = ++pushed;
      const entry = queue.push(span, (outcome) => {
        settled++;
        for (const flush of flushes) if (number <= flush.upTo) flush.left--;
        onSettled?.(outcome);
        waiters.wake();
      });
      if (stopped) dispatch.drop([entry]);
      else schedule(isFull() ? 0 : GATHER_MS);
      return entry;
    },
    cancel: (entry) => queue.cancel(entry),
    sendSoon: () => schedule(Math.max(0, lastSentMillis + PAUSE_MS - performance.now())),
    flush,
    async shutdown(timeoutMillis) {
      const result = await flush(timeoutMillis);
      stopped = true;
      clearTimeout(timer);
      dispatch.drop(takeRest());
      // Not waited for: the exporter may be in the middle of its own retries.
      void sender.shutdown();
      return result;
    },
    takeAll: () => [...sending, ...takeRest()].filter(({ state }) => state === "sending").map(({ span }) => span),
    reachable: dispatch.reachable,
    stats: () => ({
      queued: remaining(),
      queuedBytes: queue.bytes,
      exported: dispatch.counts.exported,
      dropped: dispatch.counts.dropped + queue.losses.records,
      contentDropped: queue.losses.contents,
      retried: dispatch.counts.retried,
    }),
  };
}

function tellLoss(problems: Problems, kind: keyof Losses): void {
  if (kind === "contents") problems.report("content-dropped", "the queue is full: the oldest content was given up");
  else problems.report("records-dropped", "the queue is full: the oldest records were given up");
}

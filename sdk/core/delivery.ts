import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { isContent } from "./content-attributes.ts";
import type { TracingLimits } from "./options.ts";
import type { Problems } from "./problems.ts";
import { createQueue, type Entry, type Losses, type Outcome } from "./queue.ts";
import type { Sender, SendResult } from "./sender.ts";

/** What a flush came to. */
export interface FlushResult {
  /** Whether everything that was queued when it was called has left (or was given up). */
  readonly complete: boolean;
  /** Records still queued. */
  readonly remaining: number;
}

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

/** How long a record may wait for others to share a request with. */
const GATHER_MS = 200;
/** Between two requests that are not full: a request costs as much as twenty records. */
const PAUSE_MS = 40;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { sender, limits, problems } = options;
  const queue = createQueue(limits, isContent, (kind) => tellLoss(problems, kind));
  const counts = { exported: 0, dropped: 0, retried: 0, pushed: 0, settled: 0 };
  const waiters = new Set<() => void>();
  let sending: readonly Entry[] = [];
  let timer: NodeJS.Timeout | undefined;
  let timerMillis = 0;
  let lastSentMillis = Number.NEGATIVE_INFINITY;
  let running = false;
  let stopped = false;
  let reachable = true;
  let backoffMillis = FIRST_BACKOFF_MS;
  let wakeUp: (() => void) | undefined;
  /** Flushes under way: nothing waits for company then. */
  let hurried = 0;

  const isFull = (): boolean => queue.length >= limits.exportRecords || queue.bytes >= limits.exportBytes;

  function settle(entries: readonly Entry[], outcome: Outcome): void {
    queue.settle(entries, outcome);
    if (outcome === "accepted") counts.exported += entries.length;
    else counts.dropped += entries.length;
  }

  function noted(settled: ((outcome: Outcome) => void) | undefined): (outcome: Outcome) => void {
    return (outcome) => {
      counts.settled++;
      settled?.(outcome);
      for (const waiter of waiters) waiter();
    };
  }

  function schedule(delayMillis: number): void {
    const atMillis = performance.now() + delayMillis;
    if (running || stopped || (timer !== undefined && timerMillis <= atMillis)) return;
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
      await options.ready?.catch(() => {});
      while (queue.length > 0) {
        await nextTurn();
        sending = queue.take(limits.exportRecords, limits.exportBytes);
        if (sending.length > 0) await sendOnce(sending);
        sending = [];
        lastSentMillis = performance.now();
        if (!isFull() && hurried === 0) break;
      }
    } finally {
      running = false;
      if (queue.length > 0) schedule(PAUSE_MS);
      for (const waiter of waiters) waiter();
    }
  }

  async function sendOnce(entries: readonly Entry[]): Promise<void> {
    const result = await sender.send(entries.map(({ span }) => span));
    reachable = result.kind !== "retry";
    if (reachable) backoffMillis = FIRST_BACKOFF_MS;
    if (result.kind === "accepted") accept(entries, result);
    else if (result.kind === "refused") refuse(entries, result.reason);
    else if (result.kind === "too-large") await sendSmaller(entries);
    else await sendLater(entries, result);
  }

  function accept(entries: readonly Entry[], { partial }: Extract<SendResult, { kind: "accepted" }>): void {
    settle(entries, "accepted");
    if (partial === undefined) return;
    counts.dropped += partial.rejectedSpans;
    counts.exported -= partial.rejectedSpans;
    problems.report("partial-success", `the collector rejected ${partial.rejectedSpans} records of a request`, partial.rejectedSpans);
  }

  function refuse(entries: readonly Entry[], reason: string): void {
    settle(entries, "dropped");
    problems.report("rejected", `${reason}; ${entries.length} records are given up`, entries.length);
  }

  /** Halves until the collector takes it; a single record that is still too large goes without its content. */
  async function sendSmaller(entries: readonly Entry[]): Promise<void> {
    if (entries.length > 1) {
      const half = Math.ceil(entries.length / 2);
      await sendOnce(entries.slice(0, half));
      await sendOnce(entries.slice(half));
      return;
    }
    const [entry] = entries;
    if (entry === undefined || entry.bare) refuse(entries, "the collector finds a record too large");
    else {
      queue.makeBare(entry);
      await sendOnce(entries);
    }
  }

  async function sendLater(entries: readonly Entry[], { reason, afterMillis }: Extract<SendResult, { kind: "retry" }>): Promise<void> {
    queue.putBack(entries);
    counts.retried += entries.length;
    problems.report("export-failed", `${reason}; ${entries.length} records are sent again later`, entries.length);
    const jitter = 0.8 + Math.random() * 0.4;
    await sleep(afterMillis ?? backoffMillis * jitter, afterMillis === undefined);
    if (afterMillis === undefined) backoffMillis = Math.min(backoffMillis * 2, MAX_BACKOFF_MS);
  }

  /** A wait that the collector asked for is kept; one of our own ends when somebody wants things sent now. */
  function sleep(millis: number, mayEndEarly: boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(pause);
        wakeUp = undefined;
        resolve();
      };
      const pause = setTimeout(end, millis);
      pause.unref();
      if (mayEndEarly) wakeUp = end;
    });
  }

  const inFlight = (): number => sending.filter(({ state }) => state === "sending").length;

  async function flush(timeoutMillis: number): Promise<FlushResult> {
    const goal = counts.pushed;
    const isDone = (): boolean => counts.settled >= goal || queue.length + inFlight() === 0;
    hurried++;
    wakeUp?.();
    schedule(0);
    if (!isDone()) await until(isDone, timeoutMillis, waiters);
    hurried--;
    return { complete: isDone(), remaining: queue.length + inFlight() };
  }

  return {
    push(span, settled) {
      const entry = queue.push(span, noted(settled));
      counts.pushed++;
      if (stopped) queue.settle([entry], "dropped");
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
      settle(queue.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY), "dropped");
      // Not waited for: the exporter may be in the middle of its own retries.
      void sender.shutdown();
      return result;
    },
    takeAll() {
      const rest = [...sending, ...queue.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)];
      return rest.filter(({ state }) => state === "sending").map(({ span }) => span);
    },
    reachable: () => reachable,
    stats: () => ({
      queued: queue.length + inFlight(),
      queuedBytes: queue.bytes,
      exported: counts.exported,
      dropped: counts.dropped + queue.losses.records,
      contentDropped: queue.losses.contents,
      retried: counts.retried,
    }),
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Resolves when `isDone` says so after one of the wake-ups, or at the time-out. */
function until(isDone: () => boolean, timeoutMillis: number, waiters: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      waiters.delete(check);
      resolve();
    };
    const check = (): void => {
      if (isDone()) end();
    };
    const timer = setTimeout(end, timeoutMillis);
    waiters.add(check);
  });
}

function tellLoss(problems: Problems, kind: keyof Losses): void {
  if (kind === "contents") problems.report("content-dropped", "the queue is full: the oldest content was given up");
  else problems.report("records-dropped", "the queue is full: the oldest records were given up");
}

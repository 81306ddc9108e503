import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Delivery } from "./delivery.ts";
import type { Entry } from "./queue.ts";
import type { RecordOutcome } from "./recorder.ts";

/** The announcement of one record that has begun. */
export interface Announcement {
  /** Settles when it is known what became of it, or after the longest wait of the settings; never rejects. */
  readonly outcome: Promise<RecordOutcome>;
  /** Takes it back because the record has ended; false when it was sent already. */
  withdraw(): boolean;
}

/**
 * Where announcements wait a little before they are queued: most calls that fail at once, and all that end within the delay, are then never announced.
 */
export interface PendingLane {
  /** `make` is called when the announcement leaves, with what is known then. */
  add(make: () => ReadableSpan): Announcement;
  /** Lets all leave now. */
  release(): void;
  /** Whether none waits. */
  isEmpty(): boolean;
}

export interface PendingLaneOptions {
  readonly deliveries: readonly Delivery[];
  readonly delayMillis: number;
  /** After this long an outcome is `queued`. */
  readonly waitMillis: number;
}

interface Waiting {
  readonly make: () => ReadableSpan;
  readonly dueMillis: number;
  readonly settle: (outcome: RecordOutcome) => void;
  entries: readonly Entry[] | undefined;
  withdrawn: boolean;
}

export function createPendingLane({ deliveries, delayMillis, waitMillis }: PendingLaneOptions): PendingLane {
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;

  function leave(item: Waiting): void {
    if (item.withdrawn) return;
    const span = item.make();
    item.entries = deliveries.map((delivery, i) => delivery.push(span, i === 0 ? item.settle : undefined));
  }

  function releaseDue(nowMillis: number): void {
    const due = waiting.findIndex(({ dueMillis }) => dueMillis > nowMillis);
    const leaving = due < 0 ? waiting : waiting.slice(0, due);
    waiting = due < 0 ? [] : waiting.slice(due);
    for (const item of leaving) leave(item);
    if (leaving.length > 0) for (const delivery of deliveries) delivery.sendNow();
    schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    timer = undefined;
    const [first] = waiting;
    if (first === undefined) return;
    timer = setTimeout(() => releaseDue(performance.now()), Math.max(0, first.dueMillis - performance.now()));
    timer.unref();
  }

  return {
    add(make) {
      const { outcome, settle } = outcomeWithin(waitMillis);
      const item: Waiting = { make, settle, dueMillis: performance.now() + delayMillis, entries: undefined, withdrawn: false };
      waiting.push(item);
      if (timer === undefined) schedule();
      return {
        outcome,
        withdraw() {
          item.withdrawn = true;
          if (item.entries === undefined) {
            settle("off");
            return true;
          }
          const [first] = item.entries.map((entry, i) => deliveries[i]?.cancel(entry) === true);
          return first === true;
        },
      };
    },
    release: () => releaseDue(Number.POSITIVE_INFINITY),
    isEmpty: () => waiting.every(({ withdrawn }) => withdrawn),
  };
}

function outcomeWithin(waitMillis: number): { outcome: Promise<RecordOutcome>; settle: (outcome: RecordOutcome) => void } {
  const { promise, resolve } = Promise.withResolvers<RecordOutcome>();
  const timer = setTimeout(() => resolve("queued"), waitMillis);
  timer.unref();
  return {
    outcome: promise,
    settle(outcome) {
      clearTimeout(timer);
      resolve(outcome);
    },
  };
}

import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Delivery } from "./delivery.ts";
import type { Entry } from "./queue.ts";
import type { RecordOutcome } from "./recorder.ts";

/** The announcement of one record that has begun. */
export interface Announcement {
  /** Settles when it is known what became of it, or after the longest wait of the settings; never rejects. */
  outcome(): Promise<RecordOutcome>;
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

/** Announcements that are due within this share of the delay leave together, in one request. */
const TOGETHER = 0.4;

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

  function releaseDue(untilMillis: number): void {
    const due = waiting.findIndex(({ dueMillis }) => dueMillis > untilMillis);
    const leaving = due < 0 ? waiting : waiting.slice(0, due);
    waiting = due < 0 ? [] : waiting.slice(due);
    for (const item of leaving) leave(item);
    if (leaving.length > 0) for (const delivery of deliveries) delivery.sendSoon();
    schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    timer = undefined;
    const first = waiting.find(({ withdrawn }) => !withdrawn);
    if (first === undefined) {
      waiting = [];
      return;
    }
    const wait = Math.max(0, first.dueMillis - performance.now());
    timer = setTimeout(() => releaseDue(performance.now() + delayMillis * TOGETHER), wait);
    timer.unref();
  }

  return {
    add(make) {
      const outcome = createOutcome(waitMillis);
      const item: Waiting = {
        make,
        settle: outcome.settle,
        dueMillis: performance.now() + delayMillis,
        entries: undefined,
        withdrawn: false,
      };
      waiting.push(item);
      if (timer === undefined) schedule();
      return {
        outcome: outcome.promise,
        withdraw() {
          item.withdrawn = true;
          if (item.entries === undefined) {
            outcome.settle("off");
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

interface OutcomeOfOne {
  promise(): Promise<RecordOutcome>;
  settle(outcome: RecordOutcome): void;
}

/** A promise and its time-out are made only where somebody asks: most applications never do. */
function createOutcome(waitMillis: number): OutcomeOfOne {
  let known: RecordOutcome | undefined;
  let resolve: ((outcome: RecordOutcome) => void) | undefined;
  let promise: Promise<RecordOutcome> | undefined;
  return {
    promise() {
      promise ??= new Promise((onOutcome) => {
        if (known !== undefined) return onOutcome(known);
        const timer = setTimeout(() => onOutcome("queued"), waitMillis);
        timer.unref();
        resolve = (outcome) => {
          clearTimeout(timer);
          onOutcome(outcome);
        };
      });
      return promise;
    },
    settle(outcome) {
      known ??= outcome;
      resolve?.(known);
    },
  };
}

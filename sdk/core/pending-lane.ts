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

export function createPendingLane({ deliveries, delayMillis, waitMillis }: PendingLaneOptions): PendingLane {
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;

  function releaseDue(untilMillis: number): void {
    const due = waiting.findIndex(({ dueMillis }) => dueMillis > untilMillis);
    const leaving = due < 0 ? waiting : waiting.slice(0, due);
    waiting = due < 0 ? [] : waiting.slice(due);
    for (const item of leaving) item.leave();
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
      const item = new Waiting(make, { deliveries, dueMillis: performance.now() + delayMillis, waitMillis });
      waiting.push(item);
      if (timer === undefined) schedule();
      return item;
    },
    release: () => releaseDue(Number.POSITIVE_INFINITY),
    isEmpty: () => waiting.every(({ withdrawn }) => withdrawn),
  };
}

interface WaitingOptions {
  readonly deliveries: readonly Delivery[];
  readonly dueMillis: number;
  readonly waitMillis: number;
}

/** A class, since every generation has one. Its promise and the time-out of that are made only where somebody asks: most applications never do. */
class Waiting implements Announcement {
  readonly #make: () => ReadableSpan;
  readonly #options: WaitingOptions;
  #entries: readonly Entry[] | undefined;
  #withdrawn = false;
  #known: RecordOutcome | undefined;
  #resolve: ((outcome: RecordOutcome) => void) | undefined;
  #promise: Promise<RecordOutcome> | undefined;

  constructor(make: () => ReadableSpan, options: WaitingOptions) {
    this.#make = make;
    this.#options = options;
  }

  get dueMillis(): number {
    return this.#options.dueMillis;
  }

  get withdrawn(): boolean {
    return this.#withdrawn;
  }

  leave(): void {
    if (this.#withdrawn) return;
    const span = this.#make();
    const settle = (outcome: RecordOutcome): void => this.#settle(outcome);
    this.#entries = this.#options.deliveries.map((delivery, i) => delivery.push(span, i === 0 ? settle : undefined));
  }

  outcome(): Promise<RecordOutcome> {
    this.#promise ??= new Promise((onOutcome) => {
      if (this.#known !== undefined) return onOutcome(this.#known);
      const timer = setTimeout(() => onOutcome("queued"), this.#options.waitMillis);
      timer.unref();
      this.#resolve = (outcome) => {
        clearTimeout(timer);
        onOutcome(outcome);
      };
    });
    return this.#promise;
  }

  withdraw(): boolean {
    this.#withdrawn = true;
    const entries = this.#entries;
    if (entries === undefined) {
      this.#settle("off");
      return true;
    }
    let isFirstBack = false;
    for (let i = 0; i < entries.length; i++) {
      const isBack = this.#options.deliveries[i]?.cancel(entries[i]!) === true;
      if (i === 0) isFirstBack = isBack;
    }
    return isFirstBack;
  }

  #settle(outcome: RecordOutcome): void {
    this.#known ??= outcome;
    this.#resolve?.(this.#known);
  }
}

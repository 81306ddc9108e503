import type { Problems } from "./problems.ts";
import type { Entry, Outcome, Queue } from "./queue.ts";
import type { Sender, SendResult } from "./sender.ts";
import { createPause } from "./waiting.ts";

/** Sends entries of a queue and does what their answer asks for. */
export interface Dispatch {
  /** Resolves when the entries are settled, or are back in the queue and may be tried again. Never rejects. */
  send(entries: readonly Entry[]): Promise<void>;
  /** Gives entries up. */
  drop(entries: readonly Entry[]): void;
  /** Ends a wait of our own; one that the collector asked for goes on. */
  hurry(): void;
  /** Whether the last request was answered, or none was made. */
  reachable(): boolean;
  readonly counts: DispatchCounts;
}

export interface DispatchCounts {
  readonly exported: number;
  readonly dropped: number;
  readonly retried: number;
}

export interface DispatchOptions {
  readonly sender: Sender;
  readonly queue: Queue;
  readonly problems: Problems;
}

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

export function createDispatch({ sender, queue, problems }: DispatchOptions): Dispatch {
  const counts = { exported: 0, dropped: 0, retried: 0 };
  const pause = createPause();
  let reachable = true;
  let backoffMillis = FIRST_BACKOFF_MS;

  function settle(entries: readonly Entry[], outcome: Outcome): void {
    queue.settle(entries, outcome);
    counts[outcome === "accepted" ? "exported" : "dropped"] += entries.length;
  }

  async function send(entries: readonly Entry[]): Promise<void> {
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
    const [first, ...others] = entries;
    if (first === undefined) return;
    if (others.length > 0) {
      const half = Math.ceil(entries.length / 2);
      await send(entries.slice(0, half));
      await send(entries.slice(half));
    } else if (first.bare) refuse(entries, "the collector finds a record too large");
    else {
      if (queue.makeBare(first)) problems.report("content-dropped", "the collector finds a record too large: it goes without its content");
      await send(entries);
    }
  }

  async function sendLater(entries: readonly Entry[], { reason, afterMillis }: Extract<SendResult, { kind: "retry" }>): Promise<void> {
    queue.putBack(entries);
    counts.retried += entries.length;
    problems.report("export-failed", `${reason}; ${entries.length} records are sent again later`, entries.length);
    if (afterMillis !== undefined) return pause.wait(afterMillis, false);
    const jitter = 0.8 + Math.random() * 0.4;
    await pause.wait(backoffMillis * jitter, true);
    backoffMillis = Math.min(backoffMillis * 2, MAX_BACKOFF_MS);
  }

  return { send, drop: (entries) => settle(entries, "dropped"), hurry: pause.end, reachable: () => reachable, counts };
}

import { setTimeout as sleep } from "node:timers/promises";
import type { WriterConnection } from "./writer-connection.ts";

/** Longest wait between two attempts to connect. */
const MAX_DELAY_MS = 2_000;
/** Shortest wait after a failure: fewer than five attempts a second, whatever the jitter. */
const MIN_DELAY_MS = 300;
/** What `stop` grants an attempt that is being cut short. */
const STOP_WAIT_MS = 100;

/** Spaces the attempts of all sessions together, so that a server that is down or turns everybody away is not besieged. Times in milliseconds. */
export interface Backoff {
  /** Books the next place in the row: how long to wait for it. */
  book(now: number): number;
  /** A connection could not be made, or was lost. */
  failed(now: number): void;
  /** A transaction was committed: all is well. Connecting alone proves nothing. */
  succeeded(): void;
}

export function createBackoff(random: () => number = Math.random): Backoff {
  let failures = 0;
  let nextAt = 0;
  const delay = (): number =>
    failures === 0 ? 0 : Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** Math.min(failures - 1, 8)) * (0.8 + random() * 0.4);
  return {
    book(now) {
      const at = Math.max(now, nextAt);
      nextAt = at + delay();
      return at - now;
    },
    failed(now) {
      failures++;
      nextAt = Math.max(nextAt, now + delay());
    },
    succeeded() {
      failures = 0;
      nextAt = 0;
    },
  };
}

/** Keeps one session open: makes a new one, in the background, whenever the last is lost. */
export interface Link {
  /** The live session; waits for one. Rejects only after `stop`. */
  session(): Promise<WriterConnection>;
  up(): boolean;
  stop(): Promise<void>;
}

export interface LinkOptions {
  readonly connect: (signal: AbortSignal) => Promise<WriterConnection>;
  readonly backoff: Backoff;
  readonly onUp: () => void;
  /** With the error of a failed attempt; undefined when a live session was lost. */
  readonly onDown: (error: unknown) => void;
}

export function createLink({ connect, backoff, onUp, onDown }: LinkOptions): Link {
  const stopping = new AbortController();
  let current: WriterConnection | undefined;
  let next = Promise.withResolvers<WriterConnection>();
  next.promise.catch(() => {});

  async function keepOpen(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(backoff.book(performance.now()), undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) break;
      let failure: unknown;
      try {
        current = await connect(stopping.signal);
        if (stopping.signal.aborted) break;
        onUp();
        next.resolve(current);
        await current.lost;
      } catch (error) {
        failure = error;
      }
      if (stopping.signal.aborted) break;
      if (current !== undefined) next = Promise.withResolvers();
      next.promise.catch(() => {});
      current = undefined;
      backoff.failed(performance.now());
      onDown(failure);
    }
    await current?.close();
    next.reject(new Error("the writer is stopped"));
  }

  async function session(): Promise<WriterConnection> {
    for (;;) {
      const made = await next.promise;
      if (made.alive) return made;
      await made.lost;
      await sleep(0); // by then `next` stands for the one that follows
    }
  }

  const running = keepOpen();
  return {
    session,
    up: () => current?.alive === true,
    async stop() {
      stopping.abort();
      await current?.close();
      await Promise.race([running, sleep(STOP_WAIT_MS)]);
    },
  };
}

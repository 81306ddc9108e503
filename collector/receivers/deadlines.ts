/** When a sender must have its answer. */
export interface Deadline {
  /** The body is coming: how long that may take is the server's bound, not ours. */
  pause(): void;
  resume(): void;
  stop(): void;
}

export interface Deadlines {
  /** Calls `onOver` when the time has passed, counted from now, or from `resume` where a pause took longer. */
  start(onOver: () => void): Deadline;
}

/** How late one may be noticed, of its length. */
const LATE_SHARE = 1 / 40;

interface Entry {
  readonly onOver: () => void;
  dueAt: number;
  isPaused: boolean;
}

/**
 * Deadlines of one length. One timer looks at all of them every so often: nearly every request is answered long before, and a timer for each costs more than
 * the rest of its bookkeeping.
 */
export function createDeadlines(millis: number): Deadlines {
  const running = new Set<Entry>();
  const everyMillis = Math.max(1, millis * LATE_SHARE);
  let isTimed = false;

  function look(): void {
    isTimed = false;
    const now = performance.now();
    for (const entry of running) {
      if (entry.dueAt > now) break; // they stand in the order in which they end
      running.delete(entry);
      if (!entry.isPaused) entry.onOver();
    }
    if (running.size > 0) lookSoon();
  }

  function lookSoon(): void {
    if (!isTimed) setTimeout(look, everyMillis);
    isTimed = true;
  }

  function run(entry: Entry): void {
    entry.dueAt = performance.now() + millis;
    running.add(entry);
    lookSoon();
  }

  return {
    start(onOver) {
      const entry: Entry = { onOver, dueAt: 0, isPaused: false };
      run(entry);
      return {
        pause() {
          entry.isPaused = true;
        },
        resume() {
          entry.isPaused = false;
          if (!running.has(entry)) run(entry);
        },
        stop: () => void running.delete(entry),
      };
    },
  };
}

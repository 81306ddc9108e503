/** About 24 days: Node ends longer timers at once, with a warning. */
export const MAX_TIMER_MS = 2_147_000_000;

/** The next turn of the event loop: what else waits comes first. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Those who wait for something to change look again at each `wake()`. */
export interface Waiters {
  wake(): void;
  /** Resolves when `isDone` says so, now or after a wake-up, or at the time-out. Keeps the process alive meanwhile. */
  until(isDone: () => boolean, timeoutMillis: number): Promise<void>;
}

export function createWaiters(): Waiters {
  const checks = new Set<() => void>();
  return {
    wake() {
      for (const check of checks) check();
    },
    until: (isDone, timeoutMillis) =>
      new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          checks.delete(check);
          resolve();
        };
        const check = (): void => {
          if (isDone()) end();
        };
        const timer = setTimeout(end, timeoutMillis);
        checks.add(check);
        check();
      }),
  };
}

/** A wait that does not keep the process alive. */
export interface Pause {
  /** `mayEndEarly` lets `end()` cut it short. */
  wait(millis: number, mayEndEarly: boolean): Promise<void>;
  end(): void;
}

export function createPause(): Pause {
  let endNow: (() => void) | undefined;
  return {
    wait: (millis, mayEndEarly) =>
      new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          endNow = undefined;
          resolve();
        };
        const timer = setTimeout(end, millis);
        timer.unref();
        if (mayEndEarly) endNow = end;
      }),
    end: () => endNow?.(),
  };
}

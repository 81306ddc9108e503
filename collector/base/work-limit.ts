/** Bounds the bytes that are being worked on at once. Who comes when there is no room waits in line. */
export interface WorkLimit {
  /** True when there is room and nobody waits; the caller then owes a `give` of as many bytes. */
  take(bytes: number): boolean;
  /** As `take`, in turn; false when the turn did not come in time. Something larger than the limit gets its turn alone. */
  wait(bytes: number): Promise<boolean>;
  give(bytes: number): void;
}

export interface WorkLimitOptions {
  readonly maxBytes: number;
  readonly maxWaitMillis: number;
}

interface Waiter {
  readonly bytes: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (hasRoom: boolean) => void;
}

export function createWorkLimit({ maxBytes, maxWaitMillis }: WorkLimitOptions): WorkLimit {
  const line = new Set<Waiter>();
  let taken = 0;

  function tryTake(bytes: number): boolean {
    if (taken > 0 && taken + bytes > maxBytes) return false;
    taken += bytes;
    return true;
  }

  function admit(): void {
    for (const waiter of line) {
      if (!tryTake(waiter.bytes)) return;
      line.delete(waiter);
      clearTimeout(waiter.timer);
      waiter.resolve(true);
    }
  }

  return {
    take: (bytes) => line.size === 0 && tryTake(bytes),
    wait(bytes) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => {
        line.delete(waiter);
        resolve(false);
        // Whoever stood behind may need less.
        admit();
      }, maxWaitMillis);
      const waiter: Waiter = { bytes, timer, resolve };
      line.add(waiter);
      admit();
      return promise;
    },
    give(bytes) {
      taken -= bytes;
      admit();
    },
  };
}

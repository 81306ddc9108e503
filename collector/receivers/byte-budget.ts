/** Bytes that may be held at once by requests which are still being read or inflated. */
export interface ByteBudget {
  /** Takes `bytes` if they fit. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  readonly usedBytes: number;
}

export function createByteBudget(limitBytes: number): ByteBudget {
  let usedBytes = 0;
  return {
    take(bytes) {
      if (usedBytes + bytes > limitBytes) return false;
      usedBytes += bytes;
      return true;
    },
    give(bytes) {
      usedBytes -= bytes;
    },
    get usedBytes() {
      return usedBytes;
    },
  };
}

/** The share of one request, which a small body may outgrow many times when it is inflated. */
export interface HeldBytes {
  /** False where there is no room for more; what is held stays held. */
  growTo(bytes: number): boolean;
  release(): void;
}

/** Goes on from `bytes` that were taken already. */
export function holdBytes(budget: ByteBudget, bytes: number): HeldBytes {
  let held = bytes;
  return {
    growTo(wanted) {
      if (wanted <= held) return true;
      if (!budget.take(wanted - held)) return false;
      held = wanted;
      return true;
    },
    release() {
      budget.give(held);
      held = 0;
    },
  };
}

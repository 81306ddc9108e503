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

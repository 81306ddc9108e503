/** A source of numbers that gives the same ones for the same seed. */
export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Scattered around `median` as durations are: never below zero, with a long tail. `spread` 0.4 is usual. */
  around(median: number, spread?: number): number;
  /** `bytes` random bytes in hexadecimal, never all zero. */
  hex(bytes: number): string;
}

/** A seed of its own for each part of the data, so that one more part changes none of the others (FNV-1a). */
export function seedOf(seed: number, part: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (const char of part) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
  return hash;
}

/** The sfc32 generator: 128 bits of state, good enough for data that must only look random. */
export function createRandom(seed: number): Random {
  let [a, b, c, counter] = [seed >>> 0, 0x9e3779b9, 0x243f6a88, 1];
  const word = (): number => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) word();
  const next = (): number => word() / 2 ** 32;
  return {
    next,
    int: (min, max) => min + Math.floor(next() * (max - min + 1)),
    chance: (probability) => next() < probability,
    pick: (from) => from[Math.floor(next() * from.length)]!,
    around: (median, spread = 0.4) => median * Math.exp(spread * (next() + next() + next() + next() - 2) * Math.sqrt(3)),
    hex(bytes) {
      const text = Array.from({ length: Math.ceil(bytes / 4) }, () => word().toString(16).padStart(8, "0")).join("");
      return text.slice(0, bytes * 2).replace(/^0+$/, (zeros) => zeros.replace(/0$/, "1"));
    },
  };
}

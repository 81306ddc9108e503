/** Remembers the entries that were set last. */
export interface Recent<V> {
  /** Entries that are held, older ones of the same key counted again; 0 only when there is none. */
  readonly size: number;
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  values(): Iterable<V>;
}

/**
 * Holds at least the last `count` entries set, and at most twice as many. Two maps that take turns cost a tenth of one that is kept at its size: a
 * Map from which the oldest entry is deleted again and again searches for it among the deleted ones.
 */
export function createRecent<V>(count: number): Recent<V> {
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  return {
    get size() {
      return young.size + old.size;
    },
    get: (key) => young.get(key) ?? old.get(key),
    set(key, value) {
      young.set(key, value);
      if (young.size < count) return;
      old = young;
      young = new Map();
    },
    *values() {
      yield* young.values();
      for (const [key, value] of old) if (!young.has(key)) yield value;
    },
  };
}

/** Traces that are looked at again although nothing tells that something came: what they wait for is an ordinary span. */
export interface OpenTraces<T> {
  /** Of the traces that were looked at, by name, `open` are those that still wait. Gives those that do since now. */
  note(lookedAt: ReadonlyMap<string, T>, open: readonly string[]): (readonly [name: string, trace: T])[];
  /** Those whose turn it is; called once per sweep. */
  toLookAt(): (readonly [name: string, trace: T])[];
}

interface Waiting<T> {
  readonly trace: T;
  sweeps: number;
}

/** The oldest give way. */
const MAX_OPEN = 5_000;
/** An hour of sweeps; what comes later is looked at when something else of its trace comes. */
const MAX_SWEEPS = 256;

/** A trace is looked at after 1, 2, 4, 8 … sweeps, so that one whose missing span never comes costs nine looks. */
export function createOpenTraces<T>(): OpenTraces<T> {
  const waiting = new Map<string, Waiting<T>>();
  return {
    note(lookedAt, open) {
      const still = new Set(open);
      const since = [...lookedAt].filter(([name]) => still.has(name) && !waiting.has(name));
      for (const [name, trace] of lookedAt) {
        if (!still.has(name)) waiting.delete(name);
        else waiting.set(name, { trace, sweeps: waiting.get(name)?.sweeps ?? 0 });
      }
      for (const name of waiting.keys()) {
        if (waiting.size <= MAX_OPEN) break;
        waiting.delete(name);
      }
      return since;
    },
    toLookAt() {
      const found: [string, T][] = [];
      for (const [name, entry] of waiting) {
        entry.sweeps++;
        if (entry.sweeps > MAX_SWEEPS) waiting.delete(name);
        else if ((entry.sweeps & (entry.sweeps - 1)) === 0) found.push([name, entry.trace]);
      }
      return found;
    },
  };
}

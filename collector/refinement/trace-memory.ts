import { MARK_CALL, MARK_WRAPPER } from "../rows/trace-marks.ts";
import type { TraceRef } from "./look-up.ts";
import { createSeenFilter } from "./seen-filter.ts";

/** What is known of a trace. */
export interface KnownTrace extends TraceRef {
  /** What came for it (MARK_*); never 0. */
  readonly bits: number;
  /** Of its calls when they were last looked at and in line; NaN where something came since. */
  readonly sign: number;
}

/** Remembers the traces that were noted last. */
export interface TraceMemory {
  get(projectId: number, traceId: string): KnownTrace | undefined;
  /** Trace ids of another form than 32 hexadecimal digits are not kept. */
  set(trace: KnownTrace): void;
  /** Whether a call of the trace was noted, or a wrapper that may count as one, also where it is no longer kept; wrong for one trace of two hundred. */
  hadCall(projectId: number, traceId: string): boolean;
  /** Those whose bits pass the test. */
  where(test: (bits: number) => boolean): KnownTrace[];
}

/** Of how many times as many traces as are kept it is known that they had a call. */
const SEEN_PER_KEPT = 40;

/**
 * Holds at least the last `count` traces, and at most twice as many, in at most 100 bytes each: as objects in a Map they took 480, and the garbage collector walked
 * all of them again and again. Two tables take turns, so that nothing is ever deleted from one.
 */
export function createTraceMemory(count: number): TraceMemory {
  let young = createTable(count);
  let old = createTable(count);
  const calls = createSeenFilter(count * SEEN_PER_KEPT);
  const id = new Uint32Array(ID_WORDS);
  return {
    get(projectId, traceId) {
      if (!readId(traceId, id)) return undefined;
      const key = { projectId, traceId, id };
      return young.get(key) ?? old.get(key);
    },
    set(trace) {
      if (!readId(trace.traceId, id)) return;
      young.set(trace, id);
      if ((trace.bits & (MARK_CALL | MARK_WRAPPER)) !== 0) calls.add(hash(trace.projectId, id), hash(~trace.projectId, id));
      if (young.size < count) return;
      [young, old] = [old, young];
      young.clear();
    },
    hadCall: (projectId, traceId) => readId(traceId, id) && calls.has(hash(projectId, id), hash(~projectId, id)),
    where(test) {
      const found = young.where(test);
      for (const trace of old.where(test)) {
        readId(trace.traceId, id);
        if (young.get({ ...trace, id }) === undefined) found.push(trace);
      }
      return found;
    },
  };
}

const ID_WORDS = 4;
const HEX_PER_WORD = 8;
const TRACE_ID = /^[0-9a-f]{32}$/;

function readId(traceId: string, into: Uint32Array): boolean {
  if (!TRACE_ID.test(traceId)) return false;
  for (let i = 0; i < ID_WORDS; i++) into[i] = Number.parseInt(traceId.slice(i * HEX_PER_WORD, (i + 1) * HEX_PER_WORD), 16);
  return true;
}

interface Key {
  readonly projectId: number;
  readonly traceId: string;
  /** The trace id as numbers. */
  readonly id: Uint32Array;
}

/** Open addressing with linear probing, at most half full. */
function createTable(count: number) {
  const slots = 2 ** Math.ceil(Math.log2(count * 2));
  const ids = new Uint32Array(slots * ID_WORDS);
  const projects = new Float64Array(slots);
  const times = new Float64Array(slots * 2);
  const signs = new Float64Array(slots);
  const bits = new Uint32Array(slots);
  let size = 0;

  /** The slot of the trace, or the free one where it belongs. */
  function find(projectId: number, id: Uint32Array): number {
    let slot = hash(projectId, id) & (slots - 1);
    while (bits[slot] !== 0 && !(projects[slot] === projectId && isAt(slot, id))) slot = (slot + 1) & (slots - 1);
    return slot;
  }

  function isAt(slot: number, id: Uint32Array): boolean {
    for (let i = 0; i < ID_WORDS; i++) if (ids[slot * ID_WORDS + i] !== id[i]) return false;
    return true;
  }

  const idAt = (slot: number): string => {
    let text = "";
    for (let i = 0; i < ID_WORDS; i++) text += (ids[slot * ID_WORDS + i] ?? 0).toString(16).padStart(HEX_PER_WORD, "0");
    return text;
  };

  const read = (slot: number, traceId: string): KnownTrace => ({
    projectId: projects[slot] ?? 0,
    traceId,
    bits: bits[slot] ?? 0,
    fromMillis: times[slot * 2] ?? 0,
    toMillis: times[slot * 2 + 1] ?? 0,
    sign: signs[slot] ?? Number.NaN,
  });

  return {
    get size() {
      return size;
    },
    get({ projectId, traceId, id }: Key): KnownTrace | undefined {
      const slot = find(projectId, id);
      return bits[slot] === 0 ? undefined : read(slot, traceId);
    },
    set(trace: KnownTrace, id: Uint32Array): void {
      const slot = find(trace.projectId, id);
      if (bits[slot] === 0) size++;
      ids.set(id, slot * ID_WORDS);
      projects[slot] = trace.projectId;
      times[slot * 2] = trace.fromMillis;
      times[slot * 2 + 1] = trace.toMillis;
      signs[slot] = trace.sign;
      bits[slot] = trace.bits;
    },
    where(test: (bits: number) => boolean): KnownTrace[] {
      const found: KnownTrace[] = [];
      for (let slot = 0; slot < slots; slot++) {
        const at = bits[slot] ?? 0;
        if (at !== 0 && test(at)) found.push(read(slot, idAt(slot)));
      }
      return found;
    },
    clear(): void {
      bits.fill(0);
      size = 0;
    },
  };
}

/** Mixes all words: ids that count upwards must not stand in a row. */
function hash(projectId: number, id: Uint32Array): number {
  let mixed = projectId | 0;
  for (const word of id) mixed = Math.imul(mixed ^ word, 0x9e3779b1) ^ (mixed >>> 15);
  return mixed ^ (mixed >>> 16);
}

import { equalsLiteral, type Literal, literal } from "../base/bytes-view.ts";

/** Names longer than this are rare and are not worth a place. */
const MAX_NAME_BYTES = 200;
/** Bounds the table against senders that invent names; what comes later is handled correctly, only slower. */
const MAX_NAMES = 8192;
const SLOTS = MAX_NAMES * 4;
const HASHED_BYTES = 10;
/** A sender could choose names that collide: a look-up never walks further than this. */
const MAX_PROBES = 32;

/** The id of a name that has no place in the table. */
export const NOT_INTERNED = -1;

/**
 * Attribute keys (and a few short values) as small integers. Ids are dense from 0, never reused, and live as long as the process:
 * modules look their own names up once, at load, and then compare integers.
 */
export class KeyTable {
  /** The name of each id. */
  readonly names: string[] = [];
  /** `,"name":` escaped for JSON, by id: the beginning of an object's member. */
  readonly jsonMembers: Literal[] = [];
  /** Dialects (bits) that know the name, by id. */
  readonly dialects = new Int32Array(MAX_NAMES);
  private readonly raw: Literal[] = [];
  private readonly slots = new Int32Array(SLOTS).fill(NOT_INTERNED);
  private readonly onIntern: ((id: number, name: string) => void)[] = [];

  /** The id of a name known to the program. Throws when the table is full, which only a programming error can cause at load. */
  register(name: string, dialectBit = 0): number {
    const bytes = Buffer.from(name, "utf8");
    const id = this.intern(bytes, 0, bytes.length);
    if (id === NOT_INTERNED) throw new Error(`attribute key table is full at ${name}`);
    this.dialects[id] |= dialectBit;
    return id;
  }

  /** Calls `visit` for every name there is and every one to come: for rules by prefix. */
  forEach(visit: (id: number, name: string) => void): void {
    for (const [id, name] of this.names.entries()) visit(id, name);
    this.onIntern.push(visit);
  }

  /** The id of `bytes[start, end)`, or NOT_INTERNED when it is long, not UTF-8 or the table is full. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const size = end - start;
    if (size > MAX_NAME_BYTES) return NOT_INTERNED;
    let slot = hashOf(bytes, start, end) & (SLOTS - 1);
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const id = this.slots[slot];
      if (id === NOT_INTERNED) return this.add(slot, bytes, start, end);
      if (equalsLiteral(this.raw[id], bytes, start, size)) return id;
      slot = slot + 1 === SLOTS ? 0 : slot + 1;
    }
    return NOT_INTERNED;
  }

  /** As `intern`, trying `guess` first: spans of one instrumentation carry the same keys in the same order. */
  internGuessed(guess: number, bytes: Uint8Array, start: number, end: number): number {
    if (guess >= 0 && guess < this.raw.length && equalsLiteral(this.raw[guess], bytes, start, end - start)) return guess;
    return this.intern(bytes, start, end);
  }

  private add(slot: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.names.length === MAX_NAMES) return NOT_INTERNED;
    const raw = Buffer.from(bytes.subarray(start, end));
    const name = raw.toString("utf8");
    if (name.includes("\u0000") || !Buffer.from(name, "utf8").equals(raw)) return NOT_INTERNED;
    const id = this.names.length;
    this.names.push(name);
    this.raw.push(literal(raw));
    this.jsonMembers.push(literal(`,${JSON.stringify(name)}:`));
    this.slots[slot] = id;
    for (const visit of this.onIntern) visit(id, name);
    return id;
  }
}

/** Names of one family differ in their last bytes and their length: a few bytes tell most of them apart, and `equal` decides. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  const from = end - HASHED_BYTES > start ? end - HASHED_BYTES : start;
  for (let i = from; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0;
  if (from > start) hash = (Math.imul(hash, 31) + bytes[start] + bytes[(start + from) >>> 1]) | 0;
  return hash ^ (hash >>> 15);
}

/** The one table of attribute keys: a cache of pure facts, so sharing it is harmless. */
export const keyTable = new KeyTable();

/** The same for short values that come from small sets, such as operation and provider names: a string is made once for each. */
export const valueTable = new KeyTable();

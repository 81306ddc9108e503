import { ByteWriter } from "../base/byte-writer.ts";
import { keyTable, NOT_INTERNED, valueTable } from "./key-table.ts";
import { EMPTIED_TAG, readMisfit, SENT_TAG } from "./sent-marks.ts";
import { WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, WireReader } from "./wire.ts";

/** Kinds of AnyValue, by their field numbers in common.proto; 0 is the empty value. */
export const VALUE_EMPTY = 0;
export const VALUE_STRING = 1;
export const VALUE_BOOL = 2;
export const VALUE_INT = 3;
export const VALUE_DOUBLE = 4;
export const VALUE_ARRAY = 5;
export const VALUE_KVLIST = 6;
export const VALUE_BYTES = 7;
/** Not a value: the attribute was taken out (a duplicate of a later one, or by a processor). */
export const VALUE_REMOVED = 255;

/** Tags of KeyValue.key and KeyValue.value, and of three kinds of AnyValue. */
const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
const STRING_TAG = 0x0a;
const BOOL_TAG = 0x10;
const INT_TAG = 0x18;

const scratch = new DataView(new ArrayBuffer(8));

/** The double whose bits are in two 32-bit halves. */
export function doubleFromBits(lo: number, hi: number): number {
  scratch.setInt32(0, lo, true);
  scratch.setInt32(4, hi, true);
  return scratch.getFloat64(0, true);
}

/** The exact integer in two 32-bit halves of a two's complement int64: a number when it is safe, else a bigint. */
export function int64FromHalves(lo: number, hi: number): number | bigint {
  const value = hi * 4294967296 + (lo >>> 0);
  return Number.isSafeInteger(value) ? value : (BigInt(hi) << 32n) | BigInt(lo >>> 0);
}

/** Index into the buffer that `Arena.source` gives for the same offset. */
export const position = (offset: number): number => (offset >= 0 ? offset : ~offset);

/**
 * Where the bytes of slices live: the request, and a side buffer for what was added or replaced. An offset ≥ 0 points into the
 * request, a negative one (~offset) into the side buffer.
 */
export class Arena {
  request: Buffer = Buffer.alloc(0);
  readonly side = new ByteWriter();

  source(offset: number): Buffer {
    return offset >= 0 ? this.request : this.side.buffer;
  }

  /** Puts text into the side buffer; returns its slice's offset and byte length. */
  addText(text: string): { offset: number; size: number } {
    const offset = ~this.side.length;
    return { offset, size: this.side.utf8(text) };
  }
}

/**
 * Key-value pairs as slices in parallel arrays, in the order they were sent; reused from span to span.
 * `a`, `b` by kind: string, array, kvlist, bytes: offset and size of the content · bool: 0 or 1 · int, double: low and high half.
 * A repeated key keeps its last value; the earlier one turns into VALUE_REMOVED and is counted.
 */
export class AttributeList {
  count = 0;
  duplicates = 0;
  /** Dialects that know at least one of the keys. */
  dialects = 0;
  keys = new Int32Array(64);
  keyOffsets = new Int32Array(64);
  keySizes = new Int32Array(64);
  kinds = new Uint8Array(64);
  a = new Int32Array(64);
  b = new Int32Array(64);
  /** Redaction took content out of at least one of the values. */
  redacted = false;
  /** Members of AnyValue (bits, by field number) that the value at an index was sent as and did not fit: see sent-marks.ts. */
  readonly misfits = new Map<number, number>();
  readonly arena: Arena;
  private readonly reader = new WireReader();
  /** Last index by hash of a key outside the key table. */
  private readonly unknownKeys = new Map<number, number>();
  private stamps = new Int32Array(0);
  private stampIndex = new Int32Array(0);
  private stamp = 0;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  clear(): void {
    this.count = 0;
    this.duplicates = 0;
    this.dialects = 0;
    this.redacted = false;
    this.stamp = (this.stamp + 1) | 0;
    if (this.unknownKeys.size > 0) this.unknownKeys.clear();
    if (this.misfits.size > 0) this.misfits.clear();
  }

  /** Appends the KeyValue message in the request's bytes `[start, end)`. */
  addKeyValue(start: number, end: number): void {
    const index = this.open();
    if (!this.readPlain(index, start, end)) this.readKeyValue(index, start, end);
    const keyOffset = this.keyOffsets[index];
    this.close(index, keyTable.internGuessed(this.keys[index], this.arena.request, keyOffset, keyOffset + this.keySizes[index]));
  }

  /**
   * The forms that nearly every attribute has: a key, then one value (text, a small integer or a boolean), then the end. Anything else is
   * left to the general reader, so this only ever decides how fast the same result is reached: in half the time.
   */
  private readPlain(index: number, start: number, end: number): boolean {
    const { request } = this.arena;
    if (end - start < 6 || request[start] !== KEY_TAG) return false;
    const keySize = request[start + 1];
    let at = start + 2 + keySize;
    if (keySize >= 0x80 || at + 4 > end || request[at] !== VALUE_TAG) return false;
    let valueSize = request[at + 1];
    at += 2;
    if (valueSize >= 0x80) {
      const high = request[at++];
      if (high >= 0x80) return false;
      valueSize = (valueSize & 0x7f) | (high << 7);
    }
    if (at + valueSize !== end || !this.readPlainValue(index, at, end)) return false;
    this.keyOffsets[index] = start + 2;
    this.keySizes[index] = keySize;
    return true;
  }

  /** The AnyValue in `[start, end)`, at least two bytes; false, and nothing set, for other forms. */
  private readPlainValue(index: number, start: number, end: number): boolean {
    const { request } = this.arena;
    const tag = request[start];
    const first = request[start + 1];
    let at = start + 2;
    if (tag === STRING_TAG) {
      let size = first;
      if (size >= 0x80) {
        const high = request[at++];
        if (high >= 0x80) return false;
        size = (size & 0x7f) | (high << 7);
      }
      if (at + size !== end) return false;
      return this.setPlain(index, VALUE_STRING, at, size);
    }
    if (tag === INT_TAG) {
      let value = first & 0x7f;
      let last = first;
      for (let shift = 7; last >= 0x80 && shift < 28 && at < end; shift += 7) {
        last = request[at++];
        value |= (last & 0x7f) << shift;
      }
      return last < 0x80 && at === end && this.setPlain(index, VALUE_INT, value, 0);
    }
    return tag === BOOL_TAG && first <= 1 && at === end && this.setPlain(index, VALUE_BOOL, first, 0);
  }

  private setPlain(index: number, kind: number, a: number, b: number): true {
    this.kinds[index] = kind;
    this.a[index] = a;
    this.b[index] = b;
    return true;
  }

  private readKeyValue(index: number, start: number, end: number): void {
    const reader = this.reader;
    reader.reset(this.arena.request, start, end);
    this.keyOffsets[index] = start;
    this.keySizes[index] = 0;
    while (reader.pos < end) {
      const tag = reader.tag();
      if (tag === ((1 << 3) | WIRE_LENGTH)) {
        this.keySizes[index] = reader.length();
        this.keyOffsets[index] = reader.pos;
        reader.pos += this.keySizes[index];
      } else if (tag === ((2 << 3) | WIRE_LENGTH)) {
        const valueEnd = reader.length() + reader.pos;
        this.readValue(index, reader, valueEnd);
      } else reader.skip(tag);
    }
  }

  /** Takes the AnyValue message in `[start, end)` as the list's only value, without a key; a repeated one is merged into it. */
  addValue(start: number, end: number): void {
    const index = this.count === 0 ? this.open() : 0;
    this.keys[index] = NOT_INTERNED;
    this.keySizes[index] = 0;
    this.reader.reset(this.arena.request, start, end);
    this.readValue(index, this.reader, end);
  }

  /** Index of the key's value, or -1. */
  find(key: number): number {
    if (key !== NOT_INTERNED) for (let i = 0; i < this.count; i++) if (this.keys[i] === key && this.kinds[i] !== VALUE_REMOVED) return i;
    return -1;
  }

  /** Index of the value of the key with this name, or -1; for rules that users write. */
  findName(name: string): number {
    for (let i = 0; i < this.count; i++) if (this.kinds[i] !== VALUE_REMOVED && this.name(i) === name) return i;
    return -1;
  }

  name(index: number): string {
    const key = this.keys[index];
    if (key !== NOT_INTERNED) return keyTable.names[key];
    return this.slice(this.keyOffsets[index], this.keySizes[index]);
  }

  /** A string value as text (invalid UTF-8 becomes U+FFFD), or undefined for another kind. */
  text(index: number): string | undefined {
    return this.kinds[index] === VALUE_STRING ? this.slice(this.a[index], this.b[index]) : undefined;
  }

  /** As `text`, for values from small sets: the string is made once for all spans. */
  textFromSet(index: number): string | undefined {
    if (this.kinds[index] !== VALUE_STRING) return undefined;
    const start = position(this.a[index]);
    const id = valueTable.intern(this.arena.source(this.a[index]), start, start + this.b[index]);
    return id === NOT_INTERNED ? this.text(index) : valueTable.names[id];
  }

  /** A numeric value as a number, or undefined. Integers beyond 2^53 lose digits: use `int64FromHalves` where digits matter. */
  number(index: number): number | undefined {
    const kind = this.kinds[index];
    if (kind === VALUE_INT) return Number(int64FromHalves(this.a[index], this.b[index]));
    if (kind === VALUE_DOUBLE) return doubleFromBits(this.a[index], this.b[index]);
    return undefined;
  }

  remove(index: number): void {
    this.kinds[index] = VALUE_REMOVED;
  }

  /** Gives attribute `to` the value of attribute `from`: the same slice, nothing is copied. */
  copyValue(from: number, to: number): void {
    this.kinds[to] = this.kinds[from];
    this.a[to] = this.a[from];
    this.b[to] = this.b[from];
  }

  /** Replaces a value by text. */
  setText(index: number, text: string): void {
    const { offset, size } = this.arena.addText(text);
    this.kinds[index] = VALUE_STRING;
    this.a[index] = offset;
    this.b[index] = size;
  }

  /** Replaces a value by a boolean, an int64 or a double. */
  setScalar(index: number, kind: typeof VALUE_BOOL | typeof VALUE_INT | typeof VALUE_DOUBLE, value: number | bigint | boolean): void {
    this.kinds[index] = kind;
    if (kind === VALUE_BOOL) {
      this.a[index] = value ? 1 : 0;
      return;
    }
    if (kind === VALUE_DOUBLE) scratch.setFloat64(0, Number(value), true);
    else scratch.setBigInt64(0, BigInt.asIntN(64, BigInt(value)), true);
    this.a[index] = scratch.getInt32(0, true);
    this.b[index] = scratch.getInt32(4, true);
  }

  /** Appends an attribute of kind empty and returns its index, to be set by `setText` or `setScalar`. */
  append(name: string): number {
    const index = this.open();
    const { offset, size } = this.arena.addText(name);
    const at = ~offset;
    this.keyOffsets[index] = offset;
    this.keySizes[index] = size;
    this.close(index, keyTable.intern(this.arena.side.buffer, at, at + size));
    return index;
  }

  private slice(offset: number, size: number): string {
    const start = position(offset);
    return this.arena.source(offset).toString("utf8", start, start + size);
  }

  private open(): number {
    const index = this.count;
    if (index === this.keys.length) this.grow();
    this.count = index + 1;
    this.kinds[index] = VALUE_EMPTY;
    this.a[index] = 0;
    this.b[index] = 0;
    return index;
  }

  private close(index: number, key: number): void {
    this.keys[index] = key;
    if (key === NOT_INTERNED) {
      this.closeUnknown(index);
      return;
    }
    this.dialects |= keyTable.dialects[key];
    if (key >= this.stamps.length) this.growStamps(key);
    if (this.stamps[key] === this.stamp) this.replace(this.stampIndex[key]);
    this.stamps[key] = this.stamp;
    this.stampIndex[key] = index;
  }

  /** Keys outside the table are rare (long or surplus ones): compared as text when their hashes agree. */
  private closeUnknown(index: number): void {
    const offset = this.keyOffsets[index];
    const bytes = this.arena.source(offset);
    const start = position(offset);
    let hash = this.keySizes[index];
    for (let i = start; i < start + this.keySizes[index]; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0;
    const earlier = this.unknownKeys.get(hash);
    if (earlier !== undefined && this.name(earlier) === this.name(index)) this.replace(earlier);
    this.unknownKeys.set(hash, index);
  }

  private replace(earlier: number): void {
    if (this.kinds[earlier] === VALUE_REMOVED) return;
    this.kinds[earlier] = VALUE_REMOVED;
    this.misfits.delete(earlier);
    this.duplicates++;
  }

  /** Reads AnyValue fields up to `end` on top of what the slot holds: protobuf merges repeated messages, and the last oneof field wins. */
  private readValue(index: number, reader: WireReader, end: number): void {
    const outer = reader.end;
    reader.end = end;
    while (reader.pos < end) {
      const tag = reader.tag();
      const field = tag >>> 3;
      const wire = tag & 7;
      if (wire === WIRE_LENGTH && (field === VALUE_STRING || field >= VALUE_ARRAY) && field <= VALUE_BYTES) {
        const size = reader.length();
        this.setSlice(index, field, reader.pos, size);
        reader.pos += size;
      } else if (wire === WIRE_VARINT && (field === VALUE_BOOL || field === VALUE_INT)) {
        reader.varint64();
        this.kinds[index] = field;
        this.a[index] = field === VALUE_BOOL ? Number((reader.lo | reader.hi) !== 0) : reader.lo;
        this.b[index] = reader.hi;
      } else if (wire === WIRE_FIXED64 && field === VALUE_DOUBLE) {
        reader.fixed64();
        this.kinds[index] = VALUE_DOUBLE;
        this.a[index] = reader.lo;
        this.b[index] = reader.hi;
      } else if (tag === SENT_TAG) this.misfits.set(index, (this.misfits.get(index) ?? 0) | readMisfit(reader));
      else {
        if (tag === EMPTIED_TAG) this.redacted = true;
        reader.skip(tag);
      }
    }
    reader.end = outer;
  }

  /** Sets a slice; a second array or kvlist of one value is merged with the first, which for encoded messages means one after the other. */
  private setSlice(index: number, kind: number, offset: number, size: number): void {
    const merges = kind === this.kinds[index] && (kind === VALUE_ARRAY || kind === VALUE_KVLIST) && this.b[index] > 0;
    if (!merges) {
      this.kinds[index] = kind;
      this.a[index] = offset;
      this.b[index] = size;
      return;
    }
    const { side, request } = this.arena;
    const first = this.a[index];
    // What was merged last is at the end: more is put behind it, so that a thousand repetitions do not copy a thousand times.
    if (first >= 0 || ~first + this.b[index] !== side.length) {
      this.a[index] = ~side.length;
      side.reserve(this.b[index]);
      side.bytes(this.arena.source(first), position(first), position(first) + this.b[index]);
    }
    side.bytes(request, offset, offset + size);
    this.b[index] += size;
  }

  private grow(): void {
    const size = this.keys.length * 2;
    this.keys = grown(this.keys, new Int32Array(size));
    this.keyOffsets = grown(this.keyOffsets, new Int32Array(size));
    this.keySizes = grown(this.keySizes, new Int32Array(size));
    this.kinds = grown(this.kinds, new Uint8Array(size));
    this.a = grown(this.a, new Int32Array(size));
    this.b = grown(this.b, new Int32Array(size));
  }

  private growStamps(key: number): void {
    const size = Math.max(1024, 2 ** Math.ceil(Math.log2(key + 1)));
    const stamps = new Int32Array(size).fill(-1);
    stamps.set(this.stamps);
    this.stamps = stamps;
    this.stampIndex = grown(this.stampIndex, new Int32Array(size));
  }
}

function grown<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

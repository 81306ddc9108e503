import { isUtf8 } from "node:buffer";
import type { ByteWriter } from "../base/byte-writer.ts";
import { literal, viewOf } from "../base/bytes-view.ts";
import { MAX_VALUE_DEPTH } from "../base/limits.ts";
import {
  type AttributeList,
  doubleFromBits,
  int64FromHalves,
  position,
  VALUE_ARRAY,
  VALUE_BOOL,
  VALUE_BYTES,
  VALUE_DOUBLE,
  VALUE_EMPTY,
  VALUE_INT,
  VALUE_KVLIST,
  VALUE_REMOVED,
  VALUE_STRING,
} from "./attribute-list.ts";
import { keyTable, NOT_INTERNED } from "./key-table.ts";
import { WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, WireReader } from "./wire.ts";

/** What had to be done to a value so that it fits JSON in PostgreSQL; or-ed together by the writers below. */
export const MENDED_NUL = 1;
export const MENDED_UTF8 = 2;
export const MENDED_DEPTH = 4;
/** The value was binary and stands as base64 text. */
export const TYPE_BYTES = 8;
/** The value was NaN or an infinity and stands as text. */
export const TYPE_NON_FINITE = 16;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const ARRAY_BRACKETS = [0x5b, 0x5d] as const;
const OBJECT_BRACKETS = [OPEN_OBJECT, CLOSE_OBJECT] as const;
const TRUE = literal("true");
const FALSE = literal("false");
const NULL = literal("null");
/** 0: copied as it is · 1: needs an escape · 2: part of a multi-byte character. */
const CLASS = Uint8Array.from({ length: 256 }, (_, c) => (c < 0x20 || c === QUOTE || c === BACKSLASH ? 1 : c >= 0x80 ? 2 : 0));
const SHORT_ESCAPES = new Map<number, number>([
  [0x08, 0x62],
  [0x09, 0x74],
  [0x0a, 0x6e],
  [0x0c, 0x66],
  [0x0d, 0x72],
  [QUOTE, QUOTE],
  [BACKSLASH, BACKSLASH],
]);
const SHORT = Uint8Array.from({ length: 256 }, (_, c) => SHORT_ESCAPES.get(c) ?? 0);
const HEX_DIGITS = Uint8Array.from("0123456789abcdef", (c) => c.charCodeAt(0));

/** Writes `source[start, end)` as a JSON string. NUL and invalid UTF-8 become U+FFFD, since PostgreSQL holds neither. Returns what was mended. */
export function writeJsonString(out: ByteWriter, source: Buffer, start: number, end: number): number {
  const size = end - start;
  out.reserve(size + 2);
  const at = out.length + 1;
  out.buffer[at - 1] = QUOTE;
  if (copyPlain(out.data, at, { source: viewOf(source), start, size })) {
    out.buffer[at + size] = QUOTE;
    out.length = at + size + 1;
    return 0;
  }
  out.length = at;
  const mended = writeEscaped(out, source, start, end);
  out.u8(QUOTE);
  return mended;
}

interface Slice {
  readonly source: DataView;
  readonly start: number;
  readonly size: number;
}

/**
 * Copies ASCII that JSON takes as it is; false, with rubbish in the target, for any other text. Four bytes at a time and one decision
 * at the end take a third of the time of a loop over bytes; the last word overlaps the one before it.
 */
function copyPlain(target: DataView, at: number, { source, start, size }: Slice): boolean {
  let marks = 0;
  const last = size - 4;
  if (last < 0) {
    for (let i = 0; i < size; i++) {
      const byte = source.getUint8(start + i);
      marks |= CLASS[byte];
      target.setUint8(at + i, byte);
    }
    return marks === 0;
  }
  for (let i = 0; i < last; i += 4) {
    const word = source.getInt32(start + i, true);
    marks |= word | belowSpace(word) | equalBytes(word, QUOTES) | equalBytes(word, BACKSLASHES);
    target.setInt32(at + i, word, true);
  }
  const word = source.getInt32(start + last, true);
  marks |= word | belowSpace(word) | equalBytes(word, QUOTES) | equalBytes(word, BACKSLASHES);
  target.setInt32(at + last, word, true);
  return (marks & HIGH_BITS) === 0;
}

/*
 * Tests of four bytes at once: the high bit of a byte is set where the test holds. A borrow may also set it in bytes above one where it holds, and in
 * bytes beyond ASCII, which `& ~word` takes out again.
 */
const HIGH_BITS = 0x80808080 | 0;
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const belowSpace = (word: number): number => (word - 0x20202020) | 0;
const equalBytes = (word: number, bytes: number): number => ((word ^ bytes) - 0x01010101) | 0;
const needsEscape = (word: number): boolean =>
  ((belowSpace(word) | equalBytes(word, QUOTES) | equalBytes(word, BACKSLASHES)) & ~word & HIGH_BITS) !== 0;

/** Writes text with escapes or beyond ASCII. */
function writeEscaped(out: ByteWriter, source: Buffer, start: number, end: number): number {
  if (!isUtf8(source.subarray(start, end))) {
    const repaired = Buffer.from(source.toString("utf8", start, end), "utf8");
    return MENDED_UTF8 | writeEscaped(out, repaired, 0, repaired.length);
  }
  const words = viewOf(source);
  let mended = 0;
  let i = start;
  out.reserve(end - start);
  for (;;) {
    i = copyUnescaped(out, words, i, end);
    if (i === end) return mended;
    const byte = source[i++];
    out.reserve(6 + end - i);
    out.length = byte === 0 ? replaceNul(out.buffer, out.length) : escapeInto(out.buffer, out.length, byte);
    if (byte === 0) mended |= MENDED_NUL;
  }
}

/** Copies up to the next byte that needs an escape, or to the end; there is room. Returns where it stopped. */
function copyUnescaped(out: ByteWriter, source: DataView, start: number, end: number): number {
  const { data } = out;
  let at = out.length;
  let i = start;
  for (; i + 4 <= end; i += 4, at += 4) {
    const word = source.getInt32(i, true);
    if (needsEscape(word)) break;
    data.setInt32(at, word, true);
  }
  for (; i < end; i++, at++) {
    const byte = source.getUint8(i);
    if (CLASS[byte] === 1) break;
    data.setUint8(at, byte);
  }
  out.length = at;
  return i;
}

/** U+FFFD in UTF-8. */
function replaceNul(target: Uint8Array, at: number): number {
  target[at] = 0xef;
  target[at + 1] = 0xbf;
  target[at + 2] = 0xbd;
  return at + 3;
}

function escapeInto(target: Uint8Array, at: number, c: number): number {
  target[at] = BACKSLASH;
  const short = SHORT[c];
  if (short !== 0) {
    target[at + 1] = short;
    return at + 2;
  }
  target[at + 1] = 0x75;
  target[at + 2] = 0x30;
  target[at + 3] = 0x30;
  target[at + 4] = HEX_DIGITS[c >>> 4];
  target[at + 5] = HEX_DIGITS[c & 15];
  return at + 6;
}

/** JSON texts of doubles: temperatures and the like come from small sets, and making such a text takes half a microsecond. */
const doubleTexts = new Map<number, string>();
const MAX_DOUBLE_TEXTS = 1024;

/** Writes a double so that it can be told from an integer: 5 becomes 5.0. NaN and infinities become strings. */
export function writeJsonDouble(out: ByteWriter, value: number): number {
  if (!Number.isFinite(value)) {
    out.ascii(`"${value}"`);
    return TYPE_NON_FINITE;
  }
  out.ascii(Object.is(value, -0) ? "-0.0" : doubleText(value));
  return 0;
}

function doubleText(value: number): string {
  const known = doubleTexts.get(value);
  if (known !== undefined) return known;
  const digits = String(value);
  const text = /[.e]/.test(digits) ? digits : `${digits}.0`;
  if (doubleTexts.size === MAX_DOUBLE_TEXTS) doubleTexts.clear();
  doubleTexts.set(value, text);
  return text;
}

/** Writes `,"key":` of attribute `index`. */
function writeJsonKey(out: ByteWriter, list: AttributeList, index: number): number {
  const id = list.keys[index];
  if (id !== NOT_INTERNED) {
    out.literal(keyTable.jsonMembers[id]);
    return 0;
  }
  const offset = list.keyOffsets[index];
  const start = position(offset);
  out.u8(COMMA);
  const mended = writeJsonString(out, list.arena.source(offset), start, start + list.keySizes[index]);
  out.u8(COLON);
  return mended;
}

/** Writes the value of attribute `index` as JSON; returns what was mended or retyped. */
export function writeJsonValue(out: ByteWriter, list: AttributeList, index: number): number {
  const a = list.a[index];
  const b = list.b[index];
  switch (list.kinds[index]) {
    case VALUE_STRING: {
      const start = position(a);
      return writeJsonString(out, list.arena.source(a), start, start + b);
    }
    case VALUE_BOOL:
      out.literal(a === 0 ? FALSE : TRUE);
      return 0;
    case VALUE_INT:
      writeJsonInt(out, a, b);
      return 0;
    case VALUE_DOUBLE:
      return writeJsonDouble(out, doubleFromBits(a, b));
    case VALUE_BYTES: {
      const start = position(a);
      out.ascii(`"${list.arena.source(a).toString("base64", start, start + b)}"`);
      return TYPE_BYTES;
    }
    case VALUE_ARRAY:
    case VALUE_KVLIST: {
      const start = position(a);
      const reader = new WireReader(list.arena.source(a));
      reader.reset(list.arena.source(a), start, start + b);
      return writeItems(out, reader, { kind: list.kinds[index], depth: 1, continued: false });
    }
    default:
      out.literal(NULL);
      return 0;
  }
}

/** Writes an int64 given as two 32-bit halves. */
function writeJsonInt(out: ByteWriter, lo: number, hi: number): void {
  if (hi === lo >> 31) out.decimal(lo);
  else out.ascii(String(int64FromHalves(lo, hi)));
}

/** Writes all attributes but the removed ones as a JSON object. `onMended` hears of each value that could not stand as it was. */
export function writeJsonObject(out: ByteWriter, list: AttributeList, onMended: (index: number, mended: number) => void): void {
  const begin = out.length;
  for (let i = 0; i < list.count; i++) {
    if (list.kinds[i] === VALUE_REMOVED) continue;
    const mended = writeJsonKey(out, list, i) | writeJsonValue(out, list, i);
    if (mended !== 0) onMended(i, mended);
  }
  // Every member begins with a comma: the first one gives its place to the bracket.
  if (out.length === begin) out.u8(OPEN_OBJECT);
  else out.buffer[begin] = OPEN_OBJECT;
  out.u8(CLOSE_OBJECT);
}

interface Items {
  readonly kind: typeof VALUE_ARRAY | typeof VALUE_KVLIST;
  readonly depth: number;
  /** They come behind those of an earlier array or map, which stands written at the end. */
  readonly continued: boolean;
}

const ITEM_TAG = (1 << 3) | WIRE_LENGTH;

/** ArrayValue and KeyValueList: 1 values, in the latter each a KeyValue of 1 key and 2 value. */
function writeItems(out: ByteWriter, reader: WireReader, { kind, depth, continued }: Items): number {
  const [open, close] = kind === VALUE_ARRAY ? ARRAY_BRACKETS : OBJECT_BRACKETS;
  if (continued) out.length--;
  else out.u8(open);
  let first = out.buffer[out.length - 1] === open;
  let mended = 0;
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag !== ITEM_TAG) {
      reader.skip(tag);
      continue;
    }
    if (first) first = false;
    else out.u8(COMMA);
    const size = reader.length();
    const itemEnd = reader.pos + size;
    mended |= kind === VALUE_ARRAY ? writeNested(out, reader, { end: itemEnd, depth }) : writePair(out, reader, { end: itemEnd, depth });
    reader.pos = itemEnd;
    reader.end = end;
  }
  out.u8(close);
  return mended;
}

interface Nested {
  readonly end: number;
  readonly depth: number;
}

function writePair(out: ByteWriter, reader: WireReader, at: Nested): number {
  let keyStart = reader.pos;
  let keyEnd = keyStart;
  let valueStart = -1;
  let valueEnd = -1;
  let earlier: Uint8Array[] | undefined;
  reader.end = at.end;
  while (reader.pos < at.end) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | WIRE_LENGTH)) {
      const size = reader.length();
      keyStart = reader.pos;
      keyEnd = keyStart + size;
      reader.pos = keyEnd;
    } else if (tag === ((2 << 3) | WIRE_LENGTH)) {
      const size = reader.length();
      if (valueStart >= 0) {
        earlier ??= [];
        earlier.push(reader.bytes.subarray(valueStart, valueEnd));
      }
      valueStart = reader.pos;
      valueEnd = valueStart + size;
      reader.pos = valueEnd;
    } else reader.skip(tag);
  }
  const mended = writeJsonString(out, reader.bytes as Buffer, keyStart, keyEnd);
  out.u8(COLON);
  if (valueStart < 0) {
    out.literal(NULL);
    return mended;
  }
  if (earlier !== undefined) {
    const merged = Buffer.concat([...earlier, reader.bytes.subarray(valueStart, valueEnd)]);
    return mended | writeNested(out, new WireReader(merged), { end: merged.length, depth: at.depth });
  }
  reader.pos = valueStart;
  reader.end = valueEnd;
  return mended | writeNested(out, reader, { end: valueEnd, depth: at.depth });
}

/**
 * Writes the AnyValue in `[reader.pos, end)`: the last field of the oneof wins, arrays and maps that follow each other are one
 * (protobuf.dev, "Last One Wins"). Leaves the reader at `end` with its old bound.
 */
function writeNested(out: ByteWriter, reader: WireReader, at: Nested): number {
  const { end, depth } = at;
  const outer = reader.end;
  reader.end = end;
  const start = out.length;
  let mended = 0;
  let written = VALUE_EMPTY;
  while (reader.pos < end) {
    const tag = reader.tag();
    const field = tag >>> 3;
    const wire = tag & 7;
    if (wire === WIRE_LENGTH && (field === VALUE_STRING || field === VALUE_BYTES)) {
      const size = reader.length();
      out.length = start;
      mended = writeBytesLike(out, reader, { field, size });
      reader.pos += size;
      written = field;
    } else if (wire === WIRE_LENGTH && (field === VALUE_ARRAY || field === VALUE_KVLIST)) {
      const size = reader.length();
      const inner = reader.pos + size;
      const continued = field === written && depth < MAX_VALUE_DEPTH;
      if (!continued) {
        out.length = start;
        mended = 0;
      }
      if (depth >= MAX_VALUE_DEPTH) {
        out.literal(NULL);
        mended = MENDED_DEPTH;
      } else {
        reader.end = inner;
        mended |= writeItems(out, reader, { kind: field, depth: depth + 1, continued });
        reader.end = end;
      }
      reader.pos = inner;
      written = field;
    } else if (wire === WIRE_VARINT && (field === VALUE_BOOL || field === VALUE_INT)) {
      reader.varint64();
      out.length = start;
      mended = 0;
      written = field;
      if (field === VALUE_INT) writeJsonInt(out, reader.lo, reader.hi);
      else out.literal((reader.lo | reader.hi) === 0 ? FALSE : TRUE);
    } else if (wire === WIRE_FIXED64 && field === VALUE_DOUBLE) {
      reader.fixed64();
      out.length = start;
      written = field;
      mended = writeJsonDouble(out, doubleFromBits(reader.lo, reader.hi));
    } else reader.skip(tag);
  }
  if (out.length === start) out.literal(NULL);
  reader.end = outer;
  return mended;
}

function writeBytesLike(out: ByteWriter, reader: WireReader, value: { field: number; size: number }): number {
  const source = reader.bytes as Buffer;
  const end = reader.pos + value.size;
  if (value.field === VALUE_STRING) return writeJsonString(out, source, reader.pos, end);
  out.ascii(`"${source.toString("base64", reader.pos, end)}"`);
  return TYPE_BYTES;
}

import { isUtf8 } from "node:buffer";
import type { ByteWriter } from "../base/byte-writer.ts";
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
const BACKSLASH = 0x5c;
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
  const target = out.buffer;
  const begin = out.length;
  let at = begin;
  target[at++] = QUOTE;
  let i = start;
  for (; i < end; i++) {
    const c = source[i];
    if (CLASS[c] !== 0) break;
    target[at++] = c;
  }
  if (i === end) {
    target[at++] = QUOTE;
    out.length = at;
    return 0;
  }
  out.length = at;
  const mended = writeEscaped(out, source, { start: i, end, valid: false });
  out.u8(QUOTE);
  return mended;
}

interface TextRange {
  readonly start: number;
  readonly end: number;
  /** Known to be UTF-8. */
  readonly valid: boolean;
}

function writeEscaped(out: ByteWriter, source: Buffer, range: TextRange): number {
  const { start, end } = range;
  let { valid } = range;
  out.reserve(end - start);
  let target = out.buffer;
  let at = out.length;
  let mended = 0;
  for (let i = start; i < end; i++) {
    const c = source[i];
    const kind = CLASS[c];
    if (kind === 0) target[at++] = c;
    else if (kind === 2) {
      if (!valid && !isUtf8(source.subarray(i, end))) {
        out.length = at;
        const repaired = Buffer.from(source.toString("utf8", i, end), "utf8");
        return mended | MENDED_UTF8 | writeEscaped(out, repaired, { start: 0, end: repaired.length, valid: true });
      }
      valid = true;
      target[at++] = c;
    } else {
      out.length = at;
      out.reserve(6 + end - i);
      target = out.buffer;
      at = c === 0 ? replaceNul(target, at) : escapeInto(target, at, c);
      if (c === 0) mended |= MENDED_NUL;
    }
  }
  out.length = at;
  return mended;
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

/** Writes a double so that it can be told from an integer: 5 becomes 5.0. NaN and infinities become strings. */
export function writeJsonDouble(out: ByteWriter, value: number): number {
  if (!Number.isFinite(value)) {
    out.ascii(`"${value}"`);
    return TYPE_NON_FINITE;
  }
  const text = Object.is(value, -0) ? "-0" : String(value);
  out.ascii(/[.e]/.test(text) ? text : `${text}.0`);
  return 0;
}

/** Writes `"key":` of attribute `index`. */
export function writeJsonKey(out: ByteWriter, list: AttributeList, index: number): number {
  const id = list.keys[index];
  if (id !== NOT_INTERNED) {
    const json = keyTable.jsonKeys[id];
    out.bytes(json, 0, json.length);
    return 0;
  }
  const offset = list.keyOffsets[index];
  const start = position(offset);
  const mended = writeJsonString(out, list.arena.source(offset), start, start + list.keySizes[index]);
  out.u8(0x3a);
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
      out.ascii(a === 0 ? "false" : "true");
      return 0;
    case VALUE_INT:
      out.ascii(String(int64FromHalves(a, b)));
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
      return list.kinds[index] === VALUE_ARRAY ? writeArray(out, reader, 1) : writeKeyValues(out, reader, 1);
    }
    default:
      out.ascii("null");
      return 0;
  }
}

/** Writes all attributes but the removed ones as a JSON object. `onMended` hears of each value that could not stand as it was. */
export function writeJsonObject(out: ByteWriter, list: AttributeList, onMended: (index: number, mended: number) => void): void {
  out.u8(0x7b);
  let first = true;
  for (let i = 0; i < list.count; i++) {
    if (list.kinds[i] === VALUE_REMOVED) continue;
    if (first) first = false;
    else out.u8(0x2c);
    const mended = writeJsonKey(out, list, i) | writeJsonValue(out, list, i);
    if (mended !== 0) onMended(i, mended);
  }
  out.u8(0x7d);
}

/** ArrayValue: 1 values. */
function writeArray(out: ByteWriter, reader: WireReader, depth: number): number {
  out.u8(0x5b);
  let mended = 0;
  let first = true;
  const end = reader.end;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag !== ((1 << 3) | WIRE_LENGTH)) {
      reader.skip(tag);
      continue;
    }
    if (first) first = false;
    else out.u8(0x2c);
    const size = reader.length();
    mended |= writeNested(out, reader, { end: reader.pos + size, depth });
  }
  out.u8(0x5d);
  return mended;
}

/** KeyValueList: 1 values, each a KeyValue of 1 key and 2 value. */
function writeKeyValues(out: ByteWriter, reader: WireReader, depth: number): number {
  out.u8(0x7b);
  let mended = 0;
  let first = true;
  const end = reader.end;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag !== ((1 << 3) | WIRE_LENGTH)) {
      reader.skip(tag);
      continue;
    }
    if (first) first = false;
    else out.u8(0x2c);
    const size = reader.length();
    const pairEnd = reader.pos + size;
    mended |= writePair(out, reader, { end: pairEnd, depth });
    reader.pos = pairEnd;
    reader.end = end;
  }
  out.u8(0x7d);
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
      valueStart = reader.pos;
      valueEnd = valueStart + size;
      reader.pos = valueEnd;
    } else reader.skip(tag);
  }
  const mended = writeJsonString(out, reader.bytes as Buffer, keyStart, keyEnd);
  out.u8(0x3a);
  if (valueStart < 0) {
    out.ascii("null");
    return mended;
  }
  reader.pos = valueStart;
  reader.end = valueEnd;
  return mended | writeNested(out, reader, { end: valueEnd, depth: at.depth });
}

/** Writes the AnyValue in `[reader.pos, end)`; the last field of the oneof wins. Leaves the reader at `end` with its old bound. */
function writeNested(out: ByteWriter, reader: WireReader, at: Nested): number {
  const { end, depth } = at;
  const outer = reader.end;
  reader.end = end;
  const start = out.length;
  let mended = 0;
  while (reader.pos < end) {
    const tag = reader.tag();
    const field = tag >>> 3;
    const wire = tag & 7;
    if (wire === WIRE_LENGTH && (field === VALUE_STRING || field === VALUE_BYTES)) {
      const size = reader.length();
      out.length = start;
      mended = writeBytesLike(out, reader, { field, size });
      reader.pos += size;
    } else if (wire === WIRE_LENGTH && (field === VALUE_ARRAY || field === VALUE_KVLIST)) {
      const size = reader.length();
      const inner = reader.pos + size;
      out.length = start;
      if (depth >= MAX_VALUE_DEPTH) {
        out.ascii("null");
        mended = MENDED_DEPTH;
      } else {
        reader.end = inner;
        mended = field === VALUE_ARRAY ? writeArray(out, reader, depth + 1) : writeKeyValues(out, reader, depth + 1);
        reader.end = end;
      }
      reader.pos = inner;
    } else if (wire === WIRE_VARINT && (field === VALUE_BOOL || field === VALUE_INT)) {
      reader.varint64();
      out.length = start;
      mended = 0;
      if (field === VALUE_INT) out.ascii(String(int64FromHalves(reader.lo, reader.hi)));
      else out.ascii((reader.lo | reader.hi) === 0 ? "false" : "true");
    } else if (wire === WIRE_FIXED64 && field === VALUE_DOUBLE) {
      reader.fixed64();
      out.length = start;
      mended = writeJsonDouble(out, doubleFromBits(reader.lo, reader.hi));
    } else reader.skip(tag);
  }
  if (out.length === start) out.ascii("null");
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

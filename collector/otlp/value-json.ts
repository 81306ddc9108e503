import type { ByteWriter } from "../base/byte-writer.ts";
import { literal } from "../base/bytes-view.ts";
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
import { writeJsonString } from "./json-string.ts";
import { keyTable, NOT_INTERNED } from "./key-table.ts";
import { readMisfit, SENT_TAG } from "./sent-marks.ts";
import { WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, WireReader } from "./wire.ts";

/** The value nests too deep; or-ed together by the writers below, with what was done to its texts (json-string.ts). */
export const MENDED_DEPTH = 4;
/** The value was binary and stands as base64 text. */
export const TYPE_BYTES = 8;
/** The value was NaN or an infinity and stands as text. */
export const TYPE_NON_FINITE = 16;
/** Above this many bits: the members, by field number, that the value or one within it was sent as and did not fit. */
export const MISFIT_SHIFT = 8;

const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const ARRAY_BRACKETS = [0x5b, 0x5d] as const;
const OBJECT_BRACKETS = [OPEN_OBJECT, CLOSE_OBJECT] as const;
const TRUE = literal("true");
const FALSE = literal("false");
const NULL = literal("null");

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

/** Writes all attributes but the removed ones as a JSON object. `onMended` hears of each value that could not stand as it was sent. */
export function writeJsonObject(out: ByteWriter, list: AttributeList, onMended: (index: number, mended: number) => void): void {
  const begin = out.length;
  const fits = list.misfits.size === 0;
  for (let i = 0; i < list.count; i++) {
    let mended = fits ? 0 : (list.misfits.get(i) ?? 0) << MISFIT_SHIFT;
    if (list.kinds[i] !== VALUE_REMOVED) mended |= writeJsonKey(out, list, i) | writeJsonValue(out, list, i);
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
  let misfits = 0;
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
    } else if (tag === SENT_TAG) misfits |= readMisfit(reader);
    else reader.skip(tag);
  }
  if (out.length === start) out.literal(NULL);
  reader.end = outer;
  return mended | (misfits << MISFIT_SHIFT);
}

function writeBytesLike(out: ByteWriter, reader: WireReader, value: { field: number; size: number }): number {
  const source = reader.bytes as Buffer;
  const end = reader.pos + value.size;
  if (value.field === VALUE_STRING) return writeJsonString(out, source, reader.pos, end);
  out.ascii(`"${source.toString("base64", reader.pos, end)}"`);
  return TYPE_BYTES;
}

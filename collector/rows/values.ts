import type { ByteWriter } from "../base/byte-writer.ts";
import {
  type AttributeList,
  int64FromHalves,
  position,
  VALUE_ARRAY,
  VALUE_BOOL,
  VALUE_DOUBLE,
  VALUE_INT,
  VALUE_KVLIST,
  VALUE_STRING,
} from "../otlp/attribute-list.ts";
import { NOT_INTERNED, valueTable } from "../otlp/key-table.ts";
import { writeJsonValue } from "../otlp/value-json.ts";
import { WIRE_LENGTH, WireReader } from "../otlp/wire.ts";
import { beginJson, beginText, copyFloat8, copyInt8, copyJson, copyNull, copyString, copyText, endField } from "./copy-row.ts";
import type { IngestNotes } from "./ingest-notes.ts";
import { FIELD_HEAD } from "./table-spec.ts";

/**
 * One attribute as a column of another type. Emitters are liberal (a temperature as int 1, a count as 14.0 or "14", "" for unset),
 * so each reader takes what has the meaning and gives NULL for what has none.
 */
export interface ColumnSource {
  readonly out: ByteWriter;
  readonly attributes: AttributeList;
  readonly notes: IngestNotes;
}

const MAX_INT8 = 2n ** 63n - 1n;

/** A finite number, from an int, a double or decimal text. */
export function readNumber(attributes: AttributeList, index: number): number | undefined {
  if (index < 0) return undefined;
  const value = attributes.kinds[index] === VALUE_STRING ? numberFromText(attributes.text(index) ?? "") : attributes.number(index);
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

const numberFromText = (text: string): number | undefined =>
  /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/.test(text) ? Number(text) : undefined;

/** An exact integer, where the value is one. */
function readInteger(attributes: AttributeList, index: number): number | bigint | undefined {
  if (attributes.kinds[index] === VALUE_INT) return int64FromHalves(attributes.a[index]!, attributes.b[index]!);
  if (attributes.kinds[index] === VALUE_STRING && /^-?\d{1,19}$/.test(attributes.text(index) ?? "")) {
    const value = BigInt(attributes.text(index) ?? "");
    return value <= MAX_INT8 && value >= -MAX_INT8 ? value : undefined;
  }
  const value = readNumber(attributes, index);
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}

export function float8Column(source: ColumnSource, index: number): void {
  const value = readNumber(source.attributes, index);
  if (value === undefined) copyNull(source.out);
  else copyFloat8(source.out, value);
}

export function int8Column(source: ColumnSource, index: number): void {
  const value = index < 0 ? undefined : readInteger(source.attributes, index);
  if (value === undefined) copyNull(source.out);
  else copyInt8(source.out, value);
}

/** An int8 for which a negative number means "not set". */
export function sizeColumn(source: ColumnSource, index: number): void {
  const value = index < 0 ? undefined : readInteger(source.attributes, index);
  if (value === undefined || value < 0) copyNull(source.out);
  else copyInt8(source.out, value);
}

export function optionalInt8(out: ByteWriter, value: number | undefined): void {
  if (value === undefined) copyNull(out);
  else copyInt8(out, value);
}

export function optionalString(out: ByteWriter, text: string | undefined): void {
  if (text === undefined || text === "") copyNull(out);
  else copyString(out, text);
}

/** Text as it was sent; a number or a structure as its JSON; "" as NULL. Returns true when the bytes went over as they are. */
export function textColumn(source: ColumnSource, index: number, path: string): void {
  const { out, attributes, notes } = source;
  if (index < 0) {
    copyNull(out);
    return;
  }
  switch (attributes.kinds[index]) {
    case VALUE_STRING: {
      const size = attributes.b[index]!;
      const offset = attributes.a[index]!;
      if (size === 0) copyNull(out);
      else notes.mended(path, copyText(out, attributes.arena.source(offset), position(offset), position(offset) + size));
      return;
    }
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_DOUBLE:
    case VALUE_ARRAY:
    case VALUE_KVLIST: {
      const at = beginText(out);
      notes.mended(path, writeJsonValue(out, attributes, index));
      endField(out, at);
      return;
    }
    default:
      copyNull(out);
  }
}

/** An entry of an index holds at most 2,704 bytes: two of these and a few fixed columns. */
const MAX_IDENTIFIER_BYTES = 1_000;

/** Text of a column that an index covers: cut where it is too long for one, and noted. The whole text stays in the span's attributes. */
export function identifierColumn(source: ColumnSource, index: number, path: string): void {
  const at = source.out.length;
  textColumn(source, index, path);
  cutIdentifier(source, at, path);
}

/** The beginning of a text that an index can take; the text itself where it is short enough, as nearly all are. */
export function shortIdentifier(text: string): string {
  if (Buffer.byteLength(text) <= MAX_IDENTIFIER_BYTES) return text;
  const bytes = Buffer.from(text);
  let end = MAX_IDENTIFIER_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

/** Cuts the text field that begins at `at` and ends the row so far to what an index takes. */
export function cutIdentifier({ out, notes }: ColumnSource, at: number, path: string): void {
  const from = at + FIELD_HEAD;
  if (out.length - from <= MAX_IDENTIFIER_BYTES) return;
  let end = from + MAX_IDENTIFIER_BYTES;
  // Not in the middle of a character: its bytes after the first are 10xxxxxx.
  while ((out.buffer[end]! & 0xc0) === 0x80) end--;
  out.length = end;
  out.setU32(at, end - from);
  notes.cut(path);
}

/** A structure as jsonb; text that holds JSON is opened, other text becomes a JSON string. */
export function jsonColumn(source: ColumnSource, index: number, path: string): void {
  const { out, attributes, notes } = source;
  if (index < 0) {
    copyNull(out);
    return;
  }
  const text = attributes.text(index);
  if (text !== undefined && /^\s*[[{]/.test(text)) {
    const opened = reserialized(text);
    if (opened !== undefined) {
      copyJson(out, opened);
      return;
    }
  }
  const at = beginJson(out);
  notes.mended(path, writeJsonValue(out, attributes, index));
  endField(out, at);
}

/** JSON text as jsonb takes it: an escaped NUL and lone surrogates become U+FFFD. */
export const toJsonb = (json: string): string => json.replace(/(?<!\\)((?:\\\\)*)\\u0000/g, "$1\uFFFD").toWellFormed();

/** JSON text, written anew for jsonb, or undefined when it is no JSON. */
function reserialized(text: string): string | undefined {
  try {
    return toJsonb(JSON.stringify(JSON.parse(text) as unknown));
  } catch {
    return undefined;
  }
}

/** The strings of a string array; a single string (or JSON array in a string) counts as one (or its) strings. */
export function stringsOf(attributes: AttributeList, index: number): string[] {
  if (index < 0) return [];
  const kind = attributes.kinds[index];
  if (kind === VALUE_STRING) return stringsInText(attributes.text(index) ?? "");
  if (kind !== VALUE_ARRAY) return [];
  const offset = attributes.a[index]!;
  const source = attributes.arena.source(offset);
  const reader = new WireReader(source);
  reader.reset(source, position(offset), position(offset) + attributes.b[index]!);
  const strings: string[] = [];
  const tag = (1 << 3) | WIRE_LENGTH;
  while (reader.pos < reader.end) {
    const outerTag = reader.tag();
    if (outerTag !== tag) {
      reader.skip(outerTag);
      continue;
    }
    const end = reader.length() + reader.pos;
    if (reader.pos < end && reader.tag() === tag) {
      const size = reader.length();
      if (reader.pos + size <= end) strings.push(shortText(source, reader.pos, reader.pos + size));
    }
    reader.pos = end;
  }
  return strings;
}

/** Elements of such lists (finish reasons, stop sequences) come from small sets: their strings are made once. */
function shortText(source: Buffer, start: number, end: number): string {
  const id = valueTable.intern(source, start, end);
  return id === NOT_INTERNED ? source.toString("utf8", start, end) : valueTable.names[id]!;
}

function stringsInText(text: string): string[] {
  if (text === "") return [];
  if (!text.startsWith("[")) return [text];
  try {
    const value = JSON.parse(text) as unknown;
    return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [text];
  } catch {
    return [text];
  }
}

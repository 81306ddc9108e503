import { isUtf8 } from "node:buffer";
import protobuf from "protobufjs";
import { partTypes, shellTypes, valueTypes } from "./otlp-oracle-types.ts";

/** What had to be done to a value so that PostgreSQL takes it. */
export const NUL = 1;
export const UTF8 = 2;
export const DEPTH = 4;
export const BYTES = 8;
export const NON_FINITE = 16;
/** From this bit on: members of AnyValue, by field number, that the value did not fit. */
const MISFIT_BIT = 8;

/** Arrays and maps inside one another that are kept (SIZ-06). */
const MAX_DEPTH = 64;

/** A text of an expected row, with what was mended in it. */
export interface Mended {
  readonly text: string;
  readonly flags: number;
}

interface Long {
  readonly low: number;
  readonly high: number;
}

/** As protobufjs gives it: a message that was not sent is null. */
export interface AnyValue {
  readonly kind?: "stringValue" | "boolValue" | "intValue" | "doubleValue" | "arrayValue" | "kvlistValue" | "bytesValue";
  readonly stringValue?: Uint8Array;
  readonly boolValue?: boolean;
  readonly intValue?: Long;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] } | null;
  readonly kvlistValue?: { readonly values?: readonly { readonly key?: Uint8Array; readonly value?: AnyValue | null }[] } | null;
  readonly bytesValue?: Uint8Array;
  readonly sent?: readonly Uint8Array[];
  readonly emptied?: readonly Uint8Array[];
}

/** Whether redaction took content out of a value. */
export const wasEmptied = (value: AnyValue | null | undefined): boolean => (value?.emptied?.length ?? 0) > 0;

export interface Attribute {
  readonly key: Mended;
  readonly value: AnyValue;
}

/** The list of attributes as it is stored: of equal keys the last one. */
export interface Attributes {
  readonly list: readonly Attribute[];
  readonly duplicates: number;
  /** Redaction took content out of one of them. */
  readonly redacted: boolean;
}

/** The item cannot be read: it is refused alone. */
export class BrokenItem extends Error {}

const loose = new TextDecoder("utf-8", { ignoreBOM: true });

/** ENC-01, ENC-04: NUL and what is not UTF-8 become U+FFFD. */
export function textOf(bytes: Uint8Array | undefined): Mended {
  if (bytes === undefined || bytes.length === 0) return { text: "", flags: 0 };
  const text = loose.decode(bytes);
  const flags = isUtf8(bytes) ? 0 : UTF8;
  return text.includes("\u0000") ? { text: text.replaceAll("\u0000", "\uFFFD"), flags: flags | NUL } : { text, flags };
}

export const integerOf = ({ low, high }: Long): bigint => (BigInt(high | 0) << 32n) | BigInt(low >>> 0);
export const unsignedOf = (long: Long | undefined): bigint => (long === undefined ? 0n : BigInt.asUintN(64, integerOf(long)));

const doubleText = (value: number): string => {
  if (Object.is(value, -0)) return "-0.0";
  return /^-?\d+$/.test(String(value)) ? `${value}.0` : String(value);
};

const MEMBERS = ["stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue"];

/** The member that was sent, where it, or one within it, did not fit. */
export const misfitOf = (flags: number): string | undefined => MEMBERS.find((_, i) => (flags & (1 << (MISFIT_BIT + i + 1))) !== 0);

/** A value as JSON. Throws nothing: it was decoded before. */
export function jsonOf(value: AnyValue | null | undefined, depth = 1): Mended {
  const { text, flags } = standingJson(value, depth);
  return { text, flags: (value?.sent ?? []).reduce((all, [member = 0]) => all | (1 << (MISFIT_BIT + member)), flags) };
}

function standingJson(value: AnyValue | null | undefined, depth: number): Mended {
  switch (value?.kind) {
    case "stringValue": {
      const { text, flags } = textOf(value.stringValue);
      return { text: JSON.stringify(text), flags };
    }
    case "boolValue":
      return { text: String(value.boolValue), flags: 0 };
    case "intValue":
      return { text: String(integerOf(value.intValue!)), flags: 0 };
    case "doubleValue": {
      const double = value.doubleValue!;
      return Number.isFinite(double) ? { text: doubleText(double), flags: 0 } : { text: `"${double}"`, flags: NON_FINITE };
    }
    case "bytesValue":
      return { text: `"${Buffer.from(value.bytesValue!).toString("base64")}"`, flags: BYTES };
    case "arrayValue":
      return nested(depth, "[]", () => (value.arrayValue?.values ?? []).map((each) => jsonOf(each, depth + 1)));
    case "kvlistValue":
      return nested(depth, "{}", () => (value.kvlistValue?.values ?? []).map((pair) => memberOf(pair, depth + 1)));
    default:
      return { text: "null", flags: 0 };
  }
}

function nested(depth: number, brackets: string, parts: () => readonly Mended[]): Mended {
  if (depth > MAX_DEPTH) return { text: "null", flags: DEPTH };
  const within = parts();
  return {
    text: `${brackets[0]}${within.map(({ text }) => text).join(",")}${brackets[1]}`,
    flags: within.reduce((all, { flags }) => all | flags, 0),
  };
}

function memberOf(pair: { readonly key?: Uint8Array; readonly value?: AnyValue | null }, depth: number): Mended {
  const key = textOf(pair.key);
  const value = jsonOf(pair.value, depth);
  return { text: `${JSON.stringify(key.text)}:${value.text}`, flags: key.flags | value.flags };
}

/** Attributes as a JSON object. */
export const jsonObjectOf = ({ list }: Attributes): string =>
  `{${list.map(({ key, value }) => `${JSON.stringify(key.text)}:${jsonOf(value).text}`).join(",")}}`;

const partKeyValue = partTypes.lookupType("KeyValue");
const shellKeyValue = shellTypes.lookupType("KeyValue");
const valueKeyValue = valueTypes.lookupType("KeyValue");
const anyValue = partTypes.lookupType("AnyValue");

interface Read {
  readonly key: Buffer;
  /** Or why the value is broken within. */
  readonly value: AnyValue | string;
}

/** Reads encoded KeyValues. Throws what protobufjs throws where the outside of one is broken, BrokenItem where a value that is kept is broken within. */
export function attributesOf(encoded: readonly Uint8Array[] | undefined): Attributes {
  const last = new Map<string, Read>();
  let redacted = false;
  for (const bytes of encoded ?? []) {
    const read = readPair(bytes);
    redacted ||= typeof read.value !== "string" && wasEmptied(read.value);
    const name = read.key.toString("latin1");
    last.delete(name);
    last.set(name, read);
  }
  const list = [...last.values()].map(({ key, value }) => {
    if (typeof value === "string") throw new BrokenItem(value);
    return { key: textOf(key), value };
  });
  return { list, duplicates: (encoded?.length ?? 0) - list.length, redacted };
}

function readPair(bytes: Uint8Array): Read {
  try {
    const { key, value } = partKeyValue.decode(bytes) as unknown as { key?: Uint8Array; value?: AnyValue | null };
    return { key: Buffer.from(key ?? []), value: value ?? {} };
  } catch (error) {
    const { key } = shellKeyValue.decode(bytes) as unknown as { key?: Uint8Array };
    return { key: Buffer.from(key ?? []), value: standingValue(bytes) ?? String(error) };
  }
}

/** The value of a pair without what a later kind in it has replaced, which may be broken within; undefined where what stands is broken. */
function standingValue(pair: Uint8Array): AnyValue | undefined {
  try {
    const { value } = valueKeyValue.decode(pair) as unknown as { value?: Uint8Array };
    return anyValue.decode(lastKind(value ?? new Uint8Array())) as unknown as AnyValue;
  } catch {
    return undefined;
  }
}

/** A log record whose body is what stands of it, for where the rest of it is broken within. */
export function withStandingBody(record: Uint8Array): Uint8Array {
  const reader = protobuf.Reader.create(record);
  const parts: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const { pos } = reader;
    const tag = reader.uint32();
    if (tag === BODY_TAG) parts.push(protobuf.Writer.create().uint32(tag).bytes(lastKind(reader.bytes())).finish());
    else {
      reader.skipType(tag & 7);
      parts.push(record.subarray(pos, reader.pos));
    }
  }
  return Buffer.concat(parts);
}

/** Field 5, with a length. */
const BODY_TAG = (5 << 3) | 2;

/** AnyValue's fields are kinds up to this number; an unknown one beyond it replaces none. */
const LAST_KIND = 7;

/** The fields of an encoded AnyValue from where its last kind begins. */
function lastKind(value: Uint8Array): Uint8Array {
  const reader = protobuf.Reader.create(value);
  let kind = 0;
  let start = 0;
  while (reader.pos < reader.len) {
    const { pos } = reader;
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (field <= LAST_KIND) {
      if (field !== kind) start = pos;
      kind = field;
    }
    reader.skipType(tag & 7);
  }
  return value.subarray(start);
}

/** True where protobufjs keeps an array that the sender had replaced by another kind in between: it then joins what protobuf does not join. */
export function mixesKinds(value: AnyValue | null | undefined): boolean {
  if (!value?.arrayValue && !value?.kvlistValue) return false;
  const members = Object.keys(value).filter((name) => name.endsWith("Value"));
  if (members.length > 1) return true;
  return (value.arrayValue?.values ?? []).some(mixesKinds) || (value.kvlistValue?.values ?? []).some((pair) => mixesKinds(pair.value));
}

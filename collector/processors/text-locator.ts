import type { Signal } from "../base/signal.ts";
import { WIRE_FIXED32, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT } from "../otlp/wire.ts";

/** Where a text lies in a request. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

const TEXT = "text";
type Message = { readonly [field: number]: Message | typeof TEXT | (() => Message) };

const keyValue: Message = { 1: TEXT, 2: () => anyValue };
const anyValue: Message = { 1: TEXT, 5: () => ({ 1: anyValue }), 6: () => ({ 1: keyValue }), 7: TEXT };
const resource: Message = { 1: keyValue };
const scope: Message = { 1: TEXT, 2: TEXT, 3: keyValue };
const event: Message = { 2: TEXT, 3: keyValue };
const link: Message = { 3: TEXT, 4: keyValue };
const status: Message = { 2: TEXT };
const span: Message = { 3: TEXT, 5: TEXT, 9: keyValue, 11: event, 13: link, 15: status };
const logRecord: Message = { 3: TEXT, 5: anyValue, 6: keyValue, 12: TEXT };

/** Fields of Export…ServiceRequest that lead to text; all others are skipped. Source: opentelemetry-proto v1. */
const ROOTS: Readonly<Record<Signal, Message>> = {
  traces: { 1: { 1: resource, 2: { 1: scope, 2: span, 3: TEXT }, 3: TEXT } },
  logs: { 1: { 1: resource, 2: { 1: scope, 2: logRecord, 3: TEXT }, 3: TEXT } },
  metrics: {},
};

interface Frame {
  pos: number;
  readonly end: number;
  readonly message: Message;
}

/** Finds the texts of one request, in ascending order of places: all calls together read the request once. */
export interface TextLocator {
  /** The text around a place, or undefined where there is none. Places must ascend. */
  around(at: number): TextRange | undefined;
  /** The first text that begins at `at` or after it. Places must ascend. */
  next(at: number): TextRange | undefined;
}

/** Malformed messages end the search: whoever decodes the request refuses them. */
export function createTextLocator(bytes: Buffer, signal: Signal): TextLocator {
  const frames: Frame[] = [{ pos: 0, end: bytes.length, message: ROOTS[signal] }];
  let last: TextRange | undefined;

  /** Steps to the text at or after `at`; whole fields before it are skipped. */
  function seek(at: number): TextRange | undefined {
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      if (frame.pos >= frame.end) {
        frames.pop();
        continue;
      }
      const field = readField(bytes, frame);
      if (field === undefined) {
        frames.length = 0;
        return undefined;
      }
      frame.pos = field.end;
      if (field.wire !== WIRE_LENGTH || field.end <= at) continue;
      const type = frame.message[field.number];
      if (type === TEXT) return { start: field.start, end: field.end };
      if (type !== undefined) frames.push({ pos: field.start, end: field.end, message: typeof type === "function" ? type() : type });
    }
    return undefined;
  }

  function next(at: number): TextRange | undefined {
    if (last === undefined || last.end <= at) last = seek(at);
    return last;
  }

  return {
    next,
    around(at) {
      const found = next(at);
      return found !== undefined && found.start <= at ? found : undefined;
    },
  };
}

interface Field {
  readonly number: number;
  readonly wire: number;
  /** Of the content. */
  readonly start: number;
  readonly end: number;
}

function readField(bytes: Buffer, { pos, end }: Frame): Field | undefined {
  const tag = readVarint(bytes, pos, end);
  if (tag === undefined) return undefined;
  const wire = tag.value & 7;
  const number = tag.value >>> 3;
  const sized = wire === WIRE_VARINT || wire === WIRE_LENGTH ? readVarint(bytes, tag.end, end) : undefined;
  if ((wire === WIRE_VARINT || wire === WIRE_LENGTH) && sized === undefined) return undefined;
  const start = wire === WIRE_LENGTH ? sized!.end : tag.end;
  const size =
    wire === WIRE_LENGTH
      ? sized!.value
      : wire === WIRE_VARINT
        ? sized!.end - tag.end
        : wire === WIRE_FIXED64
          ? 8
          : wire === WIRE_FIXED32
            ? 4
            : undefined;
  return size === undefined || start + size > end ? undefined : { number, wire, start, end: start + size };
}

/** A varint of at most ten bytes; values beyond 2^32 come out as large numbers, which fit nowhere. */
function readVarint(bytes: Buffer, at: number, end: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 10 && at + i < end; i++) {
    const byte = bytes[at + i]!;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  return undefined;
}

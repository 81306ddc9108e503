import { WIRE_FIXED32, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT } from "../otlp/wire.ts";

const WIRE_GROUP_START = 3;
const WIRE_GROUP_END = 4;

/** One field of a protobuf message. */
export interface WireField {
  readonly number: number;
  readonly wire: number;
  /** Of the content, without tag and length. */
  readonly start: number;
  readonly end: number;
}

/**
 * The field at `pos`, or undefined where none can be read before `end`. Accepts all that the decoder accepts, groups too: what this reads
 * differently, nobody looks through.
 */
export function readField(bytes: Buffer, pos: number, end: number): WireField | undefined {
  const tag = readVarint(bytes, pos, end);
  if (tag === undefined) return undefined;
  const wire = tag.value & 7;
  const number = Math.floor((tag.value % 2 ** 32) / 8);
  const contentEnd = wire === WIRE_LENGTH ? undefined : endOfContent(bytes, wire, { pos: tag.end, end });
  if (contentEnd !== undefined) return { number, wire, start: tag.end, end: contentEnd };
  const size = wire === WIRE_LENGTH ? readVarint(bytes, tag.end, end) : undefined;
  return size === undefined || size.end + size.value > end ? undefined : { number, wire, start: size.end, end: size.end + size.value };
}

interface Rest {
  readonly pos: number;
  readonly end: number;
}

function endOfContent(bytes: Buffer, wire: number, { pos, end }: Rest): number | undefined {
  if (wire === WIRE_VARINT) return readVarint(bytes, pos, end)?.end;
  if (wire === WIRE_GROUP_START) return endOfGroup(bytes, pos, end);
  const size = wire === WIRE_FIXED64 ? 8 : wire === WIRE_FIXED32 ? 4 : undefined;
  return size === undefined || pos + size > end ? undefined : pos + size;
}

/** Groups in groups are counted, never descended into. */
function endOfGroup(bytes: Buffer, from: number, end: number): number | undefined {
  let pos = from;
  for (let depth = 1; depth > 0; ) {
    const tag = readVarint(bytes, pos, end);
    if (tag === undefined) return undefined;
    const wire = tag.value & 7;
    pos = tag.end;
    if (wire === WIRE_GROUP_START) depth++;
    else if (wire === WIRE_GROUP_END) depth--;
    else {
      const size = wire === WIRE_LENGTH ? readVarint(bytes, pos, end) : undefined;
      const next = wire === WIRE_LENGTH ? size && size.end + size.value : endOfContent(bytes, wire, { pos, end });
      if (next === undefined || next > end) return undefined;
      pos = next;
    }
  }
  return pos;
}

/** A varint of at most ten bytes; values beyond 2^53 come out as large numbers, which fit nowhere. */
function readVarint(bytes: Buffer, at: number, end: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 10 && at + i < end; i++) {
    const byte = bytes[at + i]!;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  return undefined;
}

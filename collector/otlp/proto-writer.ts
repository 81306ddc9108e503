import type { ByteWriter } from "../base/byte-writer.ts";

/*
 * Protobuf's wire forms on a ByteWriter. None of these makes room: the caller has reserved it once for the whole message.
 */

/** Widest length prefix: five groups of seven bits. */
export const WIDE_PREFIX = 5;

/** An unsigned 32-bit integer as varint. */
export function writeVarint32(out: ByteWriter, value: number): void {
  const target = out.buffer;
  let at = out.length;
  let rest = value >>> 0;
  while (rest > 0x7f) {
    target[at++] = rest | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  out.length = at;
}

/** A 64-bit integer, given in halves, as varint; negative ones (two's complement) take ten bytes. */
export function writeVarint64(out: ByteWriter, lo: number, hi: number): void {
  const target = out.buffer;
  let at = out.length;
  let low = lo >>> 0;
  let high = hi >>> 0;
  while (high !== 0 || low > 0x7f) {
    target[at++] = low | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  target[at++] = low;
  out.length = at;
}

/** 32 bits, little-endian. */
export function writeFixed32(out: ByteWriter, value: number): void {
  const target = out.buffer;
  let at = out.length;
  target[at++] = value;
  target[at++] = value >>> 8;
  target[at++] = value >>> 16;
  target[at++] = value >>> 24;
  out.length = at;
}

export function writeDouble(out: ByteWriter, value: number): void {
  out.length = out.buffer.writeDoubleLE(value, out.length);
}

/**
 * Fills the length prefix of a field whose content is everything behind it. `at` is where the prefix begins and `width` the bytes left free for it:
 * WIDE_PREFIX takes any length, padded (legal, and as cheap to read); 1 keeps short fields short and moves the content of long ones up.
 */
export function closePrefix(out: ByteWriter, at: number, width: number): void {
  const target = out.buffer;
  const start = at + width;
  const size = out.length - start;
  if (width === 1 && size < 0x80) {
    target[at] = size;
    return;
  }
  let bytes = WIDE_PREFIX;
  if (width === 1) {
    bytes = varintSize(size);
    target.copyWithin(at + bytes, start, out.length);
    out.length += bytes - 1;
  }
  let rest = size;
  for (let i = 0; i < bytes - 1; i++) {
    target[at + i] = rest | 0x80;
    rest >>>= 7;
  }
  target[at + bytes - 1] = rest;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++;
  return size;
}

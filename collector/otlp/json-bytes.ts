import type { ByteWriter } from "../base/byte-writer.ts";
import { HEX_VALUES } from "./json-tokenizer.ts";

const EQUALS = 0x3d;
const NONE = 255;

/** Value of a base64 digit, standard or URL-safe alphabet, or 255. */
const BASE64_VALUES = new Uint8Array(256).fill(NONE);
for (const [value, digit] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries()) {
  BASE64_VALUES[digit.charCodeAt(0)] = value;
}
BASE64_VALUES["-".charCodeAt(0)] = 62;
BASE64_VALUES["_".charCodeAt(0)] = 63;

/** Appends the bytes that the hexadecimal digits in `[start, end)` stand for; false, and nothing appended, if they are no such digits. */
export function appendHex(out: ByteWriter, bytes: Uint8Array, start: number, end: number): boolean {
  if ((end - start) % 2 !== 0) return false;
  const target = out.buffer;
  let to = out.length;
  for (let i = start; i < end; i += 2) {
    const high = HEX_VALUES[bytes[i]];
    const low = HEX_VALUES[bytes[i + 1]];
    if ((high | low) > 15) return false;
    target[to++] = (high << 4) | low;
  }
  out.length = to;
  return true;
}

/** Appends what the base64 text in `[start, end)` stands for, either alphabet, padded or not; false, and nothing appended, if it is none. */
export function appendBase64(out: ByteWriter, bytes: Uint8Array, start: number, end: number): boolean {
  let last = end;
  while (last > start && end - last < 2 && bytes[last - 1] === EQUALS) last--;
  const digits = last - start;
  if (digits % 4 === 1 || (last < end && (end - start) % 4 !== 0)) return false;
  const target = out.buffer;
  let to = out.length;
  let bits = 0;
  let held = 0;
  for (let i = start; i < last; i++) {
    const value = BASE64_VALUES[bytes[i]];
    if (value === NONE) return false;
    bits = ((bits << 6) | value) & 0xfff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    target[to++] = bits >>> held;
  }
  out.length = to;
  return true;
}

/**
 * Appends an id of `size` bytes from its text: hexadecimal (otlp-rules J3) or, from generic protobuf-JSON encoders, base64 of exactly that many bytes.
 * Anything else is appended as it is, but never with `size` bytes, so that the span is refused for the length of its id. True where it was base64.
 */
export function appendId(out: ByteWriter, source: { bytes: Uint8Array; start: number; end: number }, size: number): boolean {
  const { bytes, start, end } = source;
  const digits = end - start;
  const before = out.length;
  if (digits === size * 2 && appendHex(out, bytes, start, end)) return false;
  const padded = Math.ceil(size / 3) * 4;
  const bare = Math.ceil((size * 8) / 6);
  if ((digits === padded || (digits === bare && !isHex(bytes, start, end))) && appendBase64(out, bytes, start, end)) {
    if (out.length - before === size) return true;
    out.length = before;
  }
  out.bytes(bytes, start, end);
  if (digits === size) out.u8(0);
  return false;
}

function isHex(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (HEX_VALUES[bytes[i]] === NONE) return false;
  return true;
}

import { sharedBuffers } from "./buffer-pool.ts";
import type { Literal } from "./bytes-view.ts";

/** Smallest step of growth; from there the buffer doubles. */
const MIN_CAPACITY = 1024;

/** Room beyond what was reserved, so that four bytes may be written where fewer are meant. */
const SLACK = 4;

const SHORT_TEXT = 48;

/** The two lower-case hexadecimal digits of each byte, in the order of memory. */
const HEX = Uint16Array.from({ length: 256 }, (_, byte) => Buffer.from(byte.toString(16).padStart(2, "0")).readUInt16BE());

/** Powers of ten within 32 bits. */
const POWERS = Array.from({ length: 10 }, (_, exponent) => 10 ** exponent);

const ZERO = 0x30;
const MINUS = 0x2d;

/**
 * A growing buffer with the few writes the hot path needs. Integers are big-endian, as PostgreSQL's binary formats want them.
 * `buffer` and `data` are replaced when it grows: hold them and `length` only until the next write. Whole words go through `data`:
 * one store instead of four is a third of the time of the byte loops.
 */
export class ByteWriter {
  buffer: Buffer;
  data: DataView;
  length = 0;

  /** Writes into `memory`: a buffer to begin with, or its capacity in bytes. */
  constructor(memory: Buffer | number = MIN_CAPACITY) {
    this.buffer = typeof memory === "number" ? Buffer.allocUnsafeSlow(memory) : memory;
    this.data = new DataView(this.buffer.buffer, this.buffer.byteOffset, this.buffer.length);
  }

  /** Forgets the content and keeps the memory. */
  clear(): void {
    this.length = 0;
  }

  /** Makes room for `extra` more bytes and SLACK; callers that then write `buffer[length++]` directly must not exceed it. */
  reserve(extra: number): void {
    const needed = this.length + extra + SLACK;
    if (needed > this.buffer.length) this.grow(needed);
  }

  /** What was outgrown goes back to the pool, if it came from there. */
  private grow(needed: number): void {
    const outgrown = this.buffer;
    const grown = sharedBuffers.take(Math.max(needed, outgrown.length * 2, MIN_CAPACITY));
    outgrown.copy(grown, 0, 0, this.length);
    this.buffer = grown;
    this.data = new DataView(grown.buffer, grown.byteOffset, grown.length);
    sharedBuffers.give(outgrown);
  }

  u8(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.data.setUint16(this.length, value);
    this.length += 2;
  }

  u32(value: number): void {
    this.reserve(4);
    this.data.setUint32(this.length, value);
    this.length += 4;
  }

  /** Overwrites four bytes written earlier, such as a length that is known only afterwards. */
  setU32(at: number, value: number): void {
    this.data.setUint32(at, value);
  }

  f64(value: number): void {
    this.reserve(8);
    this.data.setFloat64(this.length, value);
    this.length += 8;
  }

  bytes(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.reserve(size);
    const target = this.buffer;
    let at = this.length;
    if (size < 48) for (let i = start; i < end; i++) target[at++] = source[i];
    else target.set(source.subarray(start, end), at);
    this.length += size;
  }

  literal({ size, words }: Literal): void {
    this.reserve(size);
    const { data, length } = this;
    for (let i = 0; i < words.length; i++) data.setInt32(length + i * 4, words[i], true);
    this.length = length + size;
  }

  /** Text of which every character is below 128. */
  ascii(text: string): void {
    this.reserve(text.length);
    const target = this.buffer;
    let at = this.length;
    for (let i = 0; i < text.length; i++) target[at++] = text.charCodeAt(i);
    this.length = at;
  }

  /** An integer within 32 bits, signed or unsigned, in decimal digits; `width` fills it up with zeros. */
  decimal(value: number, width = 1): void {
    this.reserve(width + 11);
    if (value < 0) this.buffer[this.length++] = MINUS;
    let rest = Math.abs(value) >>> 0;
    let size = width;
    while (size < POWERS.length && rest >= POWERS[size]) size++;
    const target = this.buffer;
    for (let at = this.length + size - 1; at >= this.length; at--) {
      const next = (rest / 10) >>> 0;
      target[at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.length += size;
  }

  /** Any text as UTF-8; lone surrogates become U+FFFD. Returns the number of bytes written. */
  utf8(text: string): number {
    if (this.shortAscii(text)) return text.length;
    this.reserve(text.length * 3);
    const size = this.buffer.write(text, this.length, "utf8");
    this.length += size;
    return size;
  }

  /** Short ASCII without NUL by a loop, which beats the call into native code; false (and nothing written) for other text. */
  shortAscii(text: string): boolean {
    const size = text.length;
    if (size > SHORT_TEXT) return false;
    this.reserve(size);
    const target = this.buffer;
    const at = this.length;
    for (let i = 0; i < size; i++) {
      const code = text.charCodeAt(i);
      if (code === 0 || code >= 0x80) return false;
      target[at + i] = code;
    }
    this.length = at + size;
    return true;
  }

  /** `source[start, end)` as lower-case hexadecimal digits. */
  hex(source: Uint8Array, start: number, end: number): void {
    this.reserve((end - start) * 2);
    const { data } = this;
    let at = this.length;
    for (let i = start; i < end; i++, at += 2) data.setUint16(at, HEX[source[i]]);
    this.length = at;
  }

  /** The content as a view that the next write may invalidate. */
  view(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}

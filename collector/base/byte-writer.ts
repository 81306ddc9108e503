/** Smallest step of growth; from there the buffer doubles. */
const MIN_CAPACITY = 1024;

const SHORT_TEXT = 48;

/** Lower-case hexadecimal digits by value. */
const HEX = Uint8Array.from("0123456789abcdef", (c) => c.charCodeAt(0));

/**
 * A growing buffer with the few writes the hot path needs. Integers are big-endian, as PostgreSQL's binary formats want them.
 * `buffer` is replaced when it grows: hold `buffer` and `length` only until the next write.
 */
export class ByteWriter {
  buffer: Buffer;
  length = 0;

  /** Writes into `memory`: a buffer to begin with, or its capacity in bytes. */
  constructor(memory: Buffer | number = MIN_CAPACITY) {
    this.buffer = typeof memory === "number" ? Buffer.allocUnsafeSlow(memory) : memory;
  }

  /** Forgets the content and keeps the memory. */
  clear(): void {
    this.length = 0;
  }

  /** Makes room for `extra` more bytes; callers that then write `buffer[length++]` directly must not exceed it. */
  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2, MIN_CAPACITY));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }

  u8(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.length = this.buffer.writeUInt16BE(value & 0xffff, this.length);
  }

  u32(value: number): void {
    this.reserve(4);
    const b = this.buffer;
    let at = this.length;
    b[at++] = value >>> 24;
    b[at++] = value >>> 16;
    b[at++] = value >>> 8;
    b[at++] = value;
    this.length = at;
  }

  /** Overwrites four bytes written earlier, such as a length that is known only afterwards. */
  setU32(at: number, value: number): void {
    this.buffer.writeUInt32BE(value >>> 0, at);
  }

  f64(value: number): void {
    this.reserve(8);
    this.length = this.buffer.writeDoubleBE(value, this.length);
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

  /** Text of which every character is below 128. */
  ascii(text: string): void {
    this.reserve(text.length);
    const target = this.buffer;
    let at = this.length;
    for (let i = 0; i < text.length; i++) target[at++] = text.charCodeAt(i);
    this.length = at;
  }

  /** Any text as UTF-8; lone surrogates become U+FFFD. Returns the number of bytes written. */
  utf8(text: string): number {
    this.reserve(text.length * 3);
    if (text.length <= SHORT_TEXT && this.shortAscii(text)) return text.length;
    const size = this.buffer.write(text, this.length, "utf8");
    this.length += size;
    return size;
  }

  /** Short ASCII by a loop, which beats the call into native code; false (and nothing written) for other text. */
  private shortAscii(text: string): boolean {
    const target = this.buffer;
    const at = this.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      target[at + i] = code;
    }
    this.length = at + text.length;
    return true;
  }

  /** `source[start, end)` as lower-case hexadecimal digits. */
  hex(source: Uint8Array, start: number, end: number): void {
    this.reserve((end - start) * 2);
    const target = this.buffer;
    let at = this.length;
    for (let i = start; i < end; i++) {
      const byte = source[i];
      target[at++] = HEX[byte >>> 4];
      target[at++] = HEX[byte & 15];
    }
    this.length = at;
  }

  /** The content as a view that the next write may invalidate. */
  view(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}

import { ByteWriter } from "../base/byte-writer.ts";
import { DecodeError } from "./decode-error.ts";

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const LOWER_T = 0x74;
const LOWER_F = 0x66;
export const LOWER_N = 0x6e;
const LOWER_U = 0x75;

/** Not 0 when one of the four bytes is a quote, a backslash or a control character: the text of a string stops there. */
function stopsIn(word: number): number {
  const slash = word ^ 0x5c5c5c5c;
  // Flipping bit 1 puts the quote (0x22) beside the control characters: they are then the bytes below 0x21.
  return ((((word ^ 0x02020202) - 0x21212121) & ~word) | ((slash - 0x01010101) & ~slash)) & 0x80808080;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** What stands for `\x`, by x; 0 where JSON has no such escape. */
const SIMPLE_ESCAPES = new Uint8Array(256);
for (const [letter, meaning] of Object.entries({ '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" })) {
  SIMPLE_ESCAPES[letter.charCodeAt(0)] = meaning.charCodeAt(0);
}

/** Stands for half of a surrogate pair: a byte that UTF-8 never has, so that whoever reads the text mends it into one U+FFFD, and notes it. */
const LONE_SURROGATE = 0xff;

/** Value of a hexadecimal digit, or 255. */
export const HEX_VALUES = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value++) {
  HEX_VALUES[value.toString(16).charCodeAt(0)] = value;
  HEX_VALUES[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** Working memory up to this size stays for the next body. */
const KEPT_BYTES = 64 * 1024;

export type ScalarType = "string" | "number" | "true" | "false";

/**
 * Reads JSON (RFC 8259, no extensions) from bytes, token by token, without making strings and without recursion. A byte order mark in front is
 * skipped. Bytes inside strings are taken as they are: whether they are valid UTF-8 is for the reader of the result to mend.
 * Every method throws DecodeError on bytes that are not JSON; messages give the position and never quote the body.
 */
export class JsonTokenizer {
  bytes: Buffer = Buffer.alloc(0);
  pos = 0;
  end = 0;
  /** The last scalar: its text without quotes and escapes is `scalarBytes[scalarStart, scalarEnd)`, until the next scalar is read. */
  scalarBytes: Buffer = this.bytes;
  scalarStart = 0;
  scalarEnd = 0;
  private words = viewOf(this.bytes);
  private target: Buffer = this.bytes;
  private targetWords = this.words;
  private unescaped = new ByteWriter();
  /** One byte per open bracket while a value is skipped: its closing bracket. */
  private closers = new Uint8Array(256);

  reset(bytes: Buffer): void {
    this.bytes = bytes;
    this.words = viewOf(bytes);
    this.target = bytes;
    this.targetWords = this.words;
    this.scalarBytes = bytes;
    this.end = bytes.length;
    this.pos = bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  }

  /** Lets go of the body and of what a large one made grow. */
  release(): void {
    this.reset(Buffer.alloc(0));
    if (this.unescaped.buffer.length > KEPT_BYTES) this.unescaped = new ByteWriter();
    if (this.closers.length > KEPT_BYTES) this.closers = new Uint8Array(256);
  }

  fail(problem: string): DecodeError {
    return new DecodeError(`invalid JSON at byte ${this.pos}: ${problem}`);
  }

  /** Skips white space and returns the byte after it, which stays unread; -1 at the end. */
  peek(): number {
    const byte = this.bytes[this.pos];
    return byte > 0x20 ? byte : this.peekPastSpace();
  }

  private peekPastSpace(): number {
    const { bytes, end } = this;
    let pos = this.pos;
    while (pos < end) {
      const byte = bytes[pos];
      if (byte > 0x20) {
        this.pos = pos;
        return byte;
      }
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
      pos++;
    }
    this.pos = pos;
    return pos < end ? bytes[pos] : -1;
  }

  /** Reads the wanted punctuation mark. */
  expect(byte: number): void {
    if (this.peek() !== byte) throw this.fail(`expected ${String.fromCharCode(byte)}`);
    this.pos++;
  }

  expectEnd(): void {
    if (this.peek() !== -1) throw this.fail("something follows the object");
  }

  /** Reads `null` if it comes next. */
  takeNull(): boolean {
    if (this.peek() !== LOWER_N) return false;
    this.word("null");
    return true;
  }

  /** Reads `expected` if exactly these bytes come next. */
  takeBytes(expected: Uint8Array): boolean {
    const { bytes, pos } = this;
    const size = expected.length;
    for (let i = 0; i < size; i++) if (bytes[pos + i] !== expected[i]) return false;
    this.pos = pos + size;
    return true;
  }

  /** Reads an object's key into the scalar fields. */
  key(): void {
    if (this.peek() !== QUOTE) throw this.fail("expected a string as key");
    this.stringScalar();
  }

  /** Reads a string, number, true or false into the scalar fields; throws at anything else. */
  scalar(): ScalarType {
    const byte = this.peek();
    if (byte === QUOTE) {
      this.stringScalar();
      return "string";
    }
    this.scalarBytes = this.bytes;
    this.scalarStart = this.pos;
    const type = byte === LOWER_T ? "true" : byte === LOWER_F ? "false" : "number";
    if (type === "number") this.number();
    else this.word(type);
    this.scalarEnd = this.pos;
    return type;
  }

  /**
   * Reads a string, whose opening quote comes next, and appends its unescaped bytes to `out`. `out` must have room for as many bytes as
   * the string has in the source: unescaping never makes it longer.
   */
  copyString(out: ByteWriter): void {
    const { bytes, end, words } = this;
    const target = out.buffer;
    const targetWords = this.wordsOf(target);
    const lastPair = end - 8;
    let from = this.pos + 1;
    let to = out.length;
    for (;;) {
      while (from <= lastPair) {
        const first = words.getInt32(from, true);
        const second = words.getInt32(from + 4, true);
        if ((stopsIn(first) | stopsIn(second)) !== 0) break;
        targetWords.setInt32(to, first, true);
        targetWords.setInt32(to + 4, second, true);
        from += 8;
        to += 8;
      }
      let byte = -1;
      for (; from < end; from++) {
        byte = bytes[from];
        if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) break;
        target[to++] = byte;
        byte = -1;
      }
      if (byte === QUOTE) break;
      this.pos = from;
      const meaning = byte === BACKSLASH && from + 1 < end ? SIMPLE_ESCAPES[bytes[from + 1]] : 0;
      if (meaning !== 0) {
        target[to++] = meaning;
        from += 2;
      } else {
        out.length = to;
        this.unusualStop(out);
        to = out.length;
        from = this.pos;
      }
    }
    out.length = to;
    this.pos = from + 1;
  }

  private wordsOf(target: Buffer): DataView {
    if (target !== this.target) {
      this.target = target;
      this.targetWords = viewOf(target);
    }
    return this.targetWords;
  }

  /** Skips any value, however deep. */
  skipValue(): void {
    let depth = 0;
    let byte = this.peek();
    for (;;) {
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        depth = this.enter(depth, byte);
        const empty = this.peek() === this.closers[depth - 1];
        if (!empty) {
          if (byte === OPEN_OBJECT) this.skipKey();
          byte = this.peek();
          continue;
        }
      } else this.skipScalar(byte);
      while (depth > 0 && this.peek() === this.closers[depth - 1]) {
        this.pos++;
        depth--;
      }
      if (depth === 0) return;
      this.expect(COMMA);
      if (this.closers[depth - 1] === CLOSE_OBJECT) this.skipKey();
      byte = this.peek();
    }
  }

  private enter(depth: number, bracket: number): number {
    if (depth === this.closers.length) {
      const grown = new Uint8Array(depth * 2);
      grown.set(this.closers);
      this.closers = grown;
    }
    this.closers[depth] = bracket === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY;
    this.pos++;
    return depth + 1;
  }

  private skipKey(): void {
    if (this.peek() !== QUOTE) throw this.fail("expected a string as key");
    this.stringScalar();
    this.expect(COLON);
  }

  private skipScalar(byte: number): void {
    if (byte === LOWER_N) this.word("null");
    else this.scalar();
  }

  /** Reads a string into the scalar fields: a slice of the body, or of the side buffer if it has escapes. */
  private stringScalar(): void {
    const { bytes, end } = this;
    const start = this.pos + 1;
    let pos = start;
    let byte = -1;
    for (; pos < end; pos++) {
      byte = bytes[pos];
      if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) break;
    }
    if (byte === QUOTE) {
      this.scalarBytes = bytes;
      this.scalarStart = start;
      this.scalarEnd = pos;
      this.pos = pos + 1;
      return;
    }
    const { unescaped } = this;
    unescaped.clear();
    unescaped.reserve(this.rawStringSize(pos));
    this.copyString(unescaped);
    this.scalarBytes = unescaped.buffer;
    this.scalarStart = 0;
    this.scalarEnd = unescaped.length;
  }

  /** Bytes from the string's opening quote (at `this.pos`) to its closing one, which is looked for from `pos` on. */
  private rawStringSize(pos: number): number {
    const { bytes, end } = this;
    let at = pos;
    while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    return at - this.pos;
  }

  /** At a byte in a string that is neither text nor a simple escape: \u, or an error. */
  private unusualStop(out: ByteWriter): void {
    const { bytes, end, pos } = this;
    if (pos >= end) throw this.fail("the string does not end");
    if (bytes[pos] !== BACKSLASH) throw this.fail("raw control character in a string");
    if (pos + 1 >= end) throw this.fail("the string does not end");
    if (bytes[pos + 1] !== LOWER_U) throw this.fail("unknown escape in a string");
    const unit = this.codeUnit(pos + 2);
    this.pos = pos + 6;
    if (unit < 0xd800 || unit > 0xdfff) {
      appendCodePoint(out, unit);
      return;
    }
    const paired = unit < 0xdc00 && this.pos + 1 < end && bytes[this.pos] === BACKSLASH && bytes[this.pos + 1] === LOWER_U;
    const low = paired ? this.codeUnit(this.pos + 2) : 0;
    if (low < 0xdc00 || low > 0xdfff) {
      out.buffer[out.length++] = LONE_SURROGATE;
      return;
    }
    this.pos += 6;
    appendCodePoint(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
  }

  private codeUnit(at: number): number {
    const { bytes, end } = this;
    let unit = 0;
    for (let i = at; i < at + 4; i++) {
      const digit = i < end ? HEX_VALUES[bytes[i]] : 255;
      if (digit === 255) throw this.fail("\\u without four hexadecimal digits");
      unit = (unit << 4) | digit;
    }
    return unit;
  }

  /** Skips a number, with the grammar that RFC 8259 allows. */
  private number(): void {
    const { bytes, end } = this;
    if (this.pos < end && bytes[this.pos] === MINUS) this.pos++;
    if (this.pos < end && bytes[this.pos] === ZERO) this.pos++;
    else this.digits();
    if (this.pos < end && bytes[this.pos] === DOT) {
      this.pos++;
      this.digits();
    }
    if (this.pos < end && (bytes[this.pos] | 0x20) === 0x65) {
      this.pos++;
      if (this.pos < end && (bytes[this.pos] === MINUS || bytes[this.pos] === 0x2b)) this.pos++;
      this.digits();
    }
  }

  /** Skips one or more decimal digits. */
  private digits(): void {
    const { bytes, end } = this;
    const start = this.pos;
    while (this.pos < end && bytes[this.pos] >= ZERO && bytes[this.pos] <= 0x39) this.pos++;
    if (this.pos === start) throw this.fail(start === end ? "it ends too early" : "expected a value");
  }

  private word(text: string): void {
    const { bytes } = this;
    for (let i = 0; i < text.length; i++) if (bytes[this.pos + i] !== text.charCodeAt(i)) throw this.fail("expected a value");
    this.pos += text.length;
  }
}

/** Appends a code point as UTF-8; `out` has room. */
function appendCodePoint(out: ByteWriter, code: number): void {
  const target = out.buffer;
  let to = out.length;
  if (code < 0x80) target[to++] = code;
  else if (code < 0x800) {
    target[to++] = 0xc0 | (code >> 6);
    target[to++] = 0x80 | (code & 0x3f);
  } else {
    if (code < 0x10000) target[to++] = 0xe0 | (code >> 12);
    else {
      target[to++] = 0xf0 | (code >> 18);
      target[to++] = 0x80 | ((code >> 12) & 0x3f);
    }
    target[to++] = 0x80 | ((code >> 6) & 0x3f);
    target[to++] = 0x80 | (code & 0x3f);
  }
  out.length = to;
}

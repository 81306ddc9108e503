/**
 * JSON that is written into bytes as it is made. Prompts go there without strings in between: escaped twice by JSON.stringify they cost about half of all CPU that
 * sending takes, and most of the garbage.
 */
export interface JsonBytes {
  /** JSON as it stands. */
  add(json: string): void;
  /** A text as a string literal. */
  literal(text: string): void;
  /** The JSON text of a value as a string literal. The value is plain: lists, objects, texts, finite numbers, booleans and null. */
  nested(value: unknown): void;
  /** Bytes that were written before. */
  bytes(written: Uint8Array): void;
  /** How many bytes there are. */
  length(): number;
  /** The bytes from a position on; valid until the next `clear`. */
  since(start: number): Buffer;
  /** Begins anew in the same memory. */
  clear(): void;
}

/** Bytes of the first piece of memory. */
const INITIAL_BYTES = 256 * 1024;
/** A larger piece, which one large record took, is given back. */
const KEPT_BYTES = 2 * 1024 * 1024;
/** Texts are written in chunks of so many UTF-16 units; each takes three bytes at most, and escaped twice seven times that. */
const CHUNK = 4_096;
const CHUNK_BYTES = CHUNK * 3;
const ESCAPED_BYTES = CHUNK_BYTES * 7;
const WORD_BYTES = 4;
/** Texts up to this are written byte by byte. */
const SHORT = 128;

const escapedOnce = (character: string): string => JSON.stringify(character).slice(1, -1);
const escapedTwice = (character: string): string => escapedOnce(escapedOnce(character));

/** What stands for each byte that JSON escapes, by its number; the others have none. */
type Escapes = readonly (Buffer | undefined)[];

const escapesBy = (escaped: (character: string) => string): Escapes =>
  Array.from({ length: 256 }, (_, byte) => {
    const isEscaped = byte < 0x20 || byte === 0x22 || byte === 0x5c;
    return isEscaped ? Buffer.from(escaped(String.fromCharCode(byte))) : undefined;
  });

const ONCE = escapesBy(escapedOnce);
const TWICE = escapesBy(escapedTwice);
const IS_ESCAPED = Uint8Array.from(ONCE, (bytes) => (bytes === undefined ? 0 : 1));

export function createJsonBytes(): JsonBytes {
  let memory = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  let words = wordsOf(memory);
  let end = 0;

  function use(bytes: Buffer<ArrayBuffer>): void {
    memory = bytes;
    words = wordsOf(bytes);
  }

  function reserve(bytes: number): void {
    if (end + bytes <= memory.length) return;
    const larger = Buffer.allocUnsafeSlow((Math.max(memory.length * 2, end + bytes) + WORD_BYTES) & ~(WORD_BYTES - 1));
    memory.copy(larger, 0, 0, end);
    use(larger);
  }

  function add(json: string): void {
    reserve(json.length * 3);
    if (json.length > SHORT) end += memory.write(json, end, "utf8");
    else if (!addAscii(json, false)) end += memory.write(json, end, "utf8");
  }

  /** Writes a short text of ASCII byte by byte, which costs less than a call out of JavaScript; false, and nothing, where that is not all. */
  function addAscii(text: string, isContent: boolean): boolean {
    const bytes = memory;
    let at = end;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f || (isContent && IS_ESCAPED[unit] === 1)) return false;
      bytes[at++] = unit;
    }
    end = at;
    return true;
  }

  function short(text: string, quote: string, escaped: (text: string) => string): void {
    reserve(text.length + 4);
    add(quote);
    if (!addAscii(text, true)) add(escaped(text));
    add(quote);
  }

  function long(text: string, quote: string, escapes: Escapes): void {
    add(quote);
    for (let from = 0; from < text.length; ) {
      const to = chunkEnd(text, from);
      reserve(ESCAPED_BYTES + CHUNK_BYTES + WORD_BYTES);
      // Behind all that it can become, so that it can be escaped from there to the end.
      const raw = (end + ESCAPED_BYTES + WORD_BYTES) & ~(WORD_BYTES - 1);
      const size = memory.write(from === 0 && to === text.length ? text : text.slice(from, to), raw, "utf8");
      escapeBytes(raw, raw + size, escapes);
      from = to;
    }
    add(quote);
  }

  /** Escapes the bytes of the memory from `start`, which is a multiple of a word, to `last` and writes them to the end. */
  function escapeBytes(start: number, last: number, escapes: Escapes): void {
    const bytes = memory;
    let to = end;
    let from = start;
    for (let at = start; at < last; at++) {
      if ((at & (WORD_BYTES - 1)) === 0) at = skipClean(words, at, last);
      if (at >= last) break;
      const byte = bytes[at]!;
      if (IS_ESCAPED[byte] === 0) continue;
      bytes.copyWithin(to, from, at);
      to += at - from;
      const inPlace = escapes[byte]!;
      for (let i = 0; i < inPlace.length; i++) bytes[to++] = inPlace[i]!;
      from = at + 1;
    }
    bytes.copyWithin(to, from, last);
    end = to + last - from;
  }

  function value(of: unknown): void {
    if (typeof of === "string") text(of);
    else if (Array.isArray(of)) list(of);
    else if (typeof of === "object" && of !== null) members(of as Readonly<Record<string, unknown>>);
    else add(JSON.stringify(of));
  }

  function text(of: string): void {
    if (of.length <= SHORT) short(of, '\\"', escapedTwice);
    else long(of, '\\"', TWICE);
  }

  function list(of: readonly unknown[]): void {
    add("[");
    for (let i = 0; i < of.length; i++) {
      if (i > 0) add(",");
      value(of[i]);
    }
    add("]");
  }

  function members(of: Readonly<Record<string, unknown>>): void {
    let separator = "{";
    for (const name in of) {
      if (of[name] === undefined) continue;
      add(separator);
      text(name);
      add(":");
      value(of[name]);
      separator = ",";
    }
    add(separator === "{" ? "{}" : "}");
  }

  return {
    add,
    literal(given) {
      if (given.length <= SHORT) short(given, '"', escapedOnce);
      else long(given, '"', ONCE);
    },
    nested(given) {
      add('"');
      value(given);
      add('"');
    },
    bytes(written) {
      reserve(written.length);
      memory.set(written, end);
      end += written.length;
    },
    length: () => end,
    since: (start) => memory.subarray(start, end),
    clear() {
      if (memory.length > KEPT_BYTES) use(Buffer.allocUnsafeSlow(INITIAL_BYTES));
      end = 0;
    },
  };
}

const wordsOf = ({ buffer, length }: Buffer): Int32Array => new Int32Array(buffer, 0, length / WORD_BYTES);

/** The first position from `at` on that may have to be escaped, or `last`: looks at four bytes at once, by the bits that a byte below 0x20, and one that is 0, borrows. */
function skipClean(words: Int32Array, at: number, last: number): number {
  let word = at / WORD_BYTES;
  for (const end = Math.floor(last / WORD_BYTES); word < end; word++) {
    const bytes = words[word]!;
    const quotes = bytes ^ 0x22222222;
    const slashes = bytes ^ 0x5c5c5c5c;
    const controls = (bytes - 0x20202020) & ~bytes;
    if (((controls | ((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes)) & 0x80808080) !== 0) break;
  }
  return Math.min(word * WORD_BYTES, last);
}

/** Where a chunk that begins at `from` ends: never between the two halves of a character. */
function chunkEnd(text: string, from: number): number {
  const to = from + CHUNK;
  if (to >= text.length) return text.length;
  const last = text.charCodeAt(to - 1);
  return last >= 0xd800 && last <= 0xdbff ? to - 1 : to;
}

import { PAUSE, PAUSE_BYTES, type Steps } from "./steps.ts";
import type { TextRange } from "./text-locator.ts";

const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const LETTER_U = 0x75;
const QUOTE = 0x22;
const LINE_END = 0x0a;
/** Stands for a character beyond ASCII: no letter of anything that is looked for. */
const OTHER = 0x80;

/** JSON within JSON doubles backslashes with every layer; beyond so many in a row there is no escape. */
const MAX_BACKSLASHES = 16;

/** An escape of JSON, of any layer of JSON within JSON: what it means, and where the text goes on. */
interface Escape {
  readonly meaning: number;
  readonly end: number;
}

/** The escape whose first backslash is at `at`; undefined where there is none. */
function escapeAt(bytes: Buffer, at: number, end: number): Escape | undefined {
  let letter = at;
  while (letter < end && bytes[letter] === BACKSLASH && letter - at <= MAX_BACKSLASHES) letter++;
  const byte = letter < end ? bytes[letter]! : 0;
  if (byte === LETTER_U) {
    const code = letter + 5 <= end ? hexOf(bytes, letter + 1) : -1;
    return code < 0 ? undefined : { meaning: code < 0x80 ? code : OTHER, end: letter + 5 };
  }
  if (byte === SLASH || byte === QUOTE) return { meaning: byte, end: letter + 1 };
  // n, r, t, b and f: what comes after them begins a word.
  return byte === 0x6e || byte === 0x72 || byte === 0x74 || byte === 0x62 || byte === 0x66
    ? { meaning: LINE_END, end: letter + 1 }
    : undefined;
}

/** Four hexadecimal digits as a number, or -1. */
function hexOf(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i]!;
    const lower = byte | 0x20;
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** End of an escaped slash at `at`, which encoders of some languages write for every slash; `at` itself where there is none. */
export function endOfSlash(bytes: Buffer, at: number, end: number): number {
  const found = bytes[at] === BACKSLASH ? escapeAt(bytes, at, end) : undefined;
  return found?.meaning === SLASH ? found.end : at;
}

/** The place itself, or the end of the escape in the midst of which it lies: of what is covered no half escape may be left. */
export function afterEscape(bytes: Buffer, at: number, { start, end }: TextRange): number {
  for (let back = at; back > start && back > at - 5; back--) {
    if (bytes[back - 1] !== BACKSLASH) continue;
    const found = escapeAt(bytes, back - 1, end);
    return found !== undefined && found.end > at ? found.end : at;
  }
  return at;
}

/** A text with the escapes of JSON undone. */
export interface Unescaped {
  readonly bytes: Buffer;
  /** Where a place of it stands in the text as it was. */
  placeOf(at: number): number;
}

/** Undoes what `escapeAt` reads, in one pass: layers of JSON within JSON are undone together. Costs the text's length. */
export function* unescaped(bytes: Buffer, { start, end }: TextRange): Steps<Unescaped> {
  const out = Buffer.allocUnsafe(end - start);
  // By stretches: one list of all escapes would be moved as a whole whenever it grows.
  const starts: number[] = [];
  const stretches: Stretch[] = [];
  let size = 0;
  // Byte by byte: a native search and a copy for each escape cost twenty times as much.
  for (let pos = start; pos < end; ) {
    if (pos > start) yield PAUSE;
    const [outs, places] = [[size], [pos]];
    starts.push(size);
    stretches.push({ outs, places });
    const limit = Math.min(end, pos + PAUSE_BYTES);
    while (pos < limit) {
      const byte = bytes[pos]!;
      const found = byte === BACKSLASH ? escapeAt(bytes, pos, end) : undefined;
      out[size++] = found?.meaning ?? byte;
      pos = found?.end ?? pos + 1;
      if (found === undefined) continue;
      outs.push(size);
      places.push(pos);
    }
  }
  return {
    bytes: out.subarray(0, size),
    placeOf(at) {
      const { outs, places } = stretches[countUpTo(starts, at) - 1]!;
      const last = countUpTo(outs, at) - 1;
      return places[last]! + (at - outs[last]!);
    },
  };
}

/** A part of a text: its beginning and the end of each escape in it, as places in the plain text and in the text as it was. */
interface Stretch {
  readonly outs: readonly number[];
  readonly places: readonly number[];
}

/** How many of the ascending numbers are at most `limit`. */
function countUpTo(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

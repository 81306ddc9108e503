import type { TextRange } from "./text-locator.ts";

/** Sets of bytes as a table of 256 flags. */
export type ByteSet = Uint8Array;

/** The set of the characters of a class like `A-Za-z0-9_-`; a dash stands for itself at the end. */
export function byteSet(spec: string): ByteSet {
  const set = new Uint8Array(256);
  for (let i = 0; i < spec.length; i++) {
    const from = spec.charCodeAt(i);
    const isRange = spec[i + 1] === "-" && i + 2 < spec.length;
    const to = isRange ? spec.charCodeAt(i + 2) : from;
    for (let byte = from; byte <= to; byte++) set[byte] = 1;
    if (isRange) i += 2;
  }
  return set;
}

/** First place of the text from `at` on whose byte is not in the set. */
export function endOf(bytes: Buffer, at: number, set: ByteSet, text: TextRange): number {
  let end = at;
  while (end < text.end && set[bytes[end]!] === 1) end++;
  return end;
}

/** Remembers the end of the run of bytes that it looked at last, so that many places in one run cost no more than the run. */
export function runEnds(bytes: Buffer, set: ByteSet, text: TextRange): (at: number) => number {
  let known = -1;
  return (at) => {
    if (at >= known) known = endOf(bytes, at, set, text);
    return known;
  };
}

/** Places of `needle` in the text, ascending. */
export function* placesOf(bytes: Buffer, needle: Buffer, { start, end }: TextRange): Iterable<number> {
  const text = bytes.subarray(start, end);
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) yield start + at;
}

const WORD = byteSet("A-Za-z0-9_");
const BACKSLASH = 0x5c;

/** Whether a word can begin at `at`: at the text's own beginning, after no letter, or (in JSON) after an escape such as `\n`. */
export function beginsWord(bytes: Buffer, at: number, { start }: TextRange): boolean {
  if (at === start || WORD[bytes[at - 1]!] !== 1) return true;
  return at - 1 > start && bytes[at - 2] === BACKSLASH;
}

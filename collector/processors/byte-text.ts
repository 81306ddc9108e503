import { endOfSlash } from "./json-escapes.ts";
import { PAUSE, PAUSE_BYTES, type Pause, type Steps } from "./steps.ts";
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

const SLASH = 0x2f;

/** First place of the text from `at` on whose byte is not in the set; a slash may be written as JSON writes it, with a backslash before it. */
export function endOf(bytes: Buffer, at: number, set: ByteSet, text: TextRange): number {
  let end = at;
  for (;;) {
    while (end < text.end && set[bytes[end]!] === 1) end++;
    const next = set[SLASH] === 1 && end < text.end ? endOfSlash(bytes, end, text.end) : end;
    if (next === end) return end;
    end = next;
  }
}

/** Longer than any escape of JSON that is read. */
const ESCAPE_BYTES = 32;

/** As `endOf`, where the end is near; undefined where it may be further away than what lies between two pauses. */
function nearEnd(bytes: Buffer, at: number, set: ByteSet, text: TextRange): number | undefined {
  const limit = Math.min(text.end, at + PAUSE_BYTES);
  const end = endOf(bytes, at, set, { start: text.start, end: limit });
  return limit === text.end || end < limit - ESCAPE_BYTES ? end : undefined;
}

/** As `endOf`, in steps: a run may be as long as a request. */
export function* endOfRun(bytes: Buffer, at: number, set: ByteSet, text: TextRange): Steps<number> {
  for (let end = at; ; ) {
    const limit = Math.min(text.end, end + PAUSE_BYTES);
    const next = endOf(bytes, end, set, { start: text.start, end: limit });
    // Once more from where it stopped: it may have been in the midst of an escape that the limit cut.
    if (next === end || limit === text.end) return next;
    end = next;
    if (end === limit) yield PAUSE;
  }
}

/** Ends of runs of bytes in a text. Remembers the one that it looked at last, so that many places in one run cost no more than the run. */
export interface RunEnds {
  /** Where the run around `at` ends, if that is known or near. */
  near(at: number): number | undefined;
  /** The same wherever it ends. */
  far(at: number): Steps<number>;
}

export function runEnds(bytes: Buffer, set: ByteSet, text: TextRange): RunEnds {
  let known = -1;
  return {
    near(at) {
      if (at < known) return known;
      const end = nearEnd(bytes, at, set, text);
      known = end ?? known;
      return end;
    },
    *far(at) {
      known = yield* endOfRun(bytes, at, set, text);
      return known;
    },
  };
}

/** Places of a needle between two pauses. */
const PAUSE_PLACES = 256;

/** Places of `needle` in the text, ascending. */
export function* placesOf(bytes: Buffer, needle: Buffer, { start, end }: TextRange): Iterable<number | Pause> {
  let places = 0;
  for (let from = start; from < end; from += PAUSE_BYTES) {
    if (from > start) yield PAUSE;
    const part = bytes.subarray(from, Math.min(end, from + PAUSE_BYTES + needle.length - 1));
    for (let at = part.indexOf(needle); at >= 0; at = part.indexOf(needle, at + 1)) {
      if (++places % PAUSE_PLACES === 0) yield PAUSE;
      yield from + at;
    }
  }
}

const WORD = byteSet("A-Za-z0-9_");
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** Whether a word can begin at `at`: at the text's own beginning, after no letter, or (in JSON) after an escape such as `\n` or `\u2192`. */
export function beginsWord(bytes: Buffer, at: number, { start }: TextRange): boolean {
  if (at === start || WORD[bytes[at - 1]!] !== 1) return true;
  if (at - 1 > start && bytes[at - 2] === BACKSLASH) return true;
  return at - 5 > start && bytes[at - 6] === BACKSLASH && bytes[at - 5] === LETTER_U;
}

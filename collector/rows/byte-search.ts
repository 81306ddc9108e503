import { createNeedleSearch, type NeedleSearch } from "../base/needle-search.ts";

/** Whether a word stands in `source[start, end)`. */
export type ByteSearch = (source: Buffer, start: number, end: number) => boolean;

/**
 * A native search for `word` in one slice of a request after the other. What lies before the next find needs no search of its own, so
 * a word that is not there costs one pass over the request instead of a call for each of its texts. Words of at most seven bytes are
 * searched by their first byte: two to ten times as fast as longer ones, if it is a rare one. `source` must not change while it is searched.
 */
export function createByteSearch(word: string): ByteSearch {
  const bytes = Buffer.from(word);
  let searched: Buffer | undefined;
  let from = 0;
  let next = 0;
  return (source, start, end) => {
    if (source !== searched || start < from || next < start) {
      searched = source;
      from = start;
      const found = source.indexOf(bytes, start);
      next = found < 0 ? Number.POSITIVE_INFINITY : found;
    }
    return next + bytes.length <= end;
  };
}

/** Bytes of a text: a slice of the request, or of memory that changes. */
export interface Slice {
  readonly source: Buffer;
  readonly start: number;
  readonly end: number;
  readonly isRequest: boolean;
}

/** Words that are searched in requests; one pass says which of them a request has at all. */
const words: Buffer[] = [];
let scan: { readonly search: NeedleSearch; readonly words: number } | undefined;
let scanned: Buffer | undefined;
let present: ReadonlySet<number> = new Set();

function isPresent(word: number, source: Buffer): boolean {
  if (scan?.words !== words.length) {
    scan = { search: createNeedleSearch(words), words: words.length };
    scanned = undefined;
  }
  if (source !== scanned) {
    present = scan.search(source);
    scanned = source;
  }
  return present.has(word);
}

/** A search for `word`, of at least three bytes, that remembers what it saw of the request, and of nothing else. */
export function createSliceSearch(word: string): (slice: Slice) => boolean {
  const search = createByteSearch(word);
  const bytes = Buffer.from(word);
  const number = words.push(bytes) - 1;
  return ({ source, start, end, isRequest }) =>
    isRequest ? isPresent(number, source) && search(source, start, end) : source.subarray(start, end).includes(bytes);
}

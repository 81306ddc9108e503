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

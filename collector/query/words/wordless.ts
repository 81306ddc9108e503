import type { TimeRange } from "../filter/noun.ts";
import { and, type Fragment, sql } from "../sql.ts";
import { hashesOf } from "./grams.ts";

/** Pieces of one word that are looked up: so many are enough to tell. */
const MAX_PIECES = 16;

/**
 * Ranges of time, as one tstzmultirange, of which signatures say that no model call in them holds all of the words. Hours without signatures, or whose
 * rows were changed since, are in none of them; the notes of changes are read in the same snapshot as the rows. Undefined for words that are too short.
 */
export function wordlessTimes(words: readonly string[], { from, to }: TimeRange): Fragment | undefined {
  const hashes = [...new Set(words.flatMap((word) => hashesOf(word).slice(0, MAX_PIECES)))];
  if (hashes.length === 0) return undefined;
  const maybe = and(hashes.map((hash) => sql`get_bit(s.bits, ${hash}::bigint % (octet_length(s.bits) * 8)) = 1`));
  const range = [
    ...(from === undefined ? [] : [sql`s.hour > ${from}::timestamptz - interval '1 hour'`]),
    ...(to === undefined ? [] : [sql`s.hour < ${to}::timestamptz`]),
  ];
  const own = sql`(SELECT genspan_project())`;
  const noted = [sql`usage_dirty_hours`, sql`word_dirty_hours`].map(
    (notes) => sql`NOT EXISTS (SELECT FROM ${notes} n WHERE n.project_id = ${own} AND n.hour = s.hour)`,
  );
  return sql`(SELECT coalesce(range_agg(tstzrange(s.first_time, s.last_time, '[]')), '{}') FROM word_signatures s
    WHERE ${and([sql`s.project_id = ${own}`, ...range, sql`NOT (${maybe})`, ...noted])})`;
}

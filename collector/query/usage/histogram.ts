/** Durations by bucket, ascending: bucket n holds those above 1.05^(n-1) and up to 1.05^n milliseconds. */
export interface Histogram {
  readonly buckets: readonly number[];
  readonly counts: readonly number[];
}

const GAMMA = 1.05;
/** Bucket of the shortest durations; what is shorter still counts as a microsecond, and what is longer than thirty thousand years as that. */
const FIRST_BUCKET = -141;
/** No bucket counts a million million calls: so the sum of numbers of buckets is the number of their sums. */
const DIGITS = 12;

/** SQL of the number that counts a row with a duration_ms once, in its bucket (migration 0026). */
export const HISTOGRAM_SQL = `('1e' || ${DIGITS} * (ceil(ln(least(greatest(duration_ms, 0.001), 1e15)) / ln(${GAMMA}))::int - (${FIRST_BUCKET})))::numeric`;

/** Reads the decimal digits of a sum of such numbers, of which some zeros at the end may be left out; `allDigits` is their number with them. */
export function histogramOf(digits: string, allDigits = digits.length): Histogram {
  const zeros = allDigits - digits.length;
  const buckets: number[] = [];
  const counts: number[] = [];
  // Some of the zeros belong to the count of the first bucket.
  const counted = digits + "0".repeat(zeros % DIGITS);
  for (let end = counted.length, bucket = FIRST_BUCKET + Math.floor(zeros / DIGITS); end > 0; end -= DIGITS, bucket++) {
    const count = Number(counted.slice(Math.max(0, end - DIGITS), end));
    if (count === 0) continue;
    buckets.push(bucket);
    counts.push(count);
  }
  return { buckets, counts };
}

/** The value that stands for a bucket: no value of it is further away than two and a half per cent. */
const durationOf = (bucket: number): number => (2 * GAMMA ** bucket) / (GAMMA + 1);

/**
 * The least duration in milliseconds that at least `share` of the calls did not exceed (as SQL's percentile_disc), within two and a half per cent; null
 * without calls.
 */
export function percentile({ buckets, counts }: Histogram, share: number): number | null {
  const calls = counts.reduce((sum, count) => sum + count, 0);
  if (calls === 0) return null;
  // Less than a rounding error of the product, and less than the smallest part of a call.
  const rank = share * calls - 1e-6;
  let seen = 0;
  for (const [i, bucket] of buckets.entries()) {
    seen += counts[i] ?? 0;
    if (seen > 0 && seen >= rank) return durationOf(bucket);
  }
  return durationOf(buckets.at(-1) ?? 0);
}

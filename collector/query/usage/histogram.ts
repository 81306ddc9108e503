/** Durations by bucket, ascending: bucket n holds those above 1.05^(n-1) and up to 1.05^n milliseconds (migration 0020). */
export interface Histogram {
  readonly buckets: readonly number[];
  readonly counts: readonly number[];
}

const GAMMA = 1.05;

/** SQL of the bucket that a row's duration_ms falls into. */
export const BUCKET_SQL = `ceil(ln(greatest(duration_ms, 0.001)) / ln(${GAMMA}))::int`;

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

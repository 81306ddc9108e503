/** Takes `perSecond` of one id's requests a second, and as many at once after a pause. False for what is too much. */
export type RateLimit = (id: string, perSecond: number) => boolean;

interface Bucket {
  tokens: number;
  at: number;
}

/** One bucket of tokens per id; ids come from a small set such as keys. `now` is a clock in milliseconds that never goes back. */
export function createRateLimit(now: () => number = () => performance.now()): RateLimit {
  const buckets = new Map<string, Bucket>();
  return (id, perSecond) => {
    const at = now();
    const bucket = buckets.get(id) ?? { tokens: perSecond, at };
    buckets.set(id, bucket);
    bucket.tokens = Math.min(perSecond, bucket.tokens + ((at - bucket.at) / 1000) * perSecond);
    bucket.at = at;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  };
}

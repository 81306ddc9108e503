/** Token counts as a dialect read them; undefined is unknown. */
export interface RawTokens {
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly reasoning: number | undefined;
  readonly cacheRead: number | undefined;
  readonly cacheWrite: number | undefined;
}

/** Counts in one meaning: `prompt` includes cached tokens, `completion` includes reasoning, `total` is their sum. */
export interface Tokens {
  readonly prompt: number | undefined;
  readonly completion: number | undefined;
  readonly total: number | undefined;
  readonly reasoning: number | undefined;
  readonly cacheRead: number | undefined;
  readonly cacheWrite: number | undefined;
}

/** Beyond this a count cannot be told exactly, and no call has it. */
const MAX_TOKENS = Number.MAX_SAFE_INTEGER;

/** A count that makes sense: a whole number from 0. Some emitters send -1 or NaN for "not set". */
const count = (value: number | undefined): number | undefined =>
  value !== undefined && value >= 0 && value <= MAX_TOKENS ? Math.round(value) : undefined;

/**
 * Brings counts to one meaning. The conventions (v1.40) let input include cached tokens; a cache count above the input
 * proves that the emitter excluded them, so they are added.
 */
export function normalizeTokens(raw: RawTokens): Tokens {
  const cacheRead = count(raw.cacheRead);
  const cacheWrite = count(raw.cacheWrite);
  const cached = (cacheRead ?? 0) + (cacheWrite ?? 0);
  const input = count(raw.input);
  const prompt = input !== undefined && cached > input ? input + cached : input;
  const completion = count(raw.output);
  const total = prompt !== undefined && completion !== undefined ? prompt + completion : (prompt ?? completion);
  return { prompt, completion, total, reasoning: count(raw.reasoning), cacheRead, cacheWrite };
}

/** Token counts as a dialect read them; undefined is unknown. */
export interface RawTokens {
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly reasoning: number | undefined;
  readonly cacheRead: number | undefined;
  readonly cacheWrite: number | undefined;
  /** The sum as the emitter sent it: tells whether reasoning is inside of output. */
  readonly total: number | undefined;
  /** The emitter's input excludes cached tokens. */
  readonly cacheOutsideInput: boolean;
  /** The emitter's output excludes reasoning tokens. */
  readonly reasoningOutsideOutput: boolean;
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
 * Brings counts to one meaning. The conventions (v1.40) let input include cached tokens and output include reasoning; dialects that differ
 * say so, and proofs are in the numbers: cached above input means outside, and so does a total that is the sum with cached or reasoning tokens.
 */
export function normalizeTokens(raw: RawTokens): Tokens {
  const cacheRead = count(raw.cacheRead);
  const cacheWrite = count(raw.cacheWrite);
  const reasoning = count(raw.reasoning);
  const cached = (cacheRead ?? 0) + (cacheWrite ?? 0);
  const prompt = inclusiveInput(count(raw.input), cached, raw.cacheOutsideInput || totalHoldsCached(raw, cached));
  const completion = inclusiveOutput(prompt, reasoning, raw);
  const total = prompt !== undefined && completion !== undefined ? prompt + completion : (count(raw.total) ?? prompt ?? completion);
  return { prompt, completion, total, reasoning, cacheRead, cacheWrite };
}

/** input + cached + output = total (Bedrock): what was cached is outside of input. */
function totalHoldsCached(raw: RawTokens, cached: number): boolean {
  const [input, output, total] = [count(raw.input), count(raw.output), count(raw.total)];
  return cached > 0 && input !== undefined && output !== undefined && input + cached + output === total;
}

function inclusiveInput(input: number | undefined, cached: number, outside: boolean): number | undefined {
  if (input === undefined) return outside && cached > 0 ? cached : undefined;
  return outside || cached > input ? input + cached : input;
}

function inclusiveOutput(prompt: number | undefined, reasoning: number | undefined, raw: RawTokens): number | undefined {
  const output = count(raw.output);
  const total = count(raw.total);
  if (output === undefined || reasoning === undefined || reasoning === 0) return output;
  if (prompt !== undefined && total !== undefined) {
    if (prompt + output === total) return output;
    if (prompt + output + reasoning === total) return output + reasoning;
  }
  return raw.reasoningOutsideOutput || reasoning > output ? output + reasoning : output;
}

import shipped from "./prices.json" with { type: "json" };
import type { Tokens } from "./tokens.ts";

/** What a model costs from some time on; amounts are per million tokens. */
export interface Price {
  readonly provider: string;
  readonly model: string;
  /** Unix milliseconds. */
  readonly validFrom: number;
  readonly currency: string;
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly cacheRead: number | undefined;
  readonly cacheWrite: number | undefined;
}

/** Prices by model name. */
export interface PriceBook {
  /** The price at a time, or undefined: an unknown price is never guessed. */
  find(provider: string | undefined, model: string, atMillis: number): Price | undefined;
}

/** What else a model may be called by who sells it: `gpt-4o-2024-08-06` and `claude-sonnet-4-5@20250929` cost what their family costs. */
const VERSION = /(?:[-@:](?:\d{8}|\d{4}-\d{2}-\d{2}|latest|\d{3}))+$/;
/** A router or a cloud in front of the name: `openai/gpt-4o`, `models/gemini-2.5-pro`. */
const ROUTE = /^(?:[a-z0-9_.-]+\/)+/i;

/** Providers that sell another one's models under the same names and prices. */
const SELLS_FOR: ReadonlyMap<string, string> = new Map([
  ["azure.ai.openai", "openai"],
  ["gcp.vertex_ai", "gcp.gemini"],
  ["gcp.gen_ai", "gcp.gemini"],
  ["google", "gcp.gemini"],
]);

/** A book of `own` prices before the shipped ones: a price of one's own replaces all shipped ones of that model. */
export function createPriceBook(own: readonly Price[] = []): PriceBook {
  const ours = byModel(own);
  const known = new Map<string, Price | undefined>();
  const search = (provider: string, model: string, atMillis: number): Price | undefined => {
    const sold = SELLS_FOR.get(provider) ?? provider;
    for (const name of namesOf(model)) {
      const prices = ours.get(`${provider}/${name}`) ?? SHIPPED.get(`${sold}/${name}`);
      if (prices !== undefined) return prices.findLast(({ validFrom }) => validFrom <= atMillis);
    }
    return undefined;
  };
  return {
    find(provider, model, atMillis) {
      if (provider === undefined) return undefined;
      // Prices change at midnight: one look-up per model and day serves all its calls.
      const key = `${provider}/${model}/${Math.floor(atMillis / DAY_MS)}`;
      if (known.has(key)) return known.get(key);
      if (known.size >= MAX_KNOWN) known.clear();
      const price = search(provider, model, atMillis);
      known.set(key, price);
      return price;
    },
  };
}

const DAY_MS = 86_400_000;
const MAX_KNOWN = 10_000;

function namesOf(model: string): string[] {
  const bare = model.toLowerCase().replace(ROUTE, "");
  return [...new Set([model.toLowerCase(), bare, bare.replace(VERSION, "")])];
}

function byModel(prices: readonly Price[]): Map<string, Price[]> {
  const found = Map.groupBy(prices, ({ provider, model }) => `${provider}/${model.toLowerCase()}`);
  for (const list of found.values()) list.sort((a, b) => a.validFrom - b.validFrom);
  return found;
}

interface ShippedPrice {
  readonly provider: string;
  readonly model: string;
  readonly input?: number;
  readonly output?: number;
  readonly cache_read?: number;
  readonly cache_write?: number;
  readonly valid_from?: string;
}

/** Public list prices; prices.json says from where they were compiled, after which pages, and on which day. */
const SHIPPED = byModel(
  (shipped.prices as readonly ShippedPrice[]).map(({ provider, model, input, output, cache_read, cache_write, valid_from }) => ({
    provider,
    model,
    validFrom: valid_from === undefined ? 0 : Date.parse(valid_from),
    currency: shipped.currency,
    input,
    output,
    cacheRead: cache_read,
    cacheWrite: cache_write,
  })),
);

/** Twelve digits behind the point: a token costs down to a hundred-millionth. */
const SCALE = 1e12;

/**
 * What a call cost, or undefined when a count or a price that it needs is unknown. Cached tokens cost their own price where there is one, else that of input;
 * reasoning is part of the completion and costs what output costs.
 */
export function costOf(tokens: Tokens, price: Price): number | undefined {
  const { prompt, completion } = tokens;
  if (prompt === undefined && completion === undefined) return undefined;
  const read = tokens.cacheRead ?? 0;
  const write = tokens.cacheWrite ?? 0;
  const parts: readonly (readonly [count: number, each: number | undefined])[] = [
    [Math.max(0, (prompt ?? 0) - read - write), price.input],
    [read, price.cacheRead ?? price.input],
    [write, price.cacheWrite ?? price.input],
    [completion ?? 0, price.output],
  ];
  let sum = 0;
  for (const [count, each] of parts) {
    if (count === 0) continue;
    if (each === undefined) return undefined;
    sum += (count * each) / 1e6;
  }
  return Math.round(sum * SCALE) / SCALE;
}

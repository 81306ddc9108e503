import { namesOf } from "./model-names.ts";
import shipped from "./prices.json" with { type: "json" };
import type { Tokens } from "./tokens.ts";

/** What tokens cost, per million. */
export interface Rates {
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly cacheRead: number | undefined;
  readonly cacheWrite: number | undefined;
  /** Of what is kept for an hour rather than for some minutes. */
  readonly cacheWriteHour?: number | undefined;
}

/** What a model costs from some time on. */
export interface Price extends Rates {
  readonly provider: string;
  /** A price of a service tier stands under `model@tier`. */
  readonly model: string;
  /** Unix milliseconds. */
  readonly validFrom: number;
  readonly currency: string;
  /** Of one image that the model draws. Without prices of tokens, images are all that is charged. */
  readonly imageEach?: number | undefined;
  /** Where a prompt of more than so many tokens makes the whole call cost more. */
  readonly longContext?: (Rates & { readonly above: number }) | undefined;
}

/** A currency as ISO 4217 writes it, so that costs add up by it; undefined for what names none. */
export function currencyOf(text: string | undefined): string | undefined {
  const code = text?.trim().toUpperCase();
  return code !== undefined && /^[A-Z]{3}$/.test(code) ? code : undefined;
}

/** Above this an amount is no cost of one call in any currency, and would spoil every sum that it is part of. */
const MAX_AMOUNT = 1e12;

/** Whether a number can be the cost of a call. */
export const isAmount = (value: number | undefined): value is number => value !== undefined && value >= 0 && value <= MAX_AMOUNT;

/** Prices by model name. */
export interface PriceBook {
  /**
   * The price at a time, or undefined: an unknown price is never guessed. `model` as `atTier` makes it. Without a provider it is that of the only provider of
   * whom the book has a model of that name.
   */
  find(provider: string | undefined, model: string, atMillis: number): Price | undefined;
}

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
  /** By provider, then by model. */
  const known = new Map<string, Map<string, Known>>();
  let count = 0;
  const ourSellers = sellersOf(ours);
  const onlySeller = (name: string): string | undefined => {
    const sellers = new Set([...(ourSellers.get(name) ?? []), ...(SHIPPED_SELLERS.get(name) ?? [])]);
    return sellers.size === 1 ? [...sellers][0] : undefined;
  };
  const isSold = (name: string): boolean => ourSellers.has(name) || SHIPPED_SELLERS.has(name);
  const search = (given: string | undefined, model: string, atMillis: number): Price | undefined => {
    for (const name of namesOf(model, given)) {
      const provider = given ?? onlySeller(name);
      const sold = SELLS_FOR.get(provider ?? "") ?? provider;
      const prices = ours.get(`${provider}/${name}`) ?? SHIPPED.get(`${sold}/${name}`);
      if (prices !== undefined) return prices.findLast(({ validFrom }) => validFrom <= atMillis);
      if (given === undefined && isSold(name)) return undefined;
    }
    return undefined;
  };
  function remember(provider: string, model: string, found: Known): void {
    if (count >= MAX_KNOWN) {
      known.clear();
      count = 0;
    }
    const models = known.get(provider) ?? new Map<string, Known>();
    known.set(provider, models.set(model, found));
    count++;
  }
  return {
    find(given, model, atMillis) {
      const provider = given ?? "";
      // Prices change at midnight: one look-up per model and day serves all its calls.
      const day = Math.floor(atMillis / DAY_MS);
      const found = known.get(provider)?.get(model);
      if (found?.day === day) return found.price;
      const price = search(provider === "" ? undefined : provider, model, atMillis);
      remember(provider, model, { day, price });
      return price;
    },
  };
}

/** The price of a model on a day after the epoch. */
interface Known {
  readonly day: number;
  readonly price: Price | undefined;
}

const DAY_MS = 86_400_000;
const MAX_KNOWN = 10_000;

/** Tiers at the listed price: what is asked for where none is named, in the words of several providers. */
const STANDARD: ReadonlySet<string> = new Set(["", "auto", "default", "standard", "standard_only", "on_demand"]);

/** The service tier by which a call is charged where that is not the standard one. */
export function specialTier(tier: string | undefined): string | undefined {
  const name = tier?.trim().toLowerCase().slice(0, 64) ?? "";
  return STANDARD.has(name) ? undefined : name;
}

/** The name under which the price of a model stands at a service tier. List prices say nothing of batch, flex or priority: a wrong cost is worse than none. */
export const atTier = (model: string, tier: string | undefined): string => (tier === undefined ? model : `${model}@${tier}`);

function byModel(prices: readonly Price[]): Map<string, Price[]> {
  const found = Map.groupBy(prices, ({ provider, model }) => `${provider}/${model.toLowerCase()}`);
  for (const list of found.values()) list.sort((a, b) => a.validFrom - b.validFrom);
  return found;
}

/** Providers by the names of their models. */
function sellersOf(prices: ReadonlyMap<string, readonly Price[]>): Map<string, string[]> {
  const sold = [...prices.values()].flatMap(([price]) => (price === undefined ? [] : [price]));
  const byName = Map.groupBy(sold, ({ model }) => model.toLowerCase());
  return new Map([...byName].map(([name, each]) => [name, each.map(({ provider }) => provider)]));
}

interface ShippedRates {
  readonly input?: number;
  readonly output?: number;
  readonly cache_read?: number;
  readonly cache_write?: number;
  readonly cache_write_1h?: number;
}

interface ShippedPrice extends ShippedRates {
  readonly provider: string;
  readonly model: string;
  readonly valid_from?: string;
  readonly long_context?: ShippedRates & { readonly above: number };
}

const ratesOf = ({ input, output, cache_read, cache_write, cache_write_1h }: ShippedRates): Rates => ({
  input,
  output,
  cacheRead: cache_read,
  cacheWrite: cache_write,
  cacheWriteHour: cache_write_1h,
});

/** Public list prices; prices.json says from where they were compiled, after which pages, and on which day. */
const SHIPPED = byModel(
  (shipped.prices as readonly ShippedPrice[]).map(({ provider, model, valid_from, long_context, ...rates }) => ({
    provider,
    model,
    validFrom: valid_from === undefined ? 0 : Date.parse(valid_from),
    currency: shipped.currency,
    ...ratesOf(rates),
    longContext: long_context === undefined ? undefined : { above: long_context.above, ...ratesOf(long_context) },
  })),
);

const SHIPPED_SELLERS = sellersOf(SHIPPED);

/** The currency of the shipped prices, and of a cost that names none. */
export const LIST_CURRENCY: string = shipped.currency;

/** Twelve digits behind the point: a token costs down to a hundred-millionth. */
const SCALE = 1e12;

/** Counts that are charged; `cacheWriteHour` is the part of `cacheWrite` that is kept for an hour, `images` are those that were drawn. */
export type ChargedCounts = Pick<Tokens, "prompt" | "completion" | "cacheRead" | "cacheWrite"> & {
  readonly cacheWriteHour?: number | undefined;
  readonly images?: number | undefined;
};

/** What a call cost, or undefined when a count or a price that it needs is unknown: its tokens and its images, each where the model has a price for such. */
export function costOf(counts: ChargedCounts, price: Price): number | undefined {
  const { imageEach } = price;
  const images = counts.images ?? 0;
  const byImageAlone = imageEach !== undefined && price.input === undefined && price.output === undefined;
  const tokens = byImageAlone ? (images > 0 ? 0 : undefined) : tokenCost(counts, price);
  return tokens === undefined ? undefined : rounded(tokens + images * (imageEach ?? 0));
}

const rounded = (amount: number): number => Math.round(amount * SCALE) / SCALE;

/**
 * What the tokens of a call cost, or undefined when a count or a price that it needs is unknown. Cached tokens cost their own price where there is one, else that of input;
 * reasoning is part of the completion and costs what output costs.
 */
function tokenCost(tokens: ChargedCounts, price: Price): number | undefined {
  const { prompt, completion } = tokens;
  // Only a model that is charged for its input alone (embeddings) needs no other count.
  if (prompt === undefined || (completion === undefined && (price.output ?? 0) > 0)) return undefined;
  const { longContext } = price;
  const rates = longContext !== undefined && prompt > longContext.above ? longContext : price;
  const read = tokens.cacheRead ?? 0;
  const write = tokens.cacheWrite ?? 0;
  const hour = Math.min(tokens.cacheWriteHour ?? 0, write);
  const writeRate = rates.cacheWrite ?? rates.input;
  const sum =
    charge(Math.max(0, prompt - read - write), rates.input) +
    charge(read, rates.cacheRead ?? rates.input) +
    charge(write - hour, writeRate) +
    charge(hour, rates.cacheWriteHour ?? writeRate) +
    charge(completion ?? 0, rates.output);
  return Number.isNaN(sum) ? undefined : sum;
}

/** NaN where a price is needed that is not known. */
const charge = (count: number, each: number | undefined): number =>
  count === 0 ? 0 : each === undefined ? Number.NaN : (count * each) / 1e6;

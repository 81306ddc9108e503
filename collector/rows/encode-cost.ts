import { chargedTier } from "../dialects/service-tier.ts";
import { CONCEPT } from "../model/concept.ts";
import { canonicalProvider } from "../model/operation.ts";
import { atTier, costOf, isAmount, type Price } from "../model/price.ts";
import type { Tokens } from "../model/tokens.ts";
import { type CallSource, conceptNumber, conceptText } from "./concept-columns.ts";
import { copyNull, copyNumeric, copyString } from "./copy-row.ts";
import type { ModelCall } from "./encode-generation.ts";
import type { MediaPart } from "./message-media.ts";
import { startMillisOf } from "./row-key.ts";

/** What a call is charged for. */
export interface Charged {
  readonly tokens: Tokens;
  /** Images, sounds and files of the answer. */
  readonly answered: readonly MediaPart[];
}

/**
 * A cost that was sent wins; else it is computed from the price at the time of the call, once and for all. A negative one says that it is not known
 * (dialect-traps 16).
 */
export function encodeCost(source: CallSource, call: ModelCall, { tokens, answered }: Charged): void {
  const { out, draft } = source;
  const told = conceptNumber(source, CONCEPT.costAmount);
  const sent = isAmount(told) ? told : undefined;
  const price = sent === undefined ? priceOf(source, call) : undefined;
  const counted = draft.tokensEstimated ? NO_TOKENS : { ...tokens, cacheWriteHour: conceptNumber(source, CONCEPT.cacheWriteHourTokens) };
  const computed = price === undefined ? undefined : costOf({ ...counted, images: imagesAmong(answered) }, price);
  const amount = sent ?? computed;
  if (amount === undefined) copyNull(out);
  else copyNumeric(out, amount);
  if (computed !== undefined && price !== undefined) {
    copyString(out, price.currency);
    copyString(out, "computed");
    return;
  }
  conceptText(source, CONCEPT.costCurrency, "cost_currency");
  if (hasBuiltOrSent(source, CONCEPT.costSource) || sent === undefined) conceptText(source, CONCEPT.costSource, "cost_source");
  else copyString(out, "sent");
}

/** Estimates are charged nowhere. */
const NO_TOKENS = { prompt: undefined, completion: undefined, cacheRead: undefined, cacheWrite: undefined };

const imagesAmong = (media: readonly MediaPart[]): number =>
  media.length === 0 ? 0 : media.filter(({ modality }) => modality === "image").length;

const hasBuiltOrSent = ({ draft }: CallSource, concept: number): boolean =>
  draft.attribute[concept]! >= 0 || draft.built?.scalars?.has(concept) === true;

/** The model that answered is the one that is billed; the one that was asked for stands in where only that has a price. */
function priceOf(source: CallSource, { view, context, prices }: ModelCall): Price | undefined {
  const { attributes, draft } = source;
  const text = (concept: number): string | undefined => {
    const index = draft.attribute[concept]!;
    const built = draft.built?.scalars?.get(concept);
    return index >= 0 ? attributes.textFromSet(index) : built === undefined ? undefined : String(built);
  };
  const provider = text(CONCEPT.provider);
  const canonical = provider === undefined ? undefined : canonicalProvider(provider);
  const at = startMillisOf(view, context.key.receivedAtMs);
  const tier = chargedTier(view, draft);
  for (const model of [text(CONCEPT.responseModel), text(CONCEPT.model)]) {
    const price = model === undefined || model === "" ? undefined : prices.find(canonical, atTier(model, tier), at);
    if (price !== undefined) return price;
  }
  return undefined;
}

import { specialTier } from "../model/price.ts";
import { keyTable } from "../otlp/key-table.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { attributeValue } from "./flattened.ts";
import { conceptNumber, conceptText, type GenerationDraft } from "./generation-draft.ts";
import { stringOf } from "./json.ts";

/** Where a request says by which tier it wants to be served; these stay among the model parameters. */
const ASKED = ["openai.request.service_tier", "gen_ai.openai.request.service_tier", "gen_ai.request.service_tier"].map((name) =>
  keyTable.register(name),
);
/** Laminar's word for a request that waits for its turn. */
const BATCH = keyTable.register("gen_ai.request.batch");
const IN_SETTINGS = ["service_tier", "serviceTier"];

/**
 * The service tier by which a call is charged, unless it is the standard one: what the answer names, since a provider may serve by another tier than was
 * asked for; else what the request asked for.
 */
export function chargedTier(view: SpanView, draft: GenerationDraft): string | undefined {
  const answered = conceptText(view, draft, "serviceTier");
  return answered === undefined ? askedTier(view, draft) : specialTier(answered);
}

function askedTier(view: SpanView, draft: GenerationDraft): string | undefined {
  const { attributes } = view;
  for (const index of draft.parameters) {
    const key = attributes.keys[index]!;
    if (key === BATCH && String(attributeValue(view, index)).toLowerCase() === "true") return "batch";
    const tier = ASKED.includes(key) ? specialTier(attributes.text(index)) : undefined;
    if (tier !== undefined) return tier;
  }
  const settings = draft.built?.parameters;
  return settings === undefined
    ? undefined
    : IN_SETTINGS.map((name) => specialTier(stringOf(settings[name]))).find((tier) => tier !== undefined);
}

/** What the cost of a call hangs on besides its columns, so that it can be worked out again: for additional_metadata. */
export function chargedBy(view: SpanView, draft: GenerationDraft): Record<string, unknown> | undefined {
  const tier = chargedTier(view, draft);
  const hour = conceptNumber(view, draft, "cacheWriteHourTokens") ?? 0;
  if (tier === undefined && !(hour > 0)) return undefined;
  return { ...(tier === undefined ? {} : { service_tier: tier }), ...(hour > 0 ? { tokens_cache_write_1h: hour } : {}) };
}

import type { SpanView } from "../otlp/span-view.ts";
import { attributeNamed } from "./flattened.ts";
import { conceptNumber, type GenerationDraft, supply } from "./generation-draft.ts";
import { at, isObject, type JsonObject, numberOf, openJson, stringOf } from "./json.ts";
import { supplyCost } from "./sent-cost.ts";

const ORIGIN = "ai.response.providerMetadata";

/** What only the provider's own part of an answer of the AI SDK tells: counts of cached tokens, tier and cost. */
export function supplyProviderMetadata(view: SpanView, draft: GenerationDraft): void {
  const metadata = openJson(attributeNamed(view, ORIGIN));
  if (!isObject(metadata)) return;
  const count = (...path: readonly string[]): number | undefined => numberOf(at(metadata, ...path));
  const write =
    count("anthropic", "usage", "cache_creation_input_tokens") ??
    count("anthropic", "cacheCreationInputTokens") ??
    count("bedrock", "usage", "cacheWriteInputTokens");
  const read =
    count("openai", "cachedPromptTokens") ??
    count("anthropic", "usage", "cache_read_input_tokens") ??
    count("anthropic", "cacheReadInputTokens") ??
    count("bedrock", "usage", "cacheReadInputTokens");
  if (excludesCached(metadata, conceptNumber(view, draft, "inputTokens"))) draft.cacheOutsideInput = true;
  supply(draft, "cacheWriteTokens", write, ORIGIN);
  supply(draft, "cacheReadTokens", read, ORIGIN);
  supply(draft, "reasoningTokens", count("openai", "reasoningTokens"), ORIGIN);
  supply(draft, "cacheWriteHourTokens", count("anthropic", "usage", "cache_creation", "ephemeral_1h_input_tokens"), ORIGIN);
  const tier = at(metadata, "openai", "serviceTier") ?? at(metadata, "anthropic", "usage", "service_tier");
  supply(draft, "serviceTier", stringOf(tier), ORIGIN);
  supplyCost(draft, count("gateway", "cost"), ORIGIN);
}

/**
 * Until version 5 the SDK hands on Anthropic's own input, which excludes what was cached; from version 6 on it adds that. Told apart by the provider's own count
 * beside it; version 4 has none, and other names for the cached ones.
 */
function excludesCached(metadata: JsonObject, sent: number | undefined): boolean {
  const own = numberOf(at(metadata, "anthropic", "usage", "input_tokens"));
  if (own !== undefined) return sent === undefined || sent === own;
  return at(metadata, "anthropic", "cacheReadInputTokens") !== undefined;
}

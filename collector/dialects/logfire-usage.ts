import type { SpanView } from "../otlp/span-view.ts";
import { conceptNumber, type GenerationDraft, supply } from "./generation-draft.ts";
import { at, isObject, type Json, numberOf, stringOf } from "./json.ts";

interface Usage {
  readonly usage: Json;
  /** The attribute that it was read from. */
  readonly origin: string;
}

/** Counts as the provider sent them: OpenAI's of chat and responses, and Anthropic's, whose input excludes what was cached. */
export function supplyUsage(view: SpanView, draft: GenerationDraft, { usage, origin }: Usage): void {
  if (!isObject(usage)) return;
  const input = numberOf(usage["prompt_tokens"] ?? usage["input_tokens"]);
  if (isExclusive(usage, input, conceptNumber(view, draft, "inputTokens"))) draft.cacheOutsideInput = true;
  supply(draft, "inputTokens", input, origin);
  supply(draft, "outputTokens", numberOf(usage["completion_tokens"] ?? usage["output_tokens"]), origin);
  supply(draft, "totalTokens", numberOf(usage["total_tokens"]), origin);
  const detail = (whole: string, part: string): number | undefined => numberOf(at(usage, whole, part));
  const reasoning = detail("completion_tokens_details", "reasoning_tokens") ?? detail("output_tokens_details", "reasoning_tokens");
  supply(draft, "reasoningTokens", reasoning, origin);
  const read = detail("prompt_tokens_details", "cached_tokens") ?? detail("input_tokens_details", "cached_tokens");
  supply(draft, "cacheReadTokens", read ?? numberOf(usage["cache_read_input_tokens"]), origin);
  supply(draft, "cacheWriteTokens", numberOf(usage["cache_creation_input_tokens"]), origin);
  supply(draft, "cacheWriteHourTokens", numberOf(at(usage, "cache_creation", "ephemeral_1h_input_tokens")), origin);
  supply(draft, "serviceTier", stringOf(usage["service_tier"]), origin);
}

/** Anthropic's own counts, unless the span's input is more than the provider's: then the sender has added the cached tokens already. */
function isExclusive(usage: Json, input: number | undefined, sent: number | undefined): boolean {
  const anthropic = at(usage, "cache_read_input_tokens") !== undefined || at(usage, "cache_creation_input_tokens") !== undefined;
  return anthropic && (sent === undefined || sent === input);
}

import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { builtOf, conceptText, hasConcept, override, supply, supplyContent } from "./generation-draft.ts";
import { numberOf, stringOf } from "./json.ts";
import { messagesContent } from "./messages.ts";

/** OpenLIT: the conventions with names of its own beside them; -1 and "" for what was not set. */
export const openlit: Dialect = {
  name: "openlit",
  signs: [
    "gen_ai.sdk.",
    "gen_ai.usage.cost",
    "gen_ai.request.image_size",
    "gen_ai.response.image",
    "gen_ai.content.reasoning",
    "gen_ai.application_name",
  ],
  sources: {
    costAmount: ["gen_ai.usage.cost"],
    reasoningTokens: ["gen_ai.usage.completion_tokens_details.reasoning"],
    cacheReadTokens: ["gen_ai.usage.prompt_tokens_details.cache_read"],
    cacheWriteTokens: ["gen_ai.usage.prompt_tokens_details.cache_write"],
    userId: ["gen_ai.request.user"],
  },
  classify: () => undefined,
  complete(view, draft) {
    if (conceptText(view, draft, "operation") === "image") override(draft, "operation", "image_generation", "gen_ai.operation.name");
    if (hasConcept(draft, "costAmount")) supply(draft, "costCurrency", "USD", "gen_ai.usage.cost");
    supply(
      draft,
      "timeToFirstTokenSeconds",
      numberOf(attributeNamed(view, "gen_ai.server.time_to_first_token")),
      "gen_ai.server.time_to_first_token",
    );
    const reasoning = stringOf(attributeNamed(view, "gen_ai.content.reasoning"));
    if (reasoning !== undefined) builtOf(draft).reasoning ??= reasoning;
    const image = stringOf(attributeNamed(view, "gen_ai.response.image"));
    if (image === undefined) return;
    const revised = stringOf(attributeNamed(view, "gen_ai.content.revised_prompt"));
    const part = { type: "uri", modality: "image", uri: image, ...(revised === undefined ? {} : { revised_prompt: revised }) };
    supplyContent(draft, "response", messagesContent([{ role: "assistant", parts: [part] }]), "gen_ai.response.image");
  },
};

import type { Dialect } from "./dialect.ts";
import { hasConcept, supply } from "./generation-draft.ts";
import { spanName } from "./span-facts.ts";

/** LiteLLM: one call is a `litellm_request`; the raw dump of the provider's request below it is none. */
export const litellm: Dialect = {
  name: "litellm",
  signs: ["hidden_params", "metadata.user_api_key", "llm.openai.", "llm.anthropic.", "gen_ai.cost.", "litellm."],
  sources: { costAmount: ["gen_ai.cost.total_cost"] },
  classify: (view) => (spanName(view) === "raw_gen_ai_request" ? "wrapper" : undefined),
  complete(_view, draft) {
    if (hasConcept(draft, "costAmount")) supply(draft, "costCurrency", "USD", "gen_ai.cost");
  },
};

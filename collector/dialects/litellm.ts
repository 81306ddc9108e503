import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed, gatherFlattened } from "./flattened.ts";
import { builtOf, type GenerationDraft, override } from "./generation-draft.ts";
import { at, isObject, numberOf, openJson, stringOf } from "./json.ts";
import { supplyCost, supplyCostParts } from "./sent-cost.ts";
import { spanName } from "./span-facts.ts";

/** `llm.request.type` names LiteLLM's own function, with an "a" in front where it is the asynchronous one. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["completion", "chat"],
  ["responses", "chat"],
  ["text_completion", "text_completion"],
  ["embedding", "embeddings"],
  ["image_generation", "image_generation"],
  ["rerank", "rerank"],
]);

/** LiteLLM: one call is a `litellm_request`; the raw dump of the provider's request below it is none. */
export const litellm: Dialect = {
  name: "litellm",
  signs: ["hidden_params", "metadata.user_api_key_hash", "gen_ai.cost.", "litellm.", "llm."],
  sources: { costAmount: ["gen_ai.cost.total_cost", "litellm.cost.total"] },
  classify: (view) => (spanName(view) === "raw_gen_ai_request" ? "wrapper" : undefined),
  complete(view, draft) {
    const hidden = attributeNamed(view, "hidden_params");
    const sent = attributeNamed(view, "gen_ai.cost.total_cost") ?? attributeNamed(view, "litellm.cost.total");
    supplyCostParts(view, draft, ["gen_ai.cost.input_cost", "gen_ai.cost.output_cost"]);
    supplyMetadata(view, draft);
    if (hidden === undefined && sent === undefined) return;
    const operation = FUNCTIONS.get(
      stringOf(attributeNamed(view, "llm.request.type"))?.replace(/^a(?=completion|responses|text|emb|image|rerank)/, "") ?? "",
    );
    if (operation !== undefined) override(draft, "operation", operation, "llm.request.type");
    supplyCost(draft, numberOf(at(openJson(hidden), "response_cost")), "hidden_params");
  },
};

/** What its proxy knows about who asked, one attribute each. */
function supplyMetadata(view: SpanView, draft: GenerationDraft): void {
  const metadata = gatherFlattened(view, "metadata.");
  if (isObject(metadata)) builtOf(draft).metadata = { ...metadata, ...builtOf(draft).metadata };
}

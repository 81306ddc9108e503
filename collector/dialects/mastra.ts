import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { hasConcept, supply } from "./generation-draft.ts";
import { openJson, stringOf } from "./json.ts";
import { supplyProviderResponse } from "./provider-answers.ts";
import { supplyText } from "./span-facts.ts";

/** Mastra: the conventions on its innermost spans; model generations and steps around them repeat the usage. */
export const mastra: Dialect = {
  name: "mastra",
  signs: ["mastra."],
  sources: {},
  classify(view, draft) {
    const type = stringOf(attributeNamed(view, "mastra.span.type"));
    if (type === undefined) return undefined;
    if (type === "model_generation" || type === "llm_generation") return hasConcept(draft, "model") ? "call" : "wrapper";
    return "wrapper";
  },
  complete(view, draft) {
    supply(draft, "operation", "chat", "mastra.span.type");
    supplyText(view, draft, "prompt", ["mastra.model_generation.input"]);
    supplyText(view, draft, "response", ["mastra.model_generation.output"]);
    supplyProviderResponse(draft, openJson(attributeNamed(view, "mastra.output")), "mastra.output");
  },
};

import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { supply } from "./generation-draft.ts";
import { stringOf } from "./json.ts";
import { supplyText } from "./span-facts.ts";

/** Laminar: the conventions, with the type, input and output of its spans in `lmnr.span.*`. */
export const laminar: Dialect = {
  name: "laminar",
  signs: ["lmnr."],
  sources: {
    userId: ["lmnr.association.properties.user_id"],
    conversationId: ["lmnr.association.properties.session_id"],
    promptVersion: ["lmnr.span.prompt_hash"],
  },
  classify(view) {
    const type = stringOf(attributeNamed(view, "lmnr.span.type"));
    if (type === undefined) return undefined;
    return type === "LLM" ? "call" : "wrapper";
  },
  complete(view, draft) {
    supply(draft, "operation", "chat", "lmnr.span.type");
    supplyText(view, draft, "prompt", ["lmnr.span.input"]);
    supplyText(view, draft, "response", ["lmnr.span.output"]);
  },
};

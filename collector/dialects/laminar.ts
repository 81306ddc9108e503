import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed, gatherFlattened } from "./flattened.ts";
import { builtOf, type GenerationDraft, supply } from "./generation-draft.ts";
import { isObject, stringOf } from "./json.ts";
import { supplyCostParts } from "./sent-cost.ts";
import { supplyText } from "./span-facts.ts";

const PROPERTIES = "lmnr.association.properties.";

/** Laminar: the conventions, with the type, input and output of its spans in `lmnr.span.*`. */
export const laminar: Dialect = {
  name: "laminar",
  signs: ["lmnr."],
  sources: {
    userId: [`${PROPERTIES}user_id`],
    conversationId: [`${PROPERTIES}session_id`],
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
    supplyCostParts(view, draft, ["gen_ai.usage.input_cost", "gen_ai.usage.output_cost"]);
    supplyMetadata(view, draft);
  },
};

/** What the application tied to its trace: metadata by name, tags, and its kind of trace. */
function supplyMetadata(view: SpanView, draft: GenerationDraft): void {
  const properties = gatherFlattened(view, PROPERTIES);
  if (!isObject(properties)) return;
  const { user_id: _user, session_id: _session, metadata, ...own } = properties;
  const said = { ...own, ...(isObject(metadata) ? metadata : {}) };
  if (Object.keys(said).length > 0) builtOf(draft).metadata = { ...said, ...builtOf(draft).metadata };
}

import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { supply } from "./generation-draft.ts";
import { stringOf } from "./json.ts";
import { supplyText } from "./span-facts.ts";

/**
 * Bare names that agents and pipelines without a dialect of their own use (smolagents, Pipecat). They are ordinary names of applications too, so
 * they never make a call of a span: they only complete one that the conventions know as a call and no other dialect speaks of.
 */
export const generic: Dialect = {
  name: "semconv",
  signs: ["input", "output", "input.value", "output.value", "model", "thread_id", "prompt"],
  sources: {},
  classify: () => undefined,
  complete(view, draft) {
    supply(draft, "model", stringOf(attributeNamed(view, "model")), "model");
    supply(draft, "conversationId", stringOf(attributeNamed(view, "thread_id")), "thread_id");
    supplyText(view, draft, "prompt", ["input.value", "input", "prompt"]);
    supplyText(view, draft, "response", ["output.value", "output"]);
  },
};

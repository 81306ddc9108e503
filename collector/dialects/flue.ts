import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { supply, supplyContent } from "./generation-draft.ts";
import { at, openJson, stringOf } from "./json.ts";
import { promptContent, readProviderRequest, supplyRequestFacts } from "./provider-requests.ts";
import { supplyText } from "./span-facts.ts";

const INPUT = "flue.turn.input";

/** Flue: the conventions on the turns of a model, whose conversation stands in two JSON texts of its own; tools, tasks and workflows lie around. */
export const flue: Dialect = {
  name: "flue",
  signs: ["flue."],
  sources: {},
  classify: (view) =>
    ["flue.tool.", "flue.task.", "flue.workflow."].some((kind) => hasName(view, kind)) && attributeNamed(view, INPUT) === undefined
      ? "wrapper"
      : undefined,
  complete(view, draft) {
    const input = openJson(attributeNamed(view, INPUT));
    supply(draft, "systemInstructions", stringOf(at(input, "systemPrompt")), INPUT);
    supplyContent(draft, "prompt", promptContent(readProviderRequest(input)), INPUT);
    supplyRequestFacts(draft, input, INPUT);
    supply(draft, "reasoningLevel", stringOf(attributeNamed(view, "flue.reasoning")), "flue.reasoning");
    supplyText(view, draft, "prompt", [INPUT]);
    supplyText(view, draft, "response", ["flue.turn.output"]);
  },
};

function hasName({ attributes }: Parameters<Dialect["classify"]>[0], prefix: string): boolean {
  for (let i = 0; i < attributes.count; i++) if (attributes.name(i).startsWith(prefix)) return true;
  return false;
}

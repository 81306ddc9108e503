import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { hasConcept, supply } from "./generation-draft.ts";
import { numberOf, openJson, stringOf } from "./json.ts";
import { providerOf } from "./providers.ts";
import { supplyRequestParameters } from "./request-parameters.ts";
import { supplyText } from "./span-facts.ts";

/** What its spans are; the type of the entity is the agent's on all spans below an agent, so a span's own type comes first. */
const CALL = "llm";
const WRAPPERS: ReadonlySet<string> = new Set([
  "agent",
  "tool",
  "memory",
  "workflow",
  "workflow-step",
  "retriever",
  "guardrail",
  "middleware",
]);

/** VoltAgent: bare names, which mean something only beside the kind of its spans. */
export const voltagent: Dialect = {
  name: "voltagent",
  signs: ["voltagent.", "entity.type", "llm.messages", "agent.messages"],
  sources: { conversationId: ["voltagent.conversation_id"] },
  classify(view, draft) {
    const type = stringOf(openJson(attributeNamed(view, "span.type"))) ?? stringOf(openJson(attributeNamed(view, "entity.type")));
    if (type === CALL) return "call";
    // Its wrappers name no operation of the conventions; a call that does is one, whatever type of entity its application speaks of.
    return type !== undefined && WRAPPERS.has(type) && !hasConcept(draft, "operation") ? "wrapper" : undefined;
  },
  complete(view, draft) {
    if (this.classify(view, draft) !== "call") return;
    supply(draft, "operation", "chat", "span.type");
    supply(draft, "model", stringOf(attributeNamed(view, "llm.model")), "llm.model");
    supply(draft, "provider", providerOf(stringOf(attributeNamed(view, "llm.provider"))), "llm.provider");
    supplyRequestParameters(draft, Object.fromEntries(SETTINGS.map((name) => [name, attributeNamed(view, `llm.${name}`)])), "llm");
    for (const [concept, name] of COUNTS) {
      for (const prefix of ["usage.", "llm.usage."]) supply(draft, concept, numberOf(attributeNamed(view, prefix + name)), prefix + name);
    }
    supplyText(view, draft, "prompt", ["llm.messages", "agent.messages", "input"]);
    supplyText(view, draft, "response", ["output"]);
  },
};

const SETTINGS = ["temperature", "top_p", "top_k", "max_output_tokens", "frequency_penalty", "presence_penalty", "seed"];
const COUNTS = [
  ["inputTokens", "prompt_tokens"],
  ["outputTokens", "completion_tokens"],
  ["totalTokens", "total_tokens"],
] as const;

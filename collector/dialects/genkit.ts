import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { supply, supplyContent } from "./generation-draft.ts";
import { at, isObject, numberOf, openJson, stringOf } from "./json.ts";
import { messagesContent, normalizeFinishReason, toMessage, toMessageList } from "./messages.ts";
import { providerOf } from "./providers.ts";
import { supplyRequestParameters } from "./request-parameters.ts";

const CALLS: ReadonlyMap<string, string> = new Map([
  ["model", "chat"],
  ["embedder", "embeddings"],
]);

/** Firebase Genkit: everything in three JSON strings; its output counts include thoughts. */
export const genkit: Dialect = {
  name: "genkit",
  signs: ["genkit:"],
  sources: {},
  classify(view) {
    const subtype = stringOf(attributeNamed(view, "genkit:metadata:subtype"));
    if (subtype === undefined && attributeNamed(view, "genkit:type") === undefined) return undefined;
    return CALLS.has(subtype ?? "") ? "call" : "wrapper";
  },
  complete(view, draft) {
    const operation = CALLS.get(stringOf(attributeNamed(view, "genkit:metadata:subtype")) ?? "");
    if (operation === undefined) return;
    supply(draft, "operation", operation, "genkit:metadata:subtype");
    const name = stringOf(attributeNamed(view, "genkit:name"));
    // "googleai/gemini-2.5-flash": the plugin, then the model.
    supply(draft, "model", name?.slice(name.indexOf("/") + 1), "genkit:name");
    if (name?.includes("/") === true) supply(draft, "provider", providerOf(name.slice(0, name.indexOf("/"))), "genkit:name");
    const input = openJson(attributeNamed(view, "genkit:input"));
    const output = openJson(attributeNamed(view, "genkit:output"));
    if (isObject(input)) {
      if (Array.isArray(input["messages"]))
        supplyContent(draft, "prompt", messagesContent(toMessageList(input["messages"].map(renamed), "user")), "genkit:input");
      supplyRequestParameters(draft, input["config"], "genkit:input");
      if (Array.isArray(input["tools"]) && input["tools"].length > 0)
        supply(draft, "toolDefinitions", JSON.stringify(input["tools"]), "genkit:input");
    }
    const message = at(output, "message");
    const reason = stringOf(at(output, "finishReason"));
    if (isObject(message)) {
      const told = toMessage(renamed(message), "assistant");
      const ended = reason === undefined ? told : { ...told, finish_reason: normalizeFinishReason(reason) };
      supplyContent(draft, "response", messagesContent([ended]), "genkit:output");
    }
    supply(draft, "finishReasons", reason, "genkit:output");
    supply(draft, "inputTokens", numberOf(at(output, "usage", "inputTokens")), "genkit:output");
    supply(draft, "outputTokens", numberOf(at(output, "usage", "outputTokens")), "genkit:output");
    supply(draft, "totalTokens", numberOf(at(output, "usage", "totalTokens")), "genkit:output");
    supply(draft, "reasoningTokens", numberOf(at(output, "usage", "thoughtsTokens")), "genkit:output");
    supply(draft, "cacheReadTokens", numberOf(at(output, "usage", "cachedContentTokens")), "genkit:output");
    if (stringOf(attributeNamed(view, "genkit:state")) === "error") supply(draft, "errorType", "error", "genkit:state");
  },
};

/** Its messages hold their parts under `content`, each told by its only key. */
const renamed = (message: unknown): unknown =>
  isObject(message) && Array.isArray(message["content"]) ? { ...message, parts: message["content"], content: undefined } : message;

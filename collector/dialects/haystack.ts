import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { supply, supplyContent } from "./generation-draft.ts";
import { at, numberOf, openJson, stringOf } from "./json.ts";
import { messagesContent, toMessageList } from "./messages.ts";
import { supplyProviderRequest } from "./provider-requests.ts";

/** Haystack: components with their input and output; the counts stand in the meta of each reply. */
export const haystack: Dialect = {
  name: "haystack",
  signs: ["haystack."],
  sources: {},
  classify(view) {
    const type = stringOf(attributeNamed(view, "haystack.component.type"));
    if (type === undefined) return attributeNamed(view, "haystack.pipeline.input_data") === undefined ? undefined : "wrapper";
    return /Generator$|Embedder$/.test(type) ? "call" : "wrapper";
  },
  complete(view, draft) {
    const type = stringOf(attributeNamed(view, "haystack.component.type")) ?? "";
    supply(draft, "operation", type.endsWith("Embedder") ? "embeddings" : "chat", "haystack.component.type");
    const input = openJson(attributeNamed(view, "haystack.component.input"));
    const output = openJson(attributeNamed(view, "haystack.component.output"));
    supplyProviderRequest(draft, input, "haystack.component.input");
    const replies = at(output, "replies");
    if (Array.isArray(replies))
      supplyContent(draft, "response", messagesContent(toMessageList(replies, "assistant")), "haystack.component.output");
    const meta = at(replies, 0, "meta") ?? at(replies, 0, "_meta") ?? at(output, "meta", 0);
    supply(draft, "model", stringOf(at(meta, "model")), "haystack.component.output");
    supply(draft, "finishReasons", stringOf(at(meta, "finish_reason")), "haystack.component.output");
    supply(
      draft,
      "inputTokens",
      numberOf(at(meta, "usage", "prompt_tokens") ?? at(meta, "usage", "input_tokens")),
      "haystack.component.output",
    );
    supply(
      draft,
      "outputTokens",
      numberOf(at(meta, "usage", "completion_tokens") ?? at(meta, "usage", "output_tokens")),
      "haystack.component.output",
    );
  },
};

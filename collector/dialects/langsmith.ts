import { CONCEPT } from "../model/concept.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { supply, supplyContent } from "./generation-draft.ts";
import { at, numberOf, openJson, stringOf } from "./json.ts";
import { messagesContent, toMessageList } from "./messages.ts";

/** LangSmith over OpenTelemetry: runs as `gen_ai.prompt` and `gen_ai.completion` in LangChain's serialisation. */
export const langsmith: Dialect = {
  name: "langsmith",
  signs: ["langsmith."],
  sources: {
    model: ["langsmith.metadata.ls_model_name"],
    provider: ["langsmith.metadata.ls_provider"],
    temperature: ["langsmith.metadata.ls_temperature"],
    conversationId: ["langsmith.metadata.thread_id", "langsmith.metadata.session_id"],
  },
  classify(view) {
    const kind = stringOf(attributeNamed(view, "langsmith.span.kind"));
    if (kind === undefined) return undefined;
    return kind === "llm" || kind === "embedding" ? "call" : "wrapper";
  },
  complete(view, draft) {
    supply(
      draft,
      "operation",
      stringOf(attributeNamed(view, "langsmith.span.kind")) === "embedding" ? "embeddings" : "chat",
      "langsmith.span.kind",
    );
    const generations = at(openJson(attributeNamed(view, "gen_ai.completion")), "generations", 0, 0, "message");
    if (generations !== undefined) {
      draft.attribute[CONCEPT.legacyCompletion] = -1;
      supplyContent(draft, "response", messagesContent(toMessageList([generations], "assistant")), "gen_ai.completion");
    }
    const usage = openJson(attributeNamed(view, "langsmith.usage_metadata"));
    supply(draft, "inputTokens", numberOf(at(usage, "input_tokens")), "langsmith.usage_metadata");
    supply(draft, "outputTokens", numberOf(at(usage, "output_tokens")), "langsmith.usage_metadata");
    supply(draft, "totalTokens", numberOf(at(usage, "total_tokens")), "langsmith.usage_metadata");
    const read =
      at(usage, "input_token_details", "cache_read") ??
      at(openJson(attributeNamed(view, "gen_ai.usage.input_token_details")), "cache_read");
    supply(draft, "cacheReadTokens", numberOf(read), "langsmith.usage_metadata");
    const reasoning =
      at(usage, "output_token_details", "reasoning") ??
      at(openJson(attributeNamed(view, "gen_ai.usage.output_token_details")), "reasoning");
    supply(draft, "reasoningTokens", numberOf(reasoning), "langsmith.usage_metadata");
  },
};

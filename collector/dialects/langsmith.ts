import { CONCEPT } from "../model/concept.ts";
import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed, gatherFlattened } from "./flattened.ts";
import { builtOf, conceptText, type GenerationDraft, supply, supplyContent, withdraw } from "./generation-draft.ts";
import { at, isObject, numberOf, openJson, stringOf } from "./json.ts";
import { messagesContent, toMessageList } from "./messages.ts";
import { supplyProviderResponse } from "./provider-answers.ts";
import { supplyProviderRequest } from "./provider-requests.ts";
import { isFramework } from "./providers.ts";
import { supplyStreaming } from "./request-parameters.ts";

const METADATA = "langsmith.metadata.";
const USAGE = "langsmith.usage_metadata";

/** LangSmith over OpenTelemetry: inputs and outputs of runs as `gen_ai.prompt` and `gen_ai.completion`, in LangChain's serialisation or as sent. */
export const langsmith: Dialect = {
  name: "langsmith",
  signs: ["langsmith."],
  sources: {
    model: [`${METADATA}ls_model_name`],
    provider: [`${METADATA}ls_provider`],
    temperature: [`${METADATA}ls_temperature`],
    maxTokens: [`${METADATA}ls_max_tokens`],
    // langsmith.trace.session_id is the name of a project.
    conversationId: [`${METADATA}thread_id`, `${METADATA}session_id`],
  },
  classify(view) {
    const kind = stringOf(attributeNamed(view, "langsmith.span.kind"));
    if (kind === undefined) return undefined;
    return kind === "llm" || kind === "embedding" ? "call" : "wrapper";
  },
  complete(view, draft) {
    const embedding = attributeNamed(view, "langsmith.span.kind") === "embedding";
    supply(draft, "operation", embedding ? "embeddings" : "chat", "langsmith.span.kind");
    supplyContents(view, draft);
    supplyUsage(view, draft);
    supplyMetadata(view, draft);
    supplyStreaming(view, draft, ["langsmith.request.streaming"]);
  },
};

function supplyContents(view: SpanView, draft: GenerationDraft): void {
  supplyProviderRequest(draft, openJson(attributeNamed(view, "gen_ai.prompt")), "gen_ai.prompt");
  const outputs = openJson(attributeNamed(view, "gen_ai.completion"));
  const generated = at(outputs, "generations", 0, 0, "message") ?? at(outputs, "generations", 0, "message");
  if (generated === undefined) {
    supplyProviderResponse(draft, outputs, "gen_ai.completion");
    return;
  }
  draft.attribute[CONCEPT.legacyCompletion] = -1;
  supplyContent(draft, "response", messagesContent(toMessageList([generated], "assistant")), "gen_ai.completion");
}

function supplyUsage(view: SpanView, draft: GenerationDraft): void {
  const usage = openJson(attributeNamed(view, USAGE));
  const input = at(usage, "input_token_details") ?? openJson(attributeNamed(view, "gen_ai.usage.input_token_details"));
  const output = at(usage, "output_token_details") ?? openJson(attributeNamed(view, "gen_ai.usage.output_token_details"));
  supply(draft, "inputTokens", numberOf(at(usage, "input_tokens")), USAGE);
  supply(draft, "outputTokens", numberOf(at(usage, "output_tokens")), USAGE);
  supply(draft, "totalTokens", numberOf(at(usage, "total_tokens")), USAGE);
  supply(draft, "cacheReadTokens", numberOf(at(input, "cache_read")), USAGE);
  supply(draft, "cacheWriteTokens", numberOf(at(input, "cache_creation")), USAGE);
  supply(draft, "reasoningTokens", numberOf(at(output, "reasoning")), USAGE);
}

function supplyMetadata(view: SpanView, draft: GenerationDraft): void {
  const metadata = gatherFlattened(view, METADATA);
  if (isFramework(conceptText(view, draft, "provider"))) withdraw(draft, "provider");
  supply(draft, "provider", stringOf(attributeNamed(view, `${METADATA}ls_provider`)), `${METADATA}ls_provider`);
  const own = isObject(metadata) ? Object.entries(metadata).filter(([name]) => !name.startsWith("ls_")) : [];
  const tags = stringOf(attributeNamed(view, "langsmith.span.tags"));
  if (tags !== undefined) own.push(["tags", tags.split(",").map((tag) => tag.trim())]);
  if (own.length === 0) return;
  const built = builtOf(draft);
  built.metadata = { ...Object.fromEntries(own), ...built.metadata };
}

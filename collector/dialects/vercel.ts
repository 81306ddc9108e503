import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { builtOf, conceptText, type GenerationDraft, hasConcept, override, supply, supplyContent } from "./generation-draft.ts";
import { at, isObject, type Json, numberOf, openJson, parseJson, stringOf } from "./json.ts";
import { contentParts, type Part, toolCallPart } from "./message-parts.ts";
import { messagesContent, normalizeFinishReason, toMessageList } from "./messages.ts";
import { providerOf } from "./providers.ts";
import { supplyRequestParameters } from "./request-parameters.ts";

/** Spans of one call to a model; the spans around them repeat its usage. */
const CALL = /\.(doGenerate|doStream|doEmbed|doRerank)$/;

/** The Vercel AI SDK's own attributes (`ai.*`, SDK 3 to 6, and the legacy integration of 7). Its newer ones are the conventions. */
export const vercel: Dialect = {
  name: "vercel-ai",
  signs: ["ai.operationId", "ai.model.", "ai.response.", "ai.usage.", "ai.prompt", "ai.prompt."],
  sources: {
    model: ["ai.model.id"],
    responseModel: ["ai.response.model"],
    responseId: ["ai.response.id"],
    inputTokens: ["ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"],
    outputTokens: ["ai.usage.outputTokens", "ai.usage.completionTokens"],
    totalTokens: ["ai.usage.totalTokens"],
    reasoningTokens: ["ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens"],
    cacheReadTokens: ["ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens"],
    cacheWriteTokens: ["ai.usage.inputTokenDetails.cacheWriteTokens"],
    finishReasons: ["ai.response.finishReason", "gen_ai.finishReason"],
    temperature: ["ai.settings.temperature"],
    topP: ["ai.settings.topP"],
    topK: ["ai.settings.topK"],
    maxTokens: ["ai.settings.maxOutputTokens", "ai.settings.maxTokens"],
    seed: ["ai.settings.seed"],
    frequencyPenalty: ["ai.settings.frequencyPenalty"],
    presencePenalty: ["ai.settings.presencePenalty"],
    userId: ["ai.telemetry.metadata.userId", "ai.telemetry.metadata.user_id"],
    conversationId: ["ai.telemetry.metadata.sessionId", "ai.telemetry.metadata.session_id"],
    timeToFirstTokenSeconds: ["gen_ai.client.operation.time_to_first_chunk"],
  },
  classify(view) {
    const id = operationId(view);
    if (id === undefined || !id.startsWith("ai.")) return undefined;
    return CALL.test(id) ? "call" : "wrapper";
  },
  complete(view, draft) {
    const id = operationId(view);
    if (id !== undefined)
      supply(draft, "operation", id.endsWith("doEmbed") ? "embeddings" : id.endsWith("doRerank") ? "rerank" : "chat", "ai.operationId");
    const provider = providerOf(stringOf(attributeNamed(view, "ai.model.provider")) ?? conceptText(view, draft, "provider"));
    if (provider !== undefined && id !== undefined) override(draft, "provider", provider, "ai.model.provider");
    const millis = numberOf(attributeNamed(view, "ai.response.msToFirstChunk") ?? attributeNamed(view, "ai.stream.msToFirstChunk"));
    if (millis !== undefined) supply(draft, "timeToFirstTokenSeconds", millis / 1000, "ai.response.msToFirstChunk");
    supplyPrompt(view, draft);
    supplyResponse(view, draft);
    supplyTools(view, draft);
    supplyMetadata(view, draft);
  },
};

const operationId = (view: SpanView): string | undefined => stringOf(attributeNamed(view, "ai.operationId"));

function supplyPrompt(view: SpanView, draft: GenerationDraft): void {
  const text = stringOf(attributeNamed(view, "ai.prompt.messages"));
  if (text !== undefined) {
    const list = parseJson(text);
    const content = list === undefined ? { text, format: "text" as const } : messagesContent(toMessageList(list, "user"));
    supplyContent(draft, "prompt", content, "ai.prompt.messages");
  }
  const values = openJson(attributeNamed(view, "ai.values") ?? attributeNamed(view, "ai.value"));
  const inputs = Array.isArray(values) ? values.map((value) => openJson(value)) : values;
  if (inputs !== undefined) {
    const whole = Array.isArray(inputs) && inputs.length === 1 ? inputs[0] : inputs;
    supplyContent(draft, "prompt", { text: typeof whole === "string" ? whole : JSON.stringify(whole), format: "text" }, "ai.values");
  }
}

/** Text, reasoning, tool calls and files stand in attributes of their own. */
function supplyResponse(view: SpanView, draft: GenerationDraft): void {
  const parts: Part[] = [];
  const reasoning = stringOf(attributeNamed(view, "ai.response.reasoning"));
  if (reasoning !== undefined) parts.push({ type: "reasoning", content: reasoning });
  const text = firstText(view, ["ai.response.text", "ai.result.text", "ai.response.object", "ai.result.object"]);
  if (text !== undefined) parts.push({ type: "text", content: text });
  const calls = openJson(attributeNamed(view, "ai.response.toolCalls") ?? attributeNamed(view, "ai.result.toolCalls"));
  if (Array.isArray(calls)) parts.push(...calls.map(toolCallPart));
  const files = openJson(attributeNamed(view, "ai.response.files"));
  if (Array.isArray(files)) parts.push(...files.flatMap((file: Json) => contentParts(isObject(file) ? { type: "file", ...file } : file)));
  if (parts.length === 0) return;
  const reason = stringOf(attributeNamed(view, "ai.response.finishReason"));
  const message = { role: "assistant", parts, ...(reason === undefined ? {} : { finish_reason: normalizeFinishReason(reason) }) };
  supplyContent(draft, "response", messagesContent([message]), "ai.response");
}

const firstText = (view: SpanView, names: readonly string[]): string | undefined =>
  names.map((name) => stringOf(attributeNamed(view, name))).find((text) => text !== undefined);

/** Tools are a list of JSON texts. */
function supplyTools(view: SpanView, draft: GenerationDraft): void {
  const tools = openJson(attributeNamed(view, "ai.prompt.tools"));
  if (Array.isArray(tools)) supply(draft, "toolDefinitions", JSON.stringify(tools.map((tool) => openJson(tool))), "ai.prompt.tools");
  const choice = openJson(attributeNamed(view, "ai.prompt.toolChoice"));
  if (choice !== undefined) supplyRequestParameters(draft, { tool_choice: choice }, "ai.prompt.toolChoice");
}

/** What only the provider's own part of the answer tells, and the prompt that a Langfuse user named. */
function supplyMetadata(view: SpanView, draft: GenerationDraft): void {
  const metadata = openJson(attributeNamed(view, "ai.response.providerMetadata"));
  if (isObject(metadata)) {
    const write = numberOf(
      at(metadata, "anthropic", "usage", "cache_creation_input_tokens") ?? at(metadata, "anthropic", "cacheCreationInputTokens"),
    );
    supply(draft, "cacheWriteTokens", write, "ai.response.providerMetadata");
    const read = at(metadata, "openai", "cachedPromptTokens") ?? at(metadata, "bedrock", "usage", "cacheReadInputTokens");
    supply(draft, "cacheReadTokens", numberOf(read), "ai.response.providerMetadata");
    const cost = numberOf(at(metadata, "gateway", "cost"));
    if (cost !== undefined && !hasConcept(draft, "costAmount")) {
      supply(draft, "costAmount", cost, "ai.response.providerMetadata");
      supply(draft, "costCurrency", "USD", "ai.response.providerMetadata");
    }
    builtOf(draft).metadata = { ...builtOf(draft).metadata, provider_metadata: metadata };
  }
  const prompt = openJson(attributeNamed(view, "ai.telemetry.metadata.langfusePrompt"));
  supply(draft, "promptName", stringOf(at(prompt, "name")), "ai.telemetry.metadata.langfusePrompt");
  const version = at(prompt, "version");
  supply(draft, "promptVersion", version === undefined ? undefined : String(version), "ai.telemetry.metadata.langfusePrompt");
}

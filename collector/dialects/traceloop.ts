import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed, gatherFlattened, gatherList } from "./flattened.ts";
import { builtOf, conceptText, type GenerationDraft, override, supply, supplyContent, withdraw } from "./generation-draft.ts";
import { at, isObject, type Json, numberOf, openJson, stringOf } from "./json.ts";
import { toolCallPart } from "./message-parts.ts";
import { type Message, messagesContent, normalizeFinishReason, toMessage } from "./messages.ts";
import { isFramework } from "./providers.ts";
import { supplyStreaming } from "./request-parameters.ts";

/** llm.request.type in the words of the conventions. */
const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ["chat", "chat"],
  ["completion", "text_completion"],
  ["embedding", "embeddings"],
  ["rerank", "rerank"],
]);

/** What the application tied to its work; its LangChain instrumentation puts LangChain's metadata here. */
const PROPERTIES = "traceloop.association.properties.";

/** OpenLLMetry (Traceloop): today the conventions plus `traceloop.*`; before, and where spans are made by hand, `gen_ai.prompt.N.*` and `llm.*`. */
export const traceloop: Dialect = {
  name: "traceloop",
  signs: [
    "traceloop.",
    "llm.request.",
    "llm.usage.",
    "gen_ai.prompt.0.",
    "llm.is_streaming",
    "gen_ai.is_streaming",
    "gen_ai.completion.0.",
    "gen_ai.request.image.",
  ],
  sources: {
    operation: ["gen_ai.request.type"],
    totalTokens: ["llm.usage.total_tokens"],
    reasoningTokens: ["gen_ai.usage.reasoning_tokens", "llm.usage.reasoning_tokens"],
    cacheReadTokens: ["gen_ai.usage.cache_read_input_tokens"],
    cacheWriteTokens: ["gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_write_input_tokens"],
    frequencyPenalty: ["llm.frequency_penalty"],
    presencePenalty: ["llm.presence_penalty"],
    topK: ["llm.top_k"],
    stopSequences: ["llm.chat.stop_sequences"],
    maxTokens: ["gen_ai.request.max_completion_tokens"],
    reasoningLevel: ["gen_ai.request.reasoning_effort"],
    finishReasons: ["gen_ai.response.finish_reason", "gen_ai.response.stop_reason"],
    promptName: ["traceloop.prompt.key"],
    promptVersion: ["traceloop.prompt.version", "traceloop.prompt.version_name", "traceloop.prompt.version_hash"],
    conversationId: [`${PROPERTIES}session_id`, `${PROPERTIES}sessionId`, `${PROPERTIES}thread_id`],
    userId: [`${PROPERTIES}user_id`, `${PROPERTIES}userId`, "gen_ai.user", "llm.user"],
  },
  classify(view) {
    if (attributeNamed(view, "traceloop.span.kind") !== undefined) return "wrapper";
    return OPERATIONS.has(stringOf(attributeNamed(view, "llm.request.type")) ?? "") ? "call" : undefined;
  },
  complete(view, draft) {
    supply(draft, "operation", OPERATIONS.get(stringOf(attributeNamed(view, "llm.request.type")) ?? ""), "llm.request.type");
    supplyIndexed(view, draft);
    supplyStreaming(view, draft, ["llm.is_streaming", "gen_ai.is_streaming"]);
    const functions = gatherList(view, "llm.request.functions.");
    if (functions.length > 0) supply(draft, "toolDefinitions", JSON.stringify(functions.map(definition)), "llm.request.functions");
    const variables = openJson(attributeNamed(view, "traceloop.prompt.template_variables"));
    if (isObject(variables)) builtOf(draft).variables ??= variables;
    supplyProperties(view, draft);
    const revised = stringOf(attributeNamed(view, "gen_ai.response.revised_prompt"));
    if (revised !== undefined) builtOf(draft).metadata = { revised_prompt: revised, ...builtOf(draft).metadata };
    // Its token counts of image calls come from a table of sizes and qualities, not from the provider.
    if (conceptText(view, draft, "operation") === "image_generation") draft.tokensEstimated = true;
  },
};

function supplyProperties(view: SpanView, draft: GenerationDraft): void {
  const properties = gatherFlattened(view, PROPERTIES);
  if (!isObject(properties)) return;
  const asked = stringOf(properties["ls_model_name"]);
  if (asked !== undefined && conceptText(view, draft, "model") === "unknown") override(draft, "model", asked, `${PROPERTIES}ls_model_name`);
  supply(draft, "model", asked, `${PROPERTIES}ls_model_name`);
  if (isFramework(conceptText(view, draft, "provider"))) withdraw(draft, "provider");
  supply(draft, "provider", stringOf(properties["ls_provider"]), `${PROPERTIES}ls_provider`);
  supply(draft, "temperature", numberOf(properties["ls_temperature"]), `${PROPERTIES}ls_temperature`);
  const built = builtOf(draft);
  const own = Object.entries(properties).filter(([name]) => !/^(ls_|(user|session|thread)_?id$)/i.test(name));
  if (own.length > 0) built.metadata = { ...Object.fromEntries(own), ...built.metadata };
}

/** `gen_ai.prompt.0.role`, `gen_ai.completion.0.content`, … */
function supplyIndexed(view: SpanView, draft: GenerationDraft): void {
  const completion = messagesIn(gatherList(view, "gen_ai.completion."), "assistant");
  supplyContent(draft, "prompt", () => messagesContent(messagesIn(gatherList(view, "gen_ai.prompt."), "user")), "gen_ai.prompt");
  supplyContent(draft, "response", messagesContent(completion), "gen_ai.completion");
  const reasons = [...new Set(completion.map(({ finish_reason }) => finish_reason).filter((reason) => reason !== undefined))];
  if (reasons.length > 0) supply(draft, "finishReasons", reasons.join(","), "gen_ai.completion");
}

function messagesIn(list: readonly Json[], role: string): Message[] {
  return list.filter(isObject).map((entry) => readMessage(entry, role));
}

function readMessage(entry: Json, role: string): Message {
  const content = at(entry, "content");
  const opened = typeof content === "string" && /^\s*\[\s*\{/.test(content) ? openJson(content) : content;
  const message = toMessage({ role: at(entry, "role") ?? role, content: opened, tool_call_id: at(entry, "tool_call_id") }, role);
  const calls = at(entry, "tool_calls");
  if (Array.isArray(calls)) message.parts.push(...calls.map(toolCallPart));
  const reason = stringOf(at(entry, "finish_reason"));
  return reason === undefined ? message : { ...message, finish_reason: normalizeFinishReason(reason) };
}

/** Parameters of a function came as JSON text. */
const definition = (entry: Json): Json => (isObject(entry) ? { ...entry, parameters: openJson(entry["parameters"]) } : entry);

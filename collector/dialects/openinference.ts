import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect, SpanRole } from "./dialect.ts";
import { attributeNamed, gatherFlattened } from "./flattened.ts";
import { builtOf, type GenerationDraft, hasConcept, override, supply, supplyContent } from "./generation-draft.ts";
import { at, isObject, type Json, openJson, parseJson, stringOf } from "./json.ts";
import { type Part, toolCallPart } from "./message-parts.ts";
import { type Message, messagesContent, normalizeFinishReason, toMessage } from "./messages.ts";
import { supplyProviderRequest, supplyProviderResponse } from "./provider-bodies.ts";
import { supplyRequestParameters } from "./request-parameters.ts";

/** OpenInference kinds that are a model call; every other kind is around calls. */
const CALLS: ReadonlyMap<string, string> = new Map([
  ["LLM", "chat"],
  ["EMBEDDING", "embeddings"],
]);

/** What hidden content is replaced by. */
const REDACTED = "__REDACTED__";

/** OpenInference (Arize): `openinference.span.kind`, everything under `llm.*`, messages flattened to one attribute per field. */
export const openinference: Dialect = {
  name: "openinference",
  signs: ["openinference."],
  sources: {
    responseModel: ["llm.response.model_name"],
    model: ["llm.request.model_name"],
    provider: ["llm.provider", "llm.system"],
    inputTokens: ["llm.token_count.prompt"],
    outputTokens: ["llm.token_count.completion"],
    totalTokens: ["llm.token_count.total"],
    cacheReadTokens: ["llm.token_count.prompt_details.cache_read"],
    cacheWriteTokens: ["llm.token_count.prompt_details.cache_write"],
    reasoningTokens: ["llm.token_count.completion_details.reasoning"],
    costAmount: ["llm.cost.total"],
    finishReasons: ["llm.finish_reason"],
    promptVersion: ["llm.prompt_template.version"],
    promptName: ["prompt.id"],
    conversationId: ["session.id"],
  },
  classify(view) {
    const kind = stringOf(attributeNamed(view, "openinference.span.kind"))?.toUpperCase();
    if (kind === undefined) return undefined;
    return CALLS.has(kind) ? "call" : ("wrapper" satisfies SpanRole);
  },
  complete(view, draft) {
    const kind = stringOf(attributeNamed(view, "openinference.span.kind"))?.toUpperCase() ?? "LLM";
    supply(draft, "operation", CALLS.get(kind), "openinference.span.kind");
    if (kind === "EMBEDDING") completeEmbedding(view, draft);
    else completeCall(view, draft);
    const variables = openJson(attributeNamed(view, "llm.prompt_template.variables"));
    if (isObject(variables)) builtOf(draft).variables ??= variables;
    const metadata = openJson(attributeNamed(view, "metadata"));
    if (isObject(metadata)) builtOf(draft).metadata ??= metadata;
    if (hasConcept(draft, "costAmount")) supply(draft, "costCurrency", "USD", "llm.cost.total");
  },
};

function completeCall(view: SpanView, draft: GenerationDraft): void {
  const parameters = openJson(attributeNamed(view, "llm.invocation_parameters"));
  supply(draft, "model", stringOf(at(parameters, "model")), "llm.invocation_parameters");
  supplyRequestParameters(draft, parameters, "llm.invocation_parameters");
  // One name for what was asked for and what answered: the answer's where it is known.
  const model = stringOf(attributeNamed(view, "llm.model_name"));
  supply(draft, "responseModel", model, "llm.model_name");
  supply(draft, "model", model, "llm.model_name");
  const input = rawValue(view, "input");
  const output = rawValue(view, "output");
  // Where attributes were dropped, the flattened messages are the first ones only.
  if (view.droppedAttributesCount > 0) supplyProviderRequest(draft, input.json, "input.value");
  supplyMessages(view, draft);
  supplyTools(view, draft);
  if (input.redacted || output.redacted) draft.contentRedacted = true;
  supplyProviderRequest(draft, input.json, "input.value");
  supplyProviderResponse(draft, output.json, "output.value");
  if (input.text !== undefined) supplyContent(draft, "prompt", { text: input.text, format: "text" }, "input.value");
  if (output.text !== undefined) supplyContent(draft, "response", { text: output.text, format: "text" }, "output.value");
}

function supplyMessages(view: SpanView, draft: GenerationDraft): void {
  const input = messagesIn(gatherFlattened(view, "llm.input_messages."), "user");
  const output = messagesIn(gatherFlattened(view, "llm.output_messages."), "assistant");
  const reason = stringOf(attributeNamed(view, "llm.finish_reason"));
  const finished = reason === undefined ? output : output.map((message) => ({ ...message, finish_reason: normalizeFinishReason(reason) }));
  if (input.some(({ parts }) => parts.length > 0)) supplyContent(draft, "prompt", messagesContent(input), "llm.input_messages");
  if (output.some(({ parts }) => parts.length > 0)) supplyContent(draft, "response", messagesContent(finished), "llm.output_messages");
  supplyText(view, draft);
}

/** Text completion: prompts and choices without roles. */
function supplyText(view: SpanView, draft: GenerationDraft): void {
  const prompts = textsIn(gatherFlattened(view, "llm.prompts."), "prompt");
  const choices = textsIn(gatherFlattened(view, "llm.choices."), "completion");
  if (prompts.length > 0) supplyContent(draft, "prompt", { text: prompts.join("\n\n"), format: "text" }, "llm.prompts");
  if (choices.length > 0) supplyContent(draft, "response", { text: choices.join("\n\n"), format: "text" }, "llm.choices");
}

const textsIn = (list: Json, key: string): string[] =>
  Array.isArray(list) ? list.map((entry) => stringOf(at(entry, key, "text"))).filter((text) => text !== undefined) : [];

function messagesIn(list: Json, role: string): Message[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry) => readMessage(at(entry, "message"), role));
}

function readMessage(message: Json, defaultRole: string): Message {
  const given = { role: at(message, "role") ?? defaultRole, content: at(message, "content"), tool_call_id: at(message, "tool_call_id") };
  const read = toMessage(given, defaultRole);
  const contents = at(message, "contents");
  if (Array.isArray(contents)) read.parts.push(...contents.map((entry) => contentPart(at(entry, "message_content"))));
  const calls = at(message, "tool_calls");
  if (Array.isArray(calls)) read.parts.push(...calls.map((entry) => toolCallPart(at(entry, "tool_call"))));
  const legacy = stringOf(at(message, "function_call_name"));
  if (legacy !== undefined) {
    read.parts.push(toolCallPart({ name: legacy, arguments: at(message, "function_call_arguments_json") }));
  }
  return read;
}

function contentPart(content: Json): Part {
  const url = stringOf(at(content, "image", "image", "url"));
  if (url !== undefined) return toMessage({ content: [{ type: "image_url", image_url: url }] }, "user").parts[0] ?? { type: "image" };
  const type = stringOf(at(content, "type"));
  if (type === "reasoning") return { type: "reasoning", content: at(content, "text") ?? "" };
  return { type: "text", content: at(content, "text") ?? "" };
}

function supplyTools(view: SpanView, draft: GenerationDraft): void {
  const tools = gatherFlattened(view, "llm.tools.");
  if (!Array.isArray(tools)) return;
  const schemas = tools.map((entry) => openJson(at(entry, "tool", "json_schema"))).filter((schema) => schema !== undefined);
  if (schemas.length > 0) supply(draft, "toolDefinitions", JSON.stringify(schemas), "llm.tools");
}

/** `input.value` and `output.value`: JSON of the provider, or text. */
function rawValue(view: SpanView, side: "input" | "output"): RawValue {
  const text = stringOf(attributeNamed(view, `${side}.value`));
  if (text === undefined || text === REDACTED) return { json: undefined, text: undefined, redacted: text === REDACTED };
  const json = /^\s*[[{]/.test(text) ? parseJson(text) : undefined;
  return { json, text, redacted: false };
}

interface RawValue {
  readonly json: Json;
  readonly text: string | undefined;
  readonly redacted: boolean;
}

/** Vectors are numbers for machines: the texts are the prompt, and nothing is the response. */
function completeEmbedding(view: SpanView, draft: GenerationDraft): void {
  override(draft, "operation", "embeddings", "openinference.span.kind");
  supply(
    draft,
    "model",
    stringOf(attributeNamed(view, "embedding.model_name")) ?? stringOf(attributeNamed(view, "llm.model_name")),
    "embedding.model_name",
  );
  supplyRequestParameters(draft, openJson(attributeNamed(view, "embedding.invocation_parameters")), "embedding.invocation_parameters");
  const list = gatherFlattened(view, "embedding.embeddings.");
  const texts = Array.isArray(list)
    ? list.map((entry) => stringOf(at(entry, "embedding", "text"))).filter((text) => text !== undefined)
    : [];
  const raw = stringOf(attributeNamed(view, "input.value"));
  const prompt = texts.length > 1 ? JSON.stringify(texts) : (texts[0] ?? raw);
  if (prompt !== undefined && prompt !== REDACTED) supplyContent(draft, "prompt", { text: prompt, format: "text" }, "embedding.embeddings");
}

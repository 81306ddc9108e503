import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed, gatherFlattened } from "./flattened.ts";
import {
  type BuiltContent,
  builtOf,
  conceptText,
  type GenerationDraft,
  hasConcept,
  lacksContent,
  override,
  supply,
  supplyContent,
} from "./generation-draft.ts";
import { at, isObject, type Json, type JsonObject, numberOf, openJson, parseJson, stringOf } from "./json.ts";
import { contentParts, type Part, toolCallPart } from "./message-parts.ts";
import { messagesContent, normalizeFinishReason, toMessageList } from "./messages.ts";
import { promptContent, readProviderRequest } from "./provider-requests.ts";
import { providerOf } from "./providers.ts";
import { supplyRequestParameters } from "./request-parameters.ts";
import { buildFromEvents } from "./semconv-events.ts";
import { secondsToEvent } from "./span-facts.ts";
import { supplyProviderMetadata } from "./vercel-metadata.ts";

/** Spans of one call to a model; the spans around them repeat its usage. */
const CALL = /\.(doGenerate|doStream|doEmbed|doRerank)$/;

/** Scopes of its older and its newer spans. */
const SCOPES = ["ai", "gen_ai"];
const METADATA = "ai.telemetry.metadata.";
const CONTEXT = "ai.settings.context.";

/**
 * The Vercel AI SDK: attributes of its own (`ai.*`, SDK 3 to 6, and the legacy integration of 7); its newer spans are those of the conventions
 * and tell by their scope alone whose they are.
 */
export const vercel: Dialect = {
  name: "vercel-ai",
  signs: ["ai.operationId", "ai.model.", "ai.response.", "ai.usage.", "ai.prompt", "ai.prompt.", "aisdk.model."],
  scopes: SCOPES,
  sources: {
    model: ["ai.model.id", "aisdk.model.id"],
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
    stopSequences: ["ai.settings.stopSequences"],
    maxTokens: ["ai.settings.maxOutputTokens", "ai.settings.maxTokens"],
    seed: ["ai.settings.seed"],
    frequencyPenalty: ["ai.settings.frequencyPenalty"],
    presencePenalty: ["ai.settings.presencePenalty"],
    userId: [`${METADATA}userId`, `${METADATA}user_id`],
    conversationId: [`${METADATA}sessionId`, `${METADATA}session_id`],
    timeToFirstTokenSeconds: ["gen_ai.client.operation.time_to_first_chunk"],
  },
  classify(view) {
    const id = operationId(view);
    if (id === undefined || !id.startsWith("ai.")) return undefined;
    return CALL.test(id) ? "call" : "wrapper";
  },
  complete(view, draft) {
    const id = operationId(view);
    if (id !== undefined) completeOwn(view, draft, id);
    supplyEnding(view, draft);
  },
};

function completeOwn(view: SpanView, draft: GenerationDraft, id: string): void {
  supply(draft, "operation", id.endsWith("doEmbed") ? "embeddings" : id.endsWith("doRerank") ? "rerank" : "chat", "ai.operationId");
  const provider = stringOf(attributeNamed(view, "ai.model.provider")) ?? stringOf(attributeNamed(view, "aisdk.model.provider"));
  const served = providerOf(provider ?? conceptText(view, draft, "provider"));
  if (served !== undefined) override(draft, "provider", served, "ai.model.provider");
  const millis = numberOf(attributeNamed(view, "ai.response.msToFirstChunk") ?? attributeNamed(view, "ai.stream.msToFirstChunk"));
  if (millis !== undefined) supply(draft, "timeToFirstTokenSeconds", millis / 1000, "ai.response.msToFirstChunk");
  else if (view.events.count > 0) supply(draft, "timeToFirstTokenSeconds", secondsToEvent(view, FIRST_CHUNK), FIRST_CHUNK);
  const createdAt = Date.parse(stringOf(attributeNamed(view, "ai.response.timestamp")) ?? "");
  if (createdAt > 0) supply(draft, "responseCreatedAt", Math.floor(createdAt / 1000), "ai.response.timestamp");
  supplyPrompt(view, draft);
  supplyResponse(view, draft);
  supplyTools(view, draft);
  supplyProviderMetadata(view, draft);
  supplyMetadata(view, draft);
}

const FIRST_CHUNK = "ai.stream.firstChunk";
const operationId = (view: SpanView): string | undefined => stringOf(attributeNamed(view, "ai.operationId"));

/**
 * A stream that its reader left ends without a status and without anything of an answer: every answer, even one that is not recorded, has a reason
 * why it ended. Retries are one call, which says in its error how often it was tried.
 */
function supplyEnding(view: SpanView, draft: GenerationDraft): void {
  if (view.events.count > 0) buildFromEvents(view, draft);
  const tries = /^Failed after (\d{1,3}) attempts\b/.exec(draft.built?.errorMessage ?? "");
  if (tries !== null) supply(draft, "resendCount", Number(tries[1]) - 1, "exception.message");
  const answered = (["finishReasons", "responseId", "outputTokens", "outputMessages"] as const).some((concept) =>
    hasConcept(draft, concept),
  );
  if (answered || view.statusCode !== 0 || conceptText(view, draft, "operation") !== "chat") return;
  supply(draft, "errorType", "aborted", "no finish reason");
}

function supplyPrompt(view: SpanView, draft: GenerationDraft): void {
  if (!lacksContent(draft, "prompt")) return;
  const list = openJson(attributeNamed(view, "ai.prompt.messages"));
  if (typeof list === "string" && list !== "") supplyContent(draft, "prompt", { text: list, format: "text" }, "ai.prompt.messages");
  else if (typeof list === "object") supplyContent(draft, "prompt", messagesContent(toMessageList(list, "user")), "ai.prompt.messages");
  else supplyContent(draft, "prompt", promptContent(readProviderRequest(openJson(attributeNamed(view, "ai.prompt")))), "ai.prompt");
  for (const name of ["ai.values", "ai.value", "ai.documents"]) supplyContent(draft, "prompt", valuesOf(view, name), name);
}

/** A value, or a list of values, each of them JSON text; one alone is told as it is. */
function valuesOf(view: SpanView, name: string): BuiltContent | undefined {
  const given = openJson(attributeNamed(view, name));
  if (given === undefined) return undefined;
  const values = Array.isArray(given) ? given.map(opened) : [opened(given)];
  const whole = values.length === 1 ? values[0] : values;
  return { text: typeof whole === "string" ? whole : JSON.stringify(whole), format: "text" };
}

/** Texts are JSON as well: in quotes. */
const opened = (value: Json): Json => (typeof value === "string" ? (parseJson(value) ?? value) : value);

/** Text, reasoning, tool calls and files stand in attributes of their own. */
function supplyResponse(view: SpanView, draft: GenerationDraft): void {
  if (!lacksContent(draft, "response")) return;
  const parts: Part[] = [];
  const reasoning = stringOf(attributeNamed(view, "ai.response.reasoning"));
  if (reasoning !== undefined) parts.push({ type: "reasoning", content: reasoning });
  const text = firstText(view, ["ai.response.text", "ai.result.text", "ai.response.object", "ai.result.object"]);
  if (text !== undefined) parts.push({ type: "text", content: text });
  const calls = openJson(attributeNamed(view, "ai.response.toolCalls") ?? attributeNamed(view, "ai.result.toolCalls"));
  if (Array.isArray(calls)) parts.push(...calls.map(toolCallPart));
  const files = openJson(attributeNamed(view, "ai.response.files"));
  if (Array.isArray(files)) parts.push(...files.flatMap((file: Json) => contentParts(isObject(file) ? { type: "file", ...file } : file)));
  // Vectors of embeddings are no text and are not copied.
  supplyContent(draft, "response", valuesOf(view, "ai.ranking"), "ai.ranking");
  if (parts.length === 0) return;
  const reason = stringOf(attributeNamed(view, "ai.response.finishReason"));
  const message = { role: "assistant", parts, ...(reason === undefined ? {} : { finish_reason: normalizeFinishReason(reason) }) };
  supplyContent(draft, "response", messagesContent([message]), "ai.response");
}

const firstText = (view: SpanView, names: readonly string[]): string | undefined =>
  names.map((name) => stringOf(attributeNamed(view, name))).find((text) => text !== undefined);

/** Tools are a list of JSON texts. */
function supplyTools(view: SpanView, draft: GenerationDraft): void {
  const tools = draft.wraps ? undefined : openJson(attributeNamed(view, "ai.prompt.tools"));
  if (Array.isArray(tools)) supply(draft, "toolDefinitions", listOfTexts(tools), "ai.prompt.tools");
  const choice = openJson(attributeNamed(view, "ai.prompt.toolChoice"));
  if (choice !== undefined) supplyRequestParameters(draft, { tool_choice: choice }, "ai.prompt.toolChoice");
}

/** A list of JSON texts as one; texts of whole objects go over as they are. */
const listOfTexts = (texts: readonly Json[]): string =>
  `[${texts.map((text) => (typeof text === "string" && /^\{.*\}$/s.test(text) ? text : JSON.stringify(openJson(text)))).join(",")}]`;

/** What the application said about the call: its metadata, the context that it let through, its function, and the prompt that it named. */
function supplyMetadata(view: SpanView, draft: GenerationDraft): void {
  const { langfusePrompt, ...metadata } = objectOf(gatherFlattened(view, METADATA));
  const prompt = openJson(langfusePrompt);
  supply(draft, "promptName", stringOf(at(prompt, "name")), `${METADATA}langfusePrompt`);
  const version = at(prompt, "version");
  supply(draft, "promptVersion", version === undefined ? undefined : String(version), `${METADATA}langfusePrompt`);
  const said = { ...objectOf(gatherFlattened(view, CONTEXT)), ...metadata };
  const own = Object.entries(said).filter(([name]) => !/^(user|session)_?id$/i.test(name));
  const functionId = stringOf(attributeNamed(view, "ai.telemetry.functionId"));
  if (functionId !== undefined) own.push(["function_id", functionId]);
  if (own.length > 0) builtOf(draft).metadata = { ...Object.fromEntries(own), ...builtOf(draft).metadata };
}

const objectOf = (value: Json): JsonObject => (isObject(value) ? value : {});

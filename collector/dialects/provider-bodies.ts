import { type BuiltContent, type GenerationDraft, supply, supplyContent } from "./generation-draft.ts";
import { at, isObject, type Json, numberOf, parseJson, stringOf } from "./json.ts";
import { contentFromText, type Message, messagesContent, normalizeFinishReason, toMessage, toMessageList } from "./messages.ts";

/** The body that a provider answered with, as far as its shape is known. */
export interface ProviderResponse {
  readonly messages: readonly Message[];
  readonly finishReason: string | undefined;
}

/** Messages of a provider's answer: OpenAI (chat, text, responses, images), Anthropic, Gemini. Undefined for another shape. */
export function readProviderResponse(body: Json): ProviderResponse | undefined {
  if (!isObject(body)) return undefined;
  if (Array.isArray(body["choices"])) return fromChoices(body["choices"] as Json[]);
  if (Array.isArray(body["output"])) return fromOutputItems(body["output"] as Json[], body);
  if (Array.isArray(body["candidates"])) return fromCandidates(body["candidates"] as Json[]);
  if (Array.isArray(body["content"]) && (body["role"] === "assistant" || body["type"] === "message")) return fromContent(body);
  if (isImageList(body["data"])) return { messages: [imagesMessage(body["data"] as Json[])], finishReason: undefined };
  return undefined;
}

/** Content text of an answer: a provider's body as its messages, anything else as `contentFromText` reads it. */
export function answerFromText(text: string): BuiltContent {
  const answer = /^\s*\{/.test(text) ? readProviderResponse(parseJson(text)) : undefined;
  return (answer === undefined ? undefined : messagesContent(answer.messages)) ?? contentFromText(text, "assistant");
}

function fromChoices(choices: readonly Json[]): ProviderResponse {
  const messages = choices.filter(isObject).map((choice) => {
    const message = toMessage(choice["message"] ?? choice["delta"] ?? { content: choice["text"] }, "assistant");
    const reason = stringOf(choice["finish_reason"]);
    return reason === undefined ? message : { ...message, finish_reason: normalizeFinishReason(reason) };
  });
  return { messages, finishReason: reasonsOf(messages) };
}

/** Items of the responses API: messages, calls, reasoning and images, told as one answer of the assistant. */
function fromOutputItems(items: readonly Json[], body: Json): ProviderResponse {
  const parts = items.flatMap((item) => toMessage(item, "assistant").parts);
  const stated = stringOf(at(body, "incomplete_details", "reason")) ?? (at(body, "status") === "completed" ? "stop" : undefined);
  const calls = parts.some(({ type }) => type === "tool_call");
  return {
    messages: [{ role: "assistant", parts }],
    finishReason: calls ? "tool_call" : stated === "max_output_tokens" ? "length" : stated,
  };
}

function fromCandidates(candidates: readonly Json[]): ProviderResponse {
  const messages = candidates.filter(isObject).map((candidate) => {
    const message = toMessage(candidate["content"] ?? {}, "assistant");
    const reason = stringOf(candidate["finishReason"] ?? candidate["finish_reason"])?.toLowerCase();
    return reason === undefined ? message : { ...message, finish_reason: reason };
  });
  return { messages, finishReason: reasonsOf(messages) };
}

function fromContent(body: Json): ProviderResponse {
  const message = toMessage(body, "assistant");
  return { messages: [message], finishReason: message.finish_reason };
}

const isImageList = (data: Json): boolean =>
  Array.isArray(data) &&
  data.length > 0 &&
  data.every((entry: Json) => isObject(entry) && (entry["b64_json"] !== undefined || entry["url"] !== undefined));

/** The answer of an image endpoint: each picture with the prompt that it was made from. */
export function imagesMessage(images: readonly Json[]): Message {
  const parts = images.filter(isObject).map((image) => {
    const base64 = stringOf(image["b64_json"]);
    const revised = stringOf(image["revised_prompt"]);
    const more = revised === undefined ? {} : { revised_prompt: revised };
    return base64 === undefined
      ? { type: "uri", modality: "image", uri: stringOf(image["url"]) ?? "", ...more }
      : { type: "blob", modality: "image", mime_type: "image/png", content: base64, ...more };
  });
  return { role: "assistant", parts };
}

const reasonsOf = (messages: readonly Message[]): string | undefined => {
  const reasons = [...new Set(messages.map(({ finish_reason }) => finish_reason).filter((reason) => reason !== undefined))];
  return reasons.length === 0 ? undefined : reasons.join(",");
};

/** Everything that a provider's answer says about the call, where nothing better is known. */
export function supplyProviderResponse(draft: GenerationDraft, body: Json, origin: string): void {
  const answer = readProviderResponse(body);
  if (answer !== undefined) supplyContent(draft, "response", messagesContent(answer.messages), origin);
  supplyResponseFacts(draft, body, origin);
}

/** What a provider's answer says besides its content. */
export function supplyResponseFacts(draft: GenerationDraft, body: Json, origin: string): void {
  const answer = readProviderResponse(body);
  if (answer === undefined || !isObject(body)) return;
  supply(draft, "finishReasons", answer.finishReason, origin);
  supply(draft, "responseId", stringOf(body["id"]) ?? stringOf(body["responseId"]), origin);
  supply(draft, "responseModel", stringOf(body["model"]) ?? stringOf(body["modelVersion"]), origin);
  supply(draft, "responseCreatedAt", numberOf(body["created"] ?? body["created_at"]), origin);
}

/**
 * The prompt of a provider's request: messages with their system prompt, or plain text. A bare list counts when its first entry looks like a
 * message. Undefined for another shape.
 */
export function readProviderRequest(body: Json): readonly Message[] | string | undefined {
  if (Array.isArray(body)) return looksLikeMessage(body[0]) ? toMessageList(body, "user") : undefined;
  if (!isObject(body)) return undefined;
  const list = body["messages"] ?? body["input"] ?? body["contents"] ?? body["prompt"];
  if (list === undefined || list === null) return undefined;
  const system = body["system"] ?? body["instructions"] ?? body["systemInstruction"];
  if (typeof list === "string") return system === undefined ? list : toMessageList({ messages: [list], system }, "user");
  return toMessageList(Array.isArray(list) ? { messages: list, system } : list, "user");
}

const looksLikeMessage = (value: Json): boolean =>
  isObject(value) && typeof value["role"] === "string" && (value["content"] !== undefined || value["parts"] !== undefined);

/** A prompt as content. */
export const promptContent = (prompt: readonly Message[] | string | undefined): BuiltContent | undefined =>
  typeof prompt === "string" ? { text: prompt, format: "text" } : prompt === undefined ? undefined : messagesContent(prompt);

/** Everything that a provider's request says about the call, where nothing better is known. */
export function supplyProviderRequest(draft: GenerationDraft, body: Json, origin: string): void {
  supplyContent(draft, "prompt", promptContent(readProviderRequest(body)), origin);
  supplyRequestFacts(draft, body, origin);
}

/** What a provider's request says besides its content and settings. */
export function supplyRequestFacts(draft: GenerationDraft, body: Json, origin: string): void {
  if (!isObject(body)) return;
  supply(draft, "model", stringOf(body["model"]), origin);
  if (Array.isArray(body["tools"])) supply(draft, "toolDefinitions", JSON.stringify(body["tools"]), origin);
}

import { isReduced } from "./content-facts.ts";
import { type BuiltContent, type GenerationDraft, lacksContent, supply, supplyContent } from "./generation-draft.ts";
import { at, isObject, type Json, type JsonObject, numberOf, parseJson, stringOf } from "./json.ts";
import { contentFromText, type Message, messagesContent, normalizeFinishReason, toMessage } from "./messages.ts";

/** How one provider's answers are read. */
interface Shape {
  messages(body: JsonObject): readonly Message[];
  /** Why it ended, as the body says; several choices may end for several reasons. */
  finishReason(body: JsonObject): string | undefined;
  /** Parts of the answer at most, found without reading them. */
  size(body: JsonObject): number;
}

/** OpenAI's chat and text completions. */
const CHOICES: Shape = {
  messages: (body) => listIn(body, "choices").filter(isObject).map(choiceMessage),
  finishReason: (body) => joined(listIn(body, "choices").map((choice) => stringOf(at(choice, "finish_reason")))),
  size: (body) => sum(listIn(body, "choices").map((choice) => partsAtMost(at(choice, "message") ?? at(choice, "delta") ?? choice))),
};

/** Items of OpenAI's responses: messages, calls, reasoning and images, told as one answer of the assistant. */
const ITEMS: Shape = {
  messages: (body) => [{ role: "assistant", parts: listIn(body, "output").flatMap((item) => toMessage(item, "assistant").parts) }],
  finishReason(body) {
    if (listIn(body, "output").some((item) => at(item, "type") === "function_call")) return "tool_call";
    const stated = stringOf(at(body, "incomplete_details", "reason")) ?? (body["status"] === "completed" ? "stop" : undefined);
    return stated === "max_output_tokens" ? "length" : stated;
  },
  size: (body) => sum(listIn(body, "output").map(partsAtMost)),
};

/** Gemini. */
const CANDIDATES: Shape = {
  messages: (body) =>
    listIn(body, "candidates")
      .filter(isObject)
      .map((candidate) => withReason(toMessage(candidate["content"] ?? {}, "assistant"), candidateReason(candidate))),
  finishReason: (body) => joined(listIn(body, "candidates").map(candidateReason)),
  size: (body) => sum(listIn(body, "candidates").map((candidate) => partsAtMost(at(candidate, "content")))),
};

/** Anthropic. */
const CONTENT: Shape = {
  messages: (body) => [toMessage(body, "assistant")],
  finishReason: (body) => joined([stringOf(body["finish_reason"]) ?? stringOf(body["finishReason"]) ?? stringOf(body["stop_reason"])]),
  size: (body) => listIn(body, "content").length,
};

/** Image endpoints. */
const IMAGES: Shape = {
  messages: (body) => [imagesMessage(listIn(body, "data"))],
  finishReason: () => undefined,
  size: (body) => listIn(body, "data").length,
};

/** The shape of an answer; undefined for what is none that is known. */
function shapeOf(body: Json): Shape | undefined {
  if (!isObject(body)) return undefined;
  if (Array.isArray(body["choices"])) return CHOICES;
  if (Array.isArray(body["output"])) return ITEMS;
  if (Array.isArray(body["candidates"])) return CANDIDATES;
  if (Array.isArray(body["content"]) && (body["role"] === "assistant" || body["type"] === "message")) return CONTENT;
  return isImageList(body["data"]) ? IMAGES : undefined;
}

const listIn = (body: JsonObject, name: string): readonly Json[] => (Array.isArray(body[name]) ? (body[name] as Json[]) : []);
const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

function joined(reasons: readonly (string | undefined)[]): string | undefined {
  const distinct = new Set(reasons.filter((reason) => reason !== undefined).map(normalizeFinishReason));
  return distinct.size === 0 ? undefined : [...distinct].join(",");
}

const withReason = (message: Message, reason: string | undefined): Message =>
  reason === undefined ? message : { ...message, finish_reason: normalizeFinishReason(reason) };

const choiceMessage = (choice: JsonObject): Message =>
  withReason(
    toMessage(choice["message"] ?? choice["delta"] ?? { content: choice["text"] }, "assistant"),
    stringOf(choice["finish_reason"]),
  );

const candidateReason = (candidate: Json): string | undefined =>
  stringOf(at(candidate, "finishReason") ?? at(candidate, "finish_reason"))?.toLowerCase();

const HOLDERS = [
  "content",
  "parts",
  "blocks",
  "text",
  "tool_calls",
  "toolCalls",
  "function_call",
  "refusal",
  "reasoning",
  "reasoning_content",
];

/** Lists count each entry, anything else that is there counts once; a message has one part at least. */
function partsAtMost(message: Json): number {
  const counts = HOLDERS.map((name) => at(message, name)).map((value) => (Array.isArray(value) ? value.length : Number(Boolean(value))));
  return Math.max(1, sum(counts));
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

/** Messages of a provider's answer: OpenAI (chat, text, responses, images), Anthropic, Gemini. Undefined for another shape, and where they were taken out. */
export const readProviderResponse = (body: Json): readonly Message[] | undefined =>
  isReduced(body) ? undefined : shapeOf(body)?.messages(body as JsonObject);

/**
 * How many parts a provider's answer has at most; undefined for another shape. An answer that was told in another way as well need be read only
 * if it has more.
 */
export const answerSize = (body: Json): number | undefined => shapeOf(body)?.size(body as JsonObject);

/** Content text of an answer: a provider's body as its messages, anything else as `contentFromText` reads it. */
export function answerFromText(text: string): BuiltContent {
  const answer = /^\s*\{/.test(text) ? readProviderResponse(parseJson(text)) : undefined;
  return (answer === undefined ? undefined : messagesContent(answer)) ?? contentFromText(text, "assistant");
}

/** Everything that a provider's answer says about the call, where nothing better is known. */
export function supplyProviderResponse(draft: GenerationDraft, body: Json, origin: string): void {
  const answer = lacksContent(draft, "response") ? readProviderResponse(body) : undefined;
  if (answer !== undefined) supplyContent(draft, "response", messagesContent(answer), origin);
  supplyResponseFacts(draft, body, origin);
}

/** What a provider's answer says besides its content. */
export function supplyResponseFacts(draft: GenerationDraft, body: Json, origin: string): void {
  const shape = shapeOf(body);
  if (shape === undefined || !isObject(body)) return;
  supply(draft, "finishReasons", shape.finishReason(body), origin);
  supply(draft, "responseId", stringOf(body["id"]) ?? stringOf(body["responseId"]), origin);
  supply(draft, "responseModel", stringOf(body["model"]) ?? stringOf(body["modelVersion"]), origin);
  supply(draft, "serviceTier", stringOf(body["service_tier"]) ?? stringOf(at(body, "usage", "service_tier")), origin);
  supply(draft, "cacheWriteHourTokens", numberOf(at(body, "usage", "cache_creation", "ephemeral_1h_input_tokens")), origin);
  supply(draft, "responseCreatedAt", numberOf(body["created"] ?? body["created_at"]), origin);
}

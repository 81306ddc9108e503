import { type BuiltContent, type GenerationDraft, lacksContent, supply, supplyContent } from "./generation-draft.ts";
import { isObject, type Json, stringOf } from "./json.ts";
import { type Message, messagesContent, toMessageList } from "./messages.ts";

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
  if (lacksContent(draft, "prompt")) supplyContent(draft, "prompt", promptContent(readProviderRequest(body)), origin);
  supplyRequestFacts(draft, body, origin);
}

/** What a provider's request says besides its content and settings. */
export function supplyRequestFacts(draft: GenerationDraft, body: Json, origin: string): void {
  if (!isObject(body)) return;
  supply(draft, "model", stringOf(body["model"]), origin);
  if (Array.isArray(body["tools"])) supply(draft, "toolDefinitions", JSON.stringify(body["tools"]), origin);
}

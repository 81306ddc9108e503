import type { BuiltContent } from "./generation-draft.ts";
import { isObject, type Json, type JsonObject, parseJson, stringOf } from "./json.ts";
import { contentParts, isCurrentPart, type Part, toolCallPart } from "./message-parts.ts";

/** Messages as the current conventions write them: `{role, parts: [{type, …}]}`. */
export interface Message {
  role: string;
  parts: Part[];
  name?: string;
  finish_reason?: string;
}

/** The conventions call every reason for tools `tool_call`; providers say tool_calls, tool-calls or tool_use. */
export function normalizeFinishReason(reason: string): string {
  return reason === "tool_calls" || reason === "tool-calls" || reason === "tool_use" ? "tool_call" : reason;
}

/** Roles by other names: Gemini's and LangChain's. */
const ROLES: ReadonlyMap<string, string> = new Map([
  ["model", "assistant"],
  ["ai", "assistant"],
  ["AIMessage", "assistant"],
  ["AIMessageChunk", "assistant"],
  ["human", "user"],
  ["HumanMessage", "user"],
  ["SystemMessage", "system"],
  ["ToolMessage", "tool"],
  ["function", "tool"],
]);

/** One message in any provider's or in the conventions' shape, in the conventions' shape. */
export function toMessage(value: Json, defaultRole: string): Message {
  if (!isObject(value)) return { role: defaultRole, parts: contentParts(value) };
  if (isLangChain(value)) return toMessage(unwrapLangChain(value), defaultRole);
  if (isItem(value)) return itemMessage(value, defaultRole);
  const role = roleOf(value, defaultRole);
  const message: Message = { role, parts: partsOf(value, role) };
  if (typeof value["name"] === "string") message.name = value["name"];
  const reason = stringOf(value["finish_reason"]) ?? stringOf(value["finishReason"]) ?? stringOf(value["stop_reason"]);
  if (reason !== undefined) message.finish_reason = normalizeFinishReason(reason);
  return message;
}

function roleOf(value: JsonObject, defaultRole: string): string {
  const role = stringOf(value["role"]) ?? stringOf(value["type"]);
  if (role === undefined || (value["role"] === undefined && !ROLES.has(role) && role !== "system" && role !== "tool")) return defaultRole;
  return ROLES.get(role) ?? role;
}

function partsOf(value: JsonObject, role: string): Part[] {
  if (Array.isArray(value["parts"]))
    return (value["parts"] as Json[]).flatMap((part) => (isCurrentPart(part) ? [part] : contentParts([part])));
  const callId = value["tool_call_id"] ?? (role === "tool" ? value["id"] : undefined);
  if (role === "tool" && callId !== undefined) return [{ type: "tool_call_response", id: callId, response: value["content"] ?? null }];
  const reasoning = stringOf(value["reasoning_content"]) ?? stringOf(value["reasoning"]);
  const parts: Part[] = reasoning === undefined ? [] : [{ type: "reasoning", content: reasoning }];
  parts.push(...contentParts(value["content"] ?? value["blocks"]));
  const refusal = stringOf(value["refusal"]);
  if (refusal !== undefined) parts.push({ type: "text", content: refusal });
  const calls = value["tool_calls"] ?? value["toolCalls"];
  if (Array.isArray(calls)) parts.push(...calls.map(toolCallPart));
  if (isObject(value["function_call"])) parts.push(toolCallPart(value["function_call"]));
  parts.push(...mediaBeside(value));
  return parts.length > 0 ? parts : bareParts(value);
}

/** Pictures that Ollama lists beside a message's text, and the sound of OpenAI's spoken answers. */
function mediaBeside({ images, audio }: JsonObject): Part[] {
  const pictures = Array.isArray(images) ? images.filter((image) => typeof image === "string") : [];
  const pieces = pictures.map((data): JsonObject => ({ type: "image", data }));
  if (isObject(audio) && typeof audio["data"] === "string") pieces.push({ ...audio, type: "audio" });
  return contentParts(pieces);
}

/** What an object says that has nothing of a message: its text under another name, else itself as JSON, so that nothing is lost. */
function bareParts(value: JsonObject): Part[] {
  const bare = stringOf(value["text"]) ?? stringOf(value["completion"]);
  if (bare !== undefined) return [{ type: "text", content: bare }];
  const isMessage = ["role", "content", "type", "refusal", "tool_calls"].some((key) => Object.hasOwn(value, key));
  return isMessage || Object.keys(value).length === 0 ? [] : [{ type: "text", content: JSON.stringify(value) }];
}

/** Items of OpenAI's responses API stand in the list of messages without a role. */
const isItem = (value: JsonObject): boolean =>
  value["role"] === undefined &&
  /^(function_call|function_call_output|reasoning|image_generation_call|message)$/.test(String(value["type"]));

function itemMessage(item: JsonObject, defaultRole: string): Message {
  if (item["type"] === "message") return { role: defaultRole, parts: contentParts(item["content"]) };
  return { role: item["type"] === "function_call_output" ? "tool" : "assistant", parts: contentParts([item]) };
}

/** LangChain's serialised objects: `{lc, type: "constructor", id: [.., "HumanMessage"], kwargs}`. */
const isLangChain = (value: JsonObject): boolean => value["lc"] !== undefined && isObject(value["kwargs"]);

function unwrapLangChain(value: JsonObject): JsonObject {
  const id = value["id"];
  const kwargs = value["kwargs"] as JsonObject;
  return { role: Array.isArray(id) ? id.at(-1) : undefined, ...kwargs };
}

/** A list of messages in any shape; LangChain batches are lists of lists. */
export function toMessageList(value: Json, defaultRole: string): Message[] {
  if (Array.isArray(value)) {
    const list = value.length === 1 && Array.isArray(value[0]) ? (value[0] as Json[]) : (value as Json[]);
    return list.map((entry) => toMessage(openedMessage(entry), defaultRole));
  }
  if (isObject(value) && Array.isArray(value["messages"])) return withSystem(value, toMessageList(value["messages"], defaultRole));
  if (isObject(value) && Array.isArray(value["contents"])) return withSystem(value, toMessageList(value["contents"], defaultRole));
  return [toMessage(value, defaultRole)];
}

/** Some write each message as JSON text of its own. */
function openedMessage(entry: Json): Json {
  const opened = typeof entry === "string" && entry.startsWith("{") ? parseJson(entry) : undefined;
  return isObject(opened) && typeof opened["role"] === "string" ? opened : entry;
}

/** Whether a message has the conventions' shape already: there is nothing to be read in it. */
export function isCurrentMessage(message: Json): boolean {
  if (!isObject(message) || !Array.isArray(message["parts"])) return false;
  const role = stringOf(message["role"]);
  return role !== undefined && !ROLES.has(role) && (message["parts"] as Json[]).every(isCurrentPart);
}

/** The system prompt that some requests carry beside their messages. */
function withSystem(request: JsonObject, messages: Message[]): Message[] {
  const system = request["system"] ?? request["systemInstruction"];
  const parts = isObject(system) && Array.isArray(system["parts"]) ? contentParts(system["parts"]) : contentParts(system);
  return parts.length === 0 ? messages : [{ role: "system", parts }, ...messages];
}

/** A list of messages, one message, or plain text; undefined when the text was meant as JSON and is broken. */
export function toMessages(text: string, defaultRole: string): Message[] | undefined {
  const value = parseJson(text);
  return value === undefined ? undefined : toMessageList(value, defaultRole);
}

/** Messages as content of a prompt or response; undefined when there are none. */
export const messagesContent = (messages: readonly Message[]): BuiltContent | undefined =>
  messages.length === 0 ? undefined : asContent(messages);

/** The text is made once, and only if somebody wants it: much content turns out to be told better elsewhere, or to belong to a span that keeps none. */
function asContent(messages: readonly Message[]): BuiltContent {
  let text: string | undefined;
  return {
    format: "messages",
    messages,
    get text() {
      text ??= JSON.stringify(messages);
      return text;
    },
  };
}

/**
 * Content text of any age in the current shape: messages where it is JSON, else the raw text (also when the JSON was cut off on the way).
 */
export function contentFromText(text: string, role: "user" | "assistant"): BuiltContent {
  const looksLikeJson = /^\s*[[{]/.test(text);
  const messages = looksLikeJson ? toMessages(text, role) : undefined;
  return messages === undefined ? { text, format: "text" } : asContent(messages);
}

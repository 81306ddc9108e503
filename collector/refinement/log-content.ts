import * as A from "../../sdk/attributes.ts";
import { isObject, type Json, type JsonObject, openJson, parseJson } from "../dialects/json.ts";
import { type Message, normalizeFinishReason, toMessage, toMessageList } from "../dialects/messages.ts";
import type { FillGroup, LogEvent } from "./facts.ts";

/** Values by column, grouped as they are filled in. */
export type GroupValues = Partial<Record<FillGroup, Readonly<Record<string, string>>>>;

const ROLE_OF: ReadonlyMap<string, string> = new Map([
  [A.EVENT_SYSTEM_MESSAGE, "system"],
  [A.EVENT_USER_MESSAGE, "user"],
  [A.EVENT_ASSISTANT_MESSAGE, "assistant"],
  [A.EVENT_TOOL_MESSAGE, "tool"],
]);

/** Events of v1.26, written on spans then, and what each of them holds. */
const WHOLE_CONTENT: ReadonlyMap<string, { readonly from: string; readonly to: string }> = new Map([
  [A.EVENT_CONTENT_PROMPT, { from: A.GEN_AI_PROMPT, to: A.GEN_AI_INPUT_MESSAGES }],
  [A.EVENT_CONTENT_COMPLETION, { from: A.GEN_AI_COMPLETION, to: A.GEN_AI_OUTPUT_MESSAGES }],
]);

/** Event names that carry content of the span they name. */
export const CONTENT_EVENTS: readonly string[] = [...ROLE_OF.keys(), A.EVENT_CHOICE, A.EVENT_INFERENCE_DETAILS, ...WHOLE_CONTENT.keys()];

interface Gathered {
  readonly input: Message[];
  readonly output: Message[];
  readonly details: Details;
}

/** What events with everything in one say together. */
interface Details {
  input: readonly Message[];
  output: readonly Message[];
  system: string | undefined;
  tools: string | undefined;
  finishReasons: readonly string[];
}

/**
 * Content of one call from log events: one per message and choice (conventions v1.28–v1.36), or some with everything in one (v1.26:
 * gen_ai.content.*, v1.37: gen_ai.client.inference.operation.details), which win. The conventions put messages into the body and everything else into
 * attributes; SDKs also do it the other way round, or write either as JSON text. `events` are in the order of their times.
 */
export function contentFromEvents(events: readonly LogEvent[]): GroupValues {
  const details: Details = { input: [], output: [], system: undefined, tools: undefined, finishReasons: [] };
  const gathered: Gathered = { input: [], output: [], details };
  for (const event of events) read(event, gathered);
  const { input, output } = gathered;
  return { ...messagesGroups(input, output), ...messagesGroups(details.input, details.output), ...detailsGroups(details) };
}

function read(event: LogEvent, into: Gathered): void {
  const whole = WHOLE_CONTENT.get(event.name);
  if (event.name === A.EVENT_INFERENCE_DETAILS) addDetails(into.details, everythingIn(event));
  else if (whole !== undefined) addDetails(into.details, renamed(event, whole));
  else if (event.name === A.EVENT_CHOICE) into.output.push(choice(messageIn(event)));
  else {
    const role = ROLE_OF.get(event.name);
    const message = messageIn(event);
    if (role !== undefined && hasContent(message))
      into.input.push(...(isList(message) ? toMessageList(message, role) : [toMessage(message, role)]));
  }
}

/** Several messages in one event; a list of anything else is the pieces of one. */
const isList = (value: Json): boolean => Array.isArray(value) && value.every((each: Json) => isObject(each) && each["role"] !== undefined);

/** What a message or a choice consists of; names that older SDKs put into attributes. */
const MESSAGE_KEYS = ["role", "content", "parts", "id", "name", "tool_calls", "tool_call_id", "message", "finish_reason"] as const;
/** One of these stands in every message that says something. */
const SAYING_KEYS = ["content", "parts", "tool_calls", "message"] as const;

/** The message of an event: its body; where that has none, attributes, which hold it in one or under the names of its parts. */
function messageIn({ name, body, attributes }: LogEvent): Json {
  const told = body === name || body === null ? undefined : openedMessage(body);
  if (says(told)) return told;
  const packed = openedMessage(attributes["gen_ai.event.content"] ?? undefined);
  if (isObject(packed)) return packed;
  const parts: JsonObject = Object.fromEntries(
    MESSAGE_KEYS.filter((key) => attributes[key] !== undefined).map((key) => [key, openedPart(key, attributes[key])]),
  );
  const frame = isObject(told) ? { ...told, ...parts } : parts;
  const text = isObject(told) ? packed : (told ?? packed);
  if (Object.keys(frame).length === 0) return text;
  return text === undefined || says(frame) ? frame : { ...frame, content: text };
}

const says = (value: Json): boolean => isObject(value) && SAYING_KEYS.some((key) => value[key] !== undefined);

/** A message that was written as JSON text. What somebody said stays a text, also where it is JSON. */
function openedMessage(value: Json): Json {
  const opened = openJson(value);
  if (isObject(opened)) return isObject(value) || says(opened) ? opened : value;
  return Array.isArray(opened) && opened.length > 0 && opened.every(isObject) ? opened : value;
}

const TEXTS: ReadonlySet<string> = new Set(["role", "name", "id", "tool_call_id", "finish_reason"]);

function openedPart(key: string, value: Json): Json {
  if (TEXTS.has(key)) return value;
  return key === "content" || key === "message" ? openedMessage(value) : openJson(value);
}

/** Events of instrumentations that capture no content have an empty body. */
const hasContent = (body: Json): boolean => (isObject(body) ? Object.keys(body).length > 0 : body !== null && body !== undefined);

function choice(body: Json): Message {
  if (!isObject(body)) return toMessage(body, "assistant");
  const said = openedMessage(body["message"]) ?? (says(body) ? body : {});
  const message = toMessage(said, "assistant");
  const calls = isObject(said) && said["tool_calls"] === undefined && said !== body ? body["tool_calls"] : undefined;
  if (Array.isArray(calls)) message.parts.push(...toMessage({ tool_calls: calls }, "assistant").parts);
  const reason = body["finish_reason"];
  return typeof reason === "string" && reason !== "" ? { ...message, finish_reason: normalizeFinishReason(reason) } : message;
}

/** Attributes win over a body that says the same. */
function everythingIn({ body, attributes }: LogEvent): JsonObject {
  const told = openJson(body);
  return isObject(told) ? { ...told, ...attributes } : attributes;
}

function renamed(event: LogEvent, { from, to }: { readonly from: string; readonly to: string }): JsonObject {
  const values = everythingIn(event);
  const content = values[to] ?? values[from] ?? (isObject(openJson(event.body)) ? undefined : event.body);
  return { [to]: content ?? undefined };
}

/** One event tells all of a call, or (a stream of the responses API) each piece of its answer in one of its own. */
function addDetails(into: Details, attributes: JsonObject): void {
  const input = messagesOf(attributes[A.GEN_AI_INPUT_MESSAGES], "user");
  const output = messagesOf(attributes[A.GEN_AI_OUTPUT_MESSAGES], "assistant");
  const reasons = openJson(attributes[A.GEN_AI_RESPONSE_FINISH_REASONS]);
  if (input.length > 0) into.input = input;
  if (output.length > 0) into.output = joined(into.output, output);
  into.system = textOf(attributes[A.GEN_AI_SYSTEM_INSTRUCTIONS]) ?? into.system;
  into.tools = textOf(attributes[A.GEN_AI_TOOL_DEFINITIONS]) ?? into.tools;
  const texts = (Array.isArray(reasons) ? reasons : [reasons]).filter((reason) => typeof reason === "string" && reason !== "");
  if (texts.length > 0) into.finishReasons = texts.map(normalizeFinishReason);
}

const textOf = (value: Json): string | undefined =>
  value === undefined || value === null || value === "" ? undefined : typeof value === "string" ? value : JSON.stringify(value);

/** The answer so far and a piece of it: one message, in which nothing is said twice. Several choices at once are whole. */
function joined(before: readonly Message[], piece: readonly Message[]): readonly Message[] {
  const [first, next] = [before[0], piece[0]];
  if (before.length !== 1 || piece.length !== 1 || first?.role !== next?.role) return piece;
  const known = new Set(first?.parts.map((part) => JSON.stringify(part)));
  const added = next?.parts.filter((part) => !known.has(JSON.stringify(part))) ?? [];
  return [{ ...first, ...next, role: next?.role ?? "assistant", parts: [...(first?.parts ?? []), ...added] }];
}

const detailsGroups = ({ system, tools, finishReasons, output }: Details): GroupValues => ({
  ...(system === undefined ? {} : { system_instructions: { system_instructions: system } }),
  ...(tools === undefined ? {} : { tool_definitions: { tool_definitions: tools } }),
  ...(finishReasons.length === 0 || output.some(({ finish_reason }) => finish_reason !== undefined)
    ? {}
    : { finish_reason: { response_finish_reason: [...new Set(finishReasons)].join(",") } }),
});

function messagesOf(value: Json, role: string): Message[] {
  if (value === undefined || value === null) return [];
  return toMessageList(typeof value === "string" ? (parseJson(value) ?? value) : value, role);
}

const messagesGroups = (input: readonly Message[], output: readonly Message[]): GroupValues => ({
  ...messagesGroup("prompt", input),
  ...messagesGroup("response", output),
  ...finishGroup(output),
});

function messagesGroup(group: "prompt" | "response", messages: readonly Message[]): GroupValues {
  if (!messages.some(({ parts }) => parts.some(tells))) return {};
  const text = JSON.stringify(messages);
  return group === "prompt"
    ? { prompt: { prompt_full_text: text, prompt_format: "messages" } }
    : { response: { response_full_text: text, response_format: "messages" }, ...reasoningGroup(messages) };
}

/** Instrumentations that capture no content send the frame of each message: empty texts, calls without arguments, results without a value. */
function tells(part: Message["parts"][number]): boolean {
  if (part.type === "text" || part.type === "reasoning") return (part["content"] ?? part["text"] ?? "") !== "";
  if (part.type === "tool_call") return (part["arguments"] ?? null) !== null;
  return part.type !== "tool_call_response" || (part["response"] ?? null) !== null;
}

function reasoningGroup(messages: readonly Message[]): GroupValues {
  const parts = messages.flatMap((message) => message.parts.filter(({ type }) => type === "reasoning"));
  const texts = parts.map((part) => part["content"] ?? part["text"]).filter((text) => typeof text === "string" && text !== "");
  return texts.length === 0 ? {} : { reasoning: { reasoning_content: texts.join("\n\n") } };
}

function finishGroup(output: readonly Message[]): GroupValues {
  const reasons = [...new Set(output.map(({ finish_reason }) => finish_reason).filter((reason) => reason !== undefined))];
  return reasons.length === 0 ? {} : { finish_reason: { response_finish_reason: reasons.join(",") } };
}

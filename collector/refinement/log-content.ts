import * as A from "../../sdk/attributes.ts";
import { isObject, type Json, parseJson } from "../dialects/json.ts";
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

/** Event names that carry content of the span they name. */
export const CONTENT_EVENTS: readonly string[] = [...ROLE_OF.keys(), A.EVENT_CHOICE, A.EVENT_INFERENCE_DETAILS];

interface Gathered {
  readonly input: Message[];
  readonly output: Message[];
  readonly details: Details;
}

/** What events with everything in their attributes say together. */
interface Details {
  input: readonly Message[];
  output: readonly Message[];
  system: string | undefined;
}

/**
 * Content of one call from log events: one per message and choice with a body (conventions v1.28–v1.36), or some with everything in structured
 * attributes (v1.37: gen_ai.client.inference.operation.details), which win. `events` are in the order of their times.
 */
export function contentFromEvents(events: readonly LogEvent[]): GroupValues {
  const gathered: Gathered = { input: [], output: [], details: { input: [], output: [], system: undefined } };
  for (const event of events) read(event, gathered);
  const { input, output, details } = gathered;
  return { ...messagesGroups(input, output), ...messagesGroups(details.input, details.output), ...systemGroup(details.system) };
}

function read(event: LogEvent, into: Gathered): void {
  if (event.name === A.EVENT_INFERENCE_DETAILS) addDetails(into.details, event.attributes);
  else if (event.name === A.EVENT_CHOICE) into.output.push(choice(event));
  else {
    const role = ROLE_OF.get(event.name);
    if (role !== undefined && hasContent(content(event))) into.input.push(toMessage(content(event), role));
  }
}

/** The body, or (where an SDK puts it there) the attributes. */
const content = ({ body, attributes }: LogEvent): Json => (isObject(body) ? body : (attributes["gen_ai.event.content"] ?? body));

/** Events of instrumentations that capture no content have an empty body. */
const hasContent = (body: Json): boolean => (isObject(body) ? Object.keys(body).length > 0 : body !== null && body !== undefined);

function choice(event: LogEvent): Message {
  const body = content(event);
  if (!isObject(body)) return toMessage(body, "assistant");
  const message = toMessage(body["message"] ?? {}, "assistant");
  const reason = body["finish_reason"];
  return typeof reason === "string" && reason !== "" ? { ...message, finish_reason: normalizeFinishReason(reason) } : message;
}

/** One event tells all of a call, or (a stream of the responses API) each piece of its answer in one of its own. */
function addDetails(into: Details, attributes: Readonly<Record<string, unknown>>): void {
  const input = messagesOf(attributes[A.GEN_AI_INPUT_MESSAGES], "user");
  const output = messagesOf(attributes[A.GEN_AI_OUTPUT_MESSAGES], "assistant");
  const system = attributes[A.GEN_AI_SYSTEM_INSTRUCTIONS];
  if (input.length > 0) into.input = input;
  if (output.length > 0) into.output = joined(into.output, output);
  if (system !== undefined) into.system = typeof system === "string" ? system : JSON.stringify(system);
}

/** The answer so far and a piece of it: one message, in which nothing is said twice. Several choices at once are whole. */
function joined(before: readonly Message[], piece: readonly Message[]): readonly Message[] {
  const [first, next] = [before[0], piece[0]];
  if (before.length !== 1 || piece.length !== 1 || first?.role !== next?.role) return piece;
  const known = new Set(first?.parts.map((part) => JSON.stringify(part)));
  const added = next?.parts.filter((part) => !known.has(JSON.stringify(part))) ?? [];
  return [{ ...first, ...next, role: next?.role ?? "assistant", parts: [...(first?.parts ?? []), ...added] }];
}

const systemGroup = (system: string | undefined): GroupValues =>
  system === undefined ? {} : { system_instructions: { system_instructions: system } };

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

import * as A from "../../sdk/attributes.ts";
import { ByteWriter } from "../base/byte-writer.ts";
import { type AttributeList, VALUE_EMPTY, VALUE_STRING } from "../otlp/attribute-list.ts";
import { createEventView, decodeEvent } from "../otlp/decode-protobuf.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { writeJsonValue } from "../otlp/value-json.ts";
import { type BuiltContent, type GenerationDraft, supply, supplyContent, supplyTextOf } from "./generation-draft.ts";
import { parseJson } from "./json.ts";
import { contentFromText, type Message, messagesContent, normalizeFinishReason, toMessage } from "./messages.ts";

/** Messages gathered from the events of one span. */
interface Gathered {
  readonly input: Message[];
  readonly system: Message[];
  readonly output: Message[];
  prompt?: BuiltContent;
  response?: BuiltContent;
  systemInstructions?: string;
  finishReason?: string;
  errorMessage?: string;
  errorType?: string;
  errorTraceback?: string;
}

type Handler = (event: AttributeList, into: Gathered) => void;

const ROLE_OF: ReadonlyMap<string, string> = new Map([
  [A.EVENT_SYSTEM_MESSAGE, "system"],
  [A.EVENT_USER_MESSAGE, "user"],
  [A.EVENT_ASSISTANT_MESSAGE, "assistant"],
  [A.EVENT_TOOL_MESSAGE, "tool"],
]);

/** What each event name contributes; names not listed here are no content. */
const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  [A.EVENT_CONTENT_PROMPT, (event, into) => setContent(into, "prompt", firstOf(event, [A.GEN_AI_PROMPT, A.GEN_AI_INPUT_MESSAGES]))],
  [
    A.EVENT_CONTENT_COMPLETION,
    (event, into) => setContent(into, "response", firstOf(event, [A.GEN_AI_COMPLETION, A.GEN_AI_OUTPUT_MESSAGES])),
  ],
  [A.EVENT_CHOICE, readChoice],
  [A.EVENT_INFERENCE_DETAILS, readDetails],
  [A.EVENT_EXCEPTION, readException],
  ...[...ROLE_OF].map(([name, role]): [string, Handler] => [
    name,
    (event, into) => (role === "system" ? into.system : into.input).push(toMessage(eventBody(event), role)),
  ]),
]);

/** Room for one event at a time. */
const event = createEventView(Buffer.alloc(0));

/**
 * Content and errors from span events: gen_ai.content.* (v1.26), one event per message and choice (v1.28–v1.36 where an
 * instrumentation writes them on the span), gen_ai.client.inference.operation.details (v1.37), and exceptions. Attributes of the span win.
 */
export function buildFromEvents(view: SpanView, draft: GenerationDraft): void {
  if (draft.eventsRead) return;
  draft.eventsRead = true;
  const gathered: Gathered = { input: [], system: [], output: [] };
  event.attributes.arena.request = view.arena.request;
  let emptied = false;
  for (let i = 0; i < view.events.count; i++) {
    decodeEvent(view, i, event);
    const name = view.arena.request.toString("utf8", event.nameOffset, event.nameOffset + event.nameSize);
    HANDLERS.get(name)?.(event.attributes, gathered);
    emptied ||= HANDLERS.has(name) && holdsEmpty(event.attributes);
  }
  if (emptied && saysNothing(gathered)) draft.contentRedacted = true;
  supplyGathered(draft, gathered);
}

const holdsEmpty = ({ count, kinds }: AttributeList): boolean => kinds.subarray(0, count).includes(VALUE_EMPTY);

/** Whether no message of the events has content: where a value is empty besides, it was taken out on its way. */
const saysNothing = ({ prompt, response, system, input, output }: Gathered): boolean =>
  prompt === undefined && response === undefined && [...system, ...input, ...output].every(({ parts }) => parts.length === 0);

function supplyGathered(draft: GenerationDraft, gathered: Gathered): void {
  const input = [...gathered.system, ...gathered.input];
  supplyContent(draft, "prompt", gathered.prompt ?? messagesContent(input), EVENT_ORIGIN);
  supplyContent(draft, "response", gathered.response ?? messagesContent(gathered.output), EVENT_ORIGIN);
  supply(draft, "systemInstructions", gathered.systemInstructions, EVENT_ORIGIN);
  supply(draft, "finishReasons", gathered.finishReason, EVENT_ORIGIN);
  supply(draft, "errorType", gathered.errorType, EVENT_ORIGIN);
  supplyTextOf(draft, "errorMessage", gathered.errorMessage, EVENT_ORIGIN);
  supplyTextOf(draft, "errorTraceback", gathered.errorTraceback, EVENT_ORIGIN);
}

const EVENT_ORIGIN = "span events";

/** An attribute as text: a string as it is, anything structured as JSON. */
function value(event: AttributeList, name: string): string | undefined {
  const index = event.findName(name);
  if (index < 0 || event.kinds[index] === VALUE_EMPTY) return undefined;
  if (event.kinds[index] === VALUE_STRING) return event.text(index);
  const json = new ByteWriter(256);
  writeJsonValue(json, event, index);
  return json.view().toString("utf8");
}

const firstOf = (event: AttributeList, names: readonly string[]): string | undefined =>
  names.map((name) => value(event, name)).find((text) => text !== undefined);

/** The event's attributes as one object, JSON strings opened: what log events carry in their body. */
function eventBody(event: AttributeList): Record<string, unknown> {
  const body: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const content = value(event, "gen_ai.event.content");
  const opened = content === undefined ? undefined : parseJson(content);
  if (typeof opened === "object" && opened !== null) Object.assign(body, opened);
  else if (content !== undefined) body["content"] = content;
  for (const name of ["role", "content", "id", "name", "tool_calls", "tool_call_id", "message", "finish_reason", "index"]) {
    const text = value(event, name);
    if (text !== undefined) body[name] = name === "role" ? text : name === "content" ? contentOf(text) : (parseJson(text) ?? text);
  }
  return body;
}

/** Content of a message: its text, or the list of its pieces where the text is one. */
const contentOf = (text: string): unknown => (/^\s*\[\s*\{/.test(text) ? (parseJson(text) ?? text) : text);

function setContent(into: Gathered, what: "prompt" | "response", text: string | undefined): void {
  if (text !== undefined) into[what] ??= contentFromText(text, what === "prompt" ? "user" : "assistant");
}

function readChoice(event: AttributeList, into: Gathered): void {
  const body = eventBody(event);
  const message = toMessage(body["message"] ?? body, "assistant");
  const reason = body["finish_reason"];
  if (typeof reason === "string" && reason !== "") {
    message.finish_reason = normalizeFinishReason(reason);
    into.finishReason ??= message.finish_reason;
  }
  into.output.push(message);
}

function readDetails(event: AttributeList, into: Gathered): void {
  const input = value(event, A.GEN_AI_INPUT_MESSAGES);
  if (input !== undefined) into.prompt ??= contentFromText(input, "user");
  const output = value(event, A.GEN_AI_OUTPUT_MESSAGES);
  if (output !== undefined) into.response ??= contentFromText(output, "assistant");
  const system = value(event, A.GEN_AI_SYSTEM_INSTRUCTIONS);
  if (system !== undefined) into.systemInstructions ??= system;
}

function readException(event: AttributeList, into: Gathered): void {
  const message = value(event, A.EXCEPTION_MESSAGE);
  const type = value(event, A.EXCEPTION_TYPE);
  const traceback = value(event, A.EXCEPTION_STACKTRACE);
  if (message !== undefined) into.errorMessage = message;
  if (type !== undefined) into.errorType = type;
  if (traceback !== undefined) into.errorTraceback = traceback;
}

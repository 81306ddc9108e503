import { position, VALUE_STRING } from "../otlp/attribute-list.ts";
import { keyTable } from "../otlp/key-table.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { isReduced } from "./content-facts.ts";
import { attributeNamed, gatherList } from "./flattened.ts";
import { type GenerationDraft, hasConcept, lacksContent, supplyContent } from "./generation-draft.ts";
import { at, type Json, openJson, parseJson, stringOf } from "./json.ts";
import { contentParts, type Part, toolCallPart } from "./message-parts.ts";
import { type Message, messagesContent, normalizeFinishReason, toMessage } from "./messages.ts";
import { answerSize, readProviderResponse } from "./provider-answers.ts";
import { promptContent, readProviderRequest } from "./provider-requests.ts";

/** What hidden content is replaced by. */
export const REDACTED = "__REDACTED__";

/** `input.value` or `output.value`: the provider's body as JSON, or text. */
export interface RawValue {
  readonly json: Json;
  /** Undefined when there is none or it is hidden. */
  readonly text: string | undefined;
  readonly redacted: boolean;
}

const NOTHING: RawValue = { json: undefined, text: undefined, redacted: false };

export function rawValue(view: SpanView, side: "input" | "output"): RawValue {
  const text = stringOf(attributeNamed(view, `${side}.value`));
  if (text === undefined || text === REDACTED) return { ...NOTHING, redacted: text === REDACTED };
  const json = /^\s*[[{]/.test(text) ? parseJson(text) : undefined;
  return isReduced(json) ? { ...NOTHING, json, redacted: true } : { json, text, redacted: false };
}

/** The bodies of a call, as far as they were read. */
export interface Bodies {
  readonly input: Json;
  readonly output: Json;
}

/**
 * Prompt and response from the flattened messages, the provider's own bodies or plain text. The bodies win only where they tell more: the
 * flattened form leaves out further choices and reasoning, and the last messages where the sender ran into its limit of attributes.
 * Where a message is hidden, the bodies are not asked for it.
 */
export function supplyOpenInferenceContent(view: SpanView, draft: GenerationDraft): Bodies {
  if (draft.wraps) return { input: rawValue(view, "input").json, output: rawValue(view, "output").json };
  const asked = messagesIn(view, "llm.input_messages.", "user");
  const answered = withReason(messagesIn(view, "llm.output_messages.", "assistant"), stringOf(attributeNamed(view, "llm.finish_reason")));
  supplyTexts(view, draft);
  const modelIsKnown = hasConcept(draft, "model") || attributeNamed(view, "llm.model_name") !== undefined;
  const input = modelIsKnown && isWhole(view, asked) && !requestTellsMore(view) ? NOTHING : rawValue(view, "input");
  supplySide(draft, "prompt", { flattened: asked, body: () => readProviderRequest(input.json), raw: input, name: "input" });
  const output = rawValue(view, "output");
  const mayTellMore = (answerSize(output.json) ?? 0) > weight(answered) || !answered.some(isShown);
  const body = () => (mayTellMore ? readProviderResponse(output.json) : undefined);
  supplySide(draft, "response", { flattened: answered, body, raw: output, name: "output" });
  return { input: input.json, output: output.json };
}

/** Whether flattened messages say all that they can: nothing was dropped, and each has something to say. */
const isWhole = (view: SpanView, messages: readonly Message[]): boolean =>
  view.droppedAttributesCount === 0 && messages.length > 0 && messages.every(({ parts }) => parts.length > 0 && parts.every(says));

const says = (part: Part): boolean => part.type !== "unknown" && part["content"] !== "";

/** Keys of a request under which stands what the flattened form leaves out: pieces that are no text, instructions, tools. */
const MORE = ['"type"', '"tools"', '"functions"', '"system":', '"instructions"'].map((key) => Buffer.from(key));
const INPUT = keyTable.register("input.value");

/** A native search of the request's text: reading a long conversation twice is what costs most. */
function requestTellsMore({ attributes }: SpanView): boolean {
  const index = attributes.find(INPUT);
  if (index < 0) return false;
  if (attributes.kinds[index] !== VALUE_STRING || attributes.b[index] === REDACTED.length) return true;
  const start = position(attributes.a[index]!);
  const text = attributes.arena.source(attributes.a[index]!).subarray(start, start + attributes.b[index]!);
  return MORE.some((key) => text.includes(key));
}

interface Side {
  readonly flattened: readonly Message[];
  readonly body: () => readonly Message[] | string | undefined;
  readonly raw: RawValue;
  readonly name: "input" | "output";
}

function supplySide(draft: GenerationDraft, which: "prompt" | "response", { flattened, body, raw, name }: Side): void {
  const hidden = flattened.some(({ parts }) => parts.some(isHidden));
  const shown = flattened.some(isShown);
  if (hidden || raw.redacted) draft.contentRedacted = true;
  if (!lacksContent(draft, which)) return;
  const whole = hidden ? undefined : body();
  if (whole !== undefined && (!shown || weight(whole) > weight(flattened))) {
    supplyContent(draft, which, promptContent(whole), `${name}.value`);
  } else if (shown) {
    supplyContent(draft, which, messagesContent(flattened), `llm.${name}_messages`);
  } else if (!hidden && raw.text !== undefined) {
    supplyContent(draft, which, bareContent(raw, which === "prompt" ? "user" : "assistant"), `${name}.value`);
  }
}

const isShown = ({ parts }: Message): boolean => parts.some((part) => !isHidden(part));
const isHidden = (part: Part): boolean => part["content"] === REDACTED || part["uri"] === REDACTED;

/** How much messages tell: the number of parts that say something. */
const weight = (messages: readonly Message[] | string): number =>
  typeof messages === "string" ? 1 : messages.reduce((sum, { parts }) => sum + parts.filter(says).length, 0);

const withReason = (messages: readonly Message[], reason: string | undefined): readonly Message[] =>
  reason === undefined ? messages : messages.map((message) => ({ ...message, finish_reason: normalizeFinishReason(reason) }));

/** Content in no provider's shape: a message where it has its keys (`text`, `content`), else as it stands. */
function bareContent({ json, text }: RawValue, role: string): { text: string; format: "text" | "messages" } {
  const isMessage = ["text", "content", "parts"].some((key) => at(json, key) !== undefined);
  return (isMessage ? messagesContent([toMessage(json, role)]) : undefined) ?? { text: text ?? "", format: "text" };
}

/** Text completion: prompts and choices without roles. */
function supplyTexts(view: SpanView, draft: GenerationDraft): void {
  const prompts = textsIn(view, "llm.prompts.", "prompt");
  const choices = textsIn(view, "llm.choices.", "completion");
  if (prompts.length > 0) supplyContent(draft, "prompt", { text: prompts.join("\n\n"), format: "text" }, "llm.prompts");
  if (choices.length > 0) supplyContent(draft, "response", { text: choices.join("\n\n"), format: "text" }, "llm.choices");
}

function textsIn(view: SpanView, prefix: string, key: string): string[] {
  return gatherList(view, prefix)
    .map((entry) => stringOf(at(entry, key, "text")))
    .filter((text) => text !== undefined);
}

function messagesIn(view: SpanView, prefix: string, role: string): Message[] {
  return gatherList(view, prefix).map((entry) => readMessage(at(entry, "message"), role));
}

function readMessage(message: Json, defaultRole: string): Message {
  const role = stringOf(at(message, "role")) ?? defaultRole;
  const callId = at(message, "tool_call_id");
  const read = toMessage({ role, content: callId === undefined ? at(message, "content") : undefined, name: at(message, "name") }, role);
  if (callId !== undefined) read.parts.push({ type: "tool_call_response", id: callId, response: at(message, "content") ?? null });
  const contents = at(message, "contents");
  if (Array.isArray(contents)) read.parts.push(...contents.flatMap(piecesOf));
  const calls = at(message, "tool_calls");
  if (Array.isArray(calls)) read.parts.push(...calls.map((entry) => toolCallPart(at(entry, "tool_call"))));
  const legacy = stringOf(at(message, "function_call_name"));
  if (legacy !== undefined) {
    read.parts.push(toolCallPart({ name: legacy, arguments: at(message, "function_call_arguments_json") }));
  }
  return read;
}

/** One piece of a message's content; calls of tools stand a second time in the message's own list and are read there. */
function piecesOf(entry: Json): Part[] {
  const content = at(entry, "message_content");
  const type = stringOf(at(content, "type"));
  if (type === "tool_use" || type === "tool_call") return [];
  const image = stringOf(at(content, "image", "image", "url"));
  if (image === REDACTED) return [{ type: "uri", modality: "image", uri: REDACTED }];
  if (image !== undefined) return contentParts([{ type: "image_url", image_url: image }]);
  const audio = stringOf(at(content, "audio", "audio", "url"));
  if (audio !== undefined) return [{ type: "uri", modality: "audio", uri: audio }];
  const text = at(content, "text") ?? at(content, "data") ?? "";
  return [{ type: type === "reasoning" ? "reasoning" : "text", content: text }];
}

/** The definitions of tools that the call was given. */
export function toolsIn(view: SpanView): readonly Json[] {
  return gatherList(view, "llm.tools.")
    .map((entry) => openJson(at(entry, "tool", "json_schema")))
    .filter((schema) => schema !== undefined);
}

import { GENSPAN_CONTENT_TRUNCATED, GENSPAN_PROMPT_FORMAT } from "../../sdk/attributes.ts";
import { ByteWriter } from "../base/byte-writer.ts";
import type { BuiltContent, GenerationDraft } from "../dialects/generation-draft.ts";
import { type Json, openJson, parseJson } from "../dialects/json.ts";
import {
  contentFromText,
  isCurrentMessage,
  type Message,
  messagesContent,
  normalizeFinishReason,
  toMessageList,
} from "../dialects/messages.ts";

import { CONCEPT } from "../model/concept.ts";
import { type AttributeList, position, VALUE_ARRAY, VALUE_KVLIST, VALUE_STRING } from "../otlp/attribute-list.ts";
import { keyTable } from "../otlp/key-table.ts";
import { writeJsonValue } from "../otlp/value-json.ts";
import { createSliceSearch, type Slice } from "./byte-search.ts";
import { MOVED_INPUT, MOVED_INPUT_TEXT, MOVED_OUTPUT, STRUCTURED_SHIFT, textOfMessages } from "./content-moved.ts";
import { beginText, copyNull, copyString, copyText, endField } from "./copy-row.ts";
import { extractMedia, type MediaPart, mayHoldDataUrl, mayHoldMedia, takeMedia, textWithoutMedia } from "./message-media.ts";
import type { ColumnSource } from "./values.ts";

/** Prompt or response of one call, decided before its columns are written. */
export interface Content {
  /** Attribute whose bytes are the column, or -1. */
  readonly index: number;
  /** Text to store instead, when the attribute had to be changed or there is none; undefined where `messages` are stored. */
  readonly text: string | undefined;
  /** Messages to store instead. */
  readonly messages?: readonly Message[] | undefined;
  readonly format: "text" | "messages" | undefined;
  readonly truncated: boolean;
  /** Bits for spans.content_moved. */
  readonly moved: number;
  /** Images, sounds and files of the messages. */
  readonly media: readonly MediaPart[];
}

const NONE: Content = { index: -1, text: undefined, format: undefined, truncated: false, moved: 0, media: [] };

/** What native searches look for: the beginnings of "reasoning" and "finish_reason", short for a fast search. */
const PARTS = Buffer.from('"parts"');
const hasReasoning = createSliceSearch('"reason');
const hasFinishReason = createSliceSearch('"finish');

/**
 * Beginnings of what stands in parts that are not in the conventions' shape: `"text":` (Gemini's, OpenAI's and Anthropic's, a reasoning part of one
 * instrumentation) and `"thinking"`. Gemini's have no type at all.
 */
const FOREIGN = ['"text":', '"thinki'].map(createSliceSearch);
const TYPE = Buffer.from('"type"');

const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;

/** The prompt: messages in the current shape go over as bytes, everything else is normalised; broken JSON stays raw text. */
export function promptContent(attributes: AttributeList, draft: GenerationDraft): Content {
  const index = draft.attribute[CONCEPT.inputMessages]!;
  const content = contentOf(attributes, index, { role: "user", moved: MOVED_INPUT }) ?? built(draft.built?.prompt) ?? NONE;
  return withoutMedia(attributes, content.moved === MOVED_INPUT && saysText(attributes) ? asText(attributes, content) : content);
}

const PROMPT_FORMAT = keyTable.register(GENSPAN_PROMPT_FORMAT);
const CONTENT_TRUNCATED = keyTable.register(GENSPAN_CONTENT_TRUNCATED);

/** Whether the sender says that it cut a text that was too long. */
export const saysTruncated = (attributes: AttributeList): boolean => attributes.find(CONTENT_TRUNCATED) >= 0;

/** Whether the sender says that its prompt was one plain text. */
function saysText(attributes: AttributeList): boolean {
  const index = attributes.find(PROMPT_FORMAT);
  return index >= 0 && attributes.text(index) === "text";
}

function asText(attributes: AttributeList, content: Content): Content {
  if (content.format !== "messages") return content;
  const text = textOfMessages(textOf(contentBytes(attributes, content)));
  return text === undefined ? content : { ...content, text, format: "text", moved: MOVED_INPUT | MOVED_INPUT_TEXT };
}

export function responseContent(attributes: AttributeList, draft: GenerationDraft): Content {
  const index = draft.attribute[CONCEPT.outputMessages]!;
  return withoutMedia(
    attributes,
    contentOf(attributes, index, { role: "assistant", moved: MOVED_OUTPUT }) ?? built(draft.built?.response) ?? NONE,
  );
}

/** Binary content leaves the messages: it is stored once per hash. The attribute leaves the span all the same. */
function withoutMedia(attributes: AttributeList, content: Content): Content {
  if (content.format === "text") return textWithout(attributes, content);
  if (content.format !== "messages") return content;
  if (content.messages !== undefined) return { ...content, ...takeMedia(content.messages) };
  const bytes = contentBytes(attributes, content);
  if (!mayHoldMedia(bytes)) return content;
  const { text, media } = extractMedia(textOf(bytes));
  return media.length === 0 ? content : { ...content, text: text ?? content.text, media };
}

/** What was cut on its way stays as it came. */
function textWithout(attributes: AttributeList, content: Content): Content {
  if (content.truncated || (content.text === undefined && content.index < 0)) return content;
  const bytes = content.text === undefined ? contentBytes(attributes, content) : undefined;
  if (bytes === undefined ? content.text?.includes(";base64,") !== true : !mayHoldDataUrl(bytes)) return content;
  const without = textWithoutMedia(bytes === undefined ? (content.text ?? "") : textOf(bytes));
  return without === undefined ? content : { ...content, ...without };
}

function built(content: BuiltContent | undefined): Content | undefined {
  if (content === undefined) return undefined;
  const { format, messages } = content;
  if (messages !== undefined) return { ...NONE, format, messages };
  const truncated = format === "text" && /^\s*[[{]/.test(content.text) && parseJson(content.text) === undefined;
  return { ...NONE, text: content.text, format, truncated };
}

interface Kind {
  readonly role: "user" | "assistant";
  readonly moved: number;
}

function contentOf(attributes: AttributeList, index: number, kind: Kind): Content | undefined {
  if (index < 0) return undefined;
  const valueKind = attributes.kinds[index];
  if (valueKind === VALUE_ARRAY || valueKind === VALUE_KVLIST) return structured(attributes, index, kind);
  if (valueKind !== VALUE_STRING || attributes.b[index] === 0) return undefined;
  const offset = attributes.a[index]!;
  const source = attributes.arena.source(offset);
  const start = firstVisible(source, position(offset));
  const end = lastVisible(source, position(offset) + attributes.b[index]!);
  const first = source[start];
  if (first === OPEN_BRACKET && source[end - 1] === CLOSE_BRACKET) {
    const slice = source.subarray(start, end);
    if (slice.includes(PARTS) || slice.length === 2) {
      const bytes = { source, start, end, isRequest: offset >= 0 };
      return normalizedParts(bytes, kind) ?? { ...NONE, index, format: "messages", moved: kind.moved };
    }
    const normalized = contentFromText(slice.toString("utf8"), kind.role);
    if (normalized.messages !== undefined) return built(normalized);
  } else if (first === OPEN_BRACE) {
    const normalized = contentFromText(source.toString("utf8", start, end), kind.role);
    if (normalized.messages !== undefined) return built(normalized);
  }
  if (first === QUOTE) {
    const opened = openJson(source.toString("utf8", start, end));
    const inner = typeof opened === "string" ? undefined : contentFromText(JSON.stringify(opened), kind.role);
    if (inner?.messages !== undefined) return built(inner);
  }
  const truncated = first === OPEN_BRACKET || first === OPEN_BRACE;
  return { index, text: undefined, format: "text", truncated, moved: kind.moved, media: [] };
}

/** Messages with parts of a provider's shape, in the conventions'; undefined where all are in that already, and go over as bytes. */
function normalizedParts(bytes: Slice, { role }: Kind): Content | undefined {
  const { source, start, end } = bytes;
  const isForeign = end - start > 2 && (FOREIGN.some((search) => search(bytes)) || !source.subarray(start, end).includes(TYPE));
  const list = isForeign ? parseJson(textOf(bytes)) : undefined;
  return Array.isArray(list) && !list.every(isCurrentMessage) ? built(messagesContent(toMessageList(list, role))) : undefined;
}

/** Messages as a structured value become JSON text; in the provider's shape they are normalised and stay on the span as well. */
function structured(attributes: AttributeList, index: number, kind: Kind): Content {
  const json = new ByteWriter(1024);
  writeJsonValue(json, attributes, index);
  if (json.view().includes(PARTS)) {
    const normalized = normalizedParts(whole(json.view()), kind);
    if (normalized !== undefined) return normalized;
    return {
      index,
      text: undefined,
      format: "messages",
      truncated: false,
      moved: kind.moved | (kind.moved << STRUCTURED_SHIFT),
      media: [],
    };
  }
  const normalized = contentFromText(json.view().toString("utf8"), kind.role);
  return {
    ...NONE,
    text: normalized.messages === undefined ? normalized.text : undefined,
    messages: normalized.messages,
    format: normalized.format,
  };
}

function firstVisible(source: Buffer, from: number): number {
  let at = from;
  while (source[at]! <= 0x20 && source[at] !== 0) at++;
  return at;
}

function lastVisible(source: Buffer, from: number): number {
  let at = from;
  while (at > 0 && source[at - 1]! <= 0x20) at--;
  return at;
}

/** Writes the content column. */
export function contentColumn(source: ColumnSource, content: Content, path: string): void {
  const { out, attributes, notes } = source;
  const text = content.messages === undefined ? content.text : JSON.stringify(content.messages);
  if (text !== undefined) {
    copyString(out, text);
    return;
  }
  if (content.index < 0) {
    copyNull(out);
    return;
  }
  const offset = attributes.a[content.index]!;
  if (attributes.kinds[content.index] === VALUE_STRING) {
    const start = position(offset);
    notes.mended(path, copyText(out, attributes.arena.source(offset), start, start + attributes.b[content.index]!));
    return;
  }
  const at = beginText(out);
  notes.mended(path, writeJsonValue(out, attributes, content.index));
  endField(out, at);
}

/** What must be read out of the response's messages: only parsed when a native search says that something is there. */
export interface ResponseDetails {
  readonly reasoning: string | undefined;
  readonly finishReason: string | undefined;
}

const NO_DETAILS: ResponseDetails = { reasoning: undefined, finishReason: undefined };

export function responseDetails(attributes: AttributeList, content: Content, wantFinishReason: boolean): ResponseDetails {
  if (content.format !== "messages") return NO_DETAILS;
  const messages = content.messages ?? tellingMessages(contentBytes(attributes, content), wantFinishReason);
  if (!Array.isArray(messages)) return NO_DETAILS;
  const texts = (messages as Partial<Message>[]).flatMap(reasoningTexts);
  const reasons = (messages as Partial<Message>[]).map((message) => message?.finish_reason).filter((reason) => typeof reason === "string");
  return {
    reasoning: texts.length > 0 ? texts.join("\n\n") : undefined,
    finishReason: joinFinishReasons(reasons),
  };
}

const tellingMessages = (bytes: Slice, wantFinishReason: boolean): Json =>
  hasReasoning(bytes) || (wantFinishReason && hasFinishReason(bytes)) ? parseJson(textOf(bytes)) : undefined;

/** The reasons of several choices: said once when they agree, else in order. */
export function joinFinishReasons(reasons: readonly string[]): string | undefined {
  if (reasons.length === 1 && reasons[0] !== "") return normalizeFinishReason(reasons[0]!);
  const distinct = [...new Set(reasons.filter((reason) => reason !== "").map(normalizeFinishReason))];
  return distinct.length > 0 ? distinct.join(",") : undefined;
}

const textOf = ({ source, start, end }: Slice): string => source.toString("utf8", start, end);

function contentBytes(attributes: AttributeList, { index, text }: Content): Slice {
  if (text !== undefined) return whole(Buffer.from(text, "utf8"));
  const offset = attributes.a[index]!;
  if (attributes.kinds[index] === VALUE_STRING) {
    const start = position(offset);
    return { source: attributes.arena.source(offset), start, end: start + attributes.b[index]!, isRequest: offset >= 0 };
  }
  const json = new ByteWriter(1024);
  writeJsonValue(json, attributes, index);
  return whole(json.view());
}

const whole = (source: Buffer): Slice => ({ source, start: 0, end: source.length, isRequest: false });

/** Reasoning parts hold their text as `content` (the conventions) or `text` (one official instrumentation). */
function reasoningTexts(message: Partial<Message> | null): string[] {
  if (!Array.isArray(message?.parts)) return [];
  return message.parts
    .filter((part) => part?.type === "reasoning")
    .map((part) => part["content"] ?? part["text"])
    .filter((text) => typeof text === "string");
}

import type { Content } from "../core/content.ts";
import { isRecorded, sha256 } from "../core/content.ts";
import type { ContentPlace } from "../core/content-policy.ts";
import { safeJson } from "../core/safe-json.ts";
import { at, isShape, type Shape, textAt, textOf } from "./shape.ts";

/** One part of a message as the conventions write it. */
export interface Part {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Under which rules parts are made: the content policy, and what kind of content the message is. */
export interface PartContext {
  readonly content: Content;
  readonly place: ContentPlace;
}

/** How a message of the collector's names a blob that was taken out: the same content has the same name there. */
const BLOB_SCHEME = "genspan-blob:";

/** Parts of any provider's content: one text, one typed piece, or a list of them. */
export function toParts(content: unknown, context: PartContext): Part[] {
  if (content === undefined || content === null || content === "") return [];
  if (typeof content === "string") return textParts(content, context);
  if (Array.isArray(content)) return content.flatMap((piece: unknown) => toParts(piece, context));
  return isShape(content) ? partsOfPiece(content, context) : textParts(String(content), context);
}

function textParts(text: string, { content, place }: PartContext): Part[] {
  const recorded = content.text(text, place);
  return recorded === undefined ? [] : [{ type: "text", content: recorded }];
}

export const reasoningParts = (text: string | undefined, context: PartContext): Part[] => {
  const recorded = context.content.text(text, "reasoning");
  return recorded === undefined || recorded === "" ? [] : [{ type: "reasoning", content: recorded }];
};

/** By the piece's own type name, which differ between providers and never mean two things. */
function partsOfPiece(piece: Shape, context: PartContext): Part[] {
  switch (piece["type"]) {
    case "text":
    case "input_text":
    case "output_text":
      return toParts(textAt(piece, "text") ?? textAt(piece, "content"), context);
    case "refusal":
      return toParts(textAt(piece, "refusal"), context);
    case "thinking":
    case "reasoning":
      return reasoningParts(reasoningText(piece), context);
    case "tool_use":
    case "server_tool_use":
    case "tool_call":
    case "tool-call":
    case "function_call":
    case "function":
      return toolCall(piece, context);
    case "tool_result":
    case "tool-result":
    case "tool_call_response":
    case "function_call_output":
      return toolResult(piece, context);
    case "image":
    case "image_url":
    case "input_image":
    case "input_audio":
    case "document":
    case "file":
    case "blob":
    case "uri":
    case "image_generation_call":
      return mediaParts(piece, context);
    case undefined:
      return untypedParts(piece, context);
    default:
      return otherPart(piece, context);
  }
}

/** Gemini's pieces have no type: text (perhaps a thought), functionCall, functionResponse, inlineData, fileData. */
function untypedParts(piece: Shape, context: PartContext): Part[] {
  const text = textAt(piece, "text");
  if (text !== undefined) return piece["thought"] === true ? reasoningParts(text, context) : textParts(text, context);
  if (isShape(piece["functionCall"])) return toolCall(piece["functionCall"], context);
  if (isShape(piece["functionResponse"])) return toolResult(piece["functionResponse"], context);
  if (isShape(piece["inlineData"]) || isShape(piece["fileData"])) return mediaParts(piece, context);
  return otherPart({ type: "unknown", ...piece }, context);
}

/** A kind that nobody here knows keeps its members, as JSON can hold them. */
function otherPart(piece: Shape, { content, place }: PartContext): Part[] {
  const text = content.text(safeJson(piece), place);
  if (text === undefined) return [];
  try {
    return [{ type: "unknown", ...(JSON.parse(text) as object) }];
  } catch {
    return [{ type: "text", content: text }];
  }
}

/** Summaries of OpenAI's reasoning items are lists of texts. */
function reasoningText(piece: Shape): string | undefined {
  const text = textAt(piece, "content") ?? textAt(piece, "text") ?? textAt(piece, "thinking") ?? textAt(piece, "reasoning");
  if (text !== undefined || !Array.isArray(piece["summary"])) return text;
  return piece["summary"].flatMap((each: unknown) => textOf(each) ?? textAt(each, "text") ?? []).join("\n\n");
}

export function toolCall(call: Shape, { content, place }: PartContext): Part[] {
  if (!isRecorded(place, content.policy)) return [];
  const id = textAt(call, "call_id") ?? textAt(call, "toolCallId") ?? textAt(call, "id");
  const name = textAt(call, "name") ?? textAt(call, "toolName") ?? textAt(call, "function", "name") ?? "";
  const given = call["arguments"] ?? call["input"] ?? call["args"] ?? at(call, "function", "arguments");
  const argumentsText = content.text(typeof given === "string" ? given : safeJson(given), place);
  return [{ type: "tool_call", ...(id === undefined ? {} : { id }), name, ...jsonMember("arguments", argumentsText) }];
}

export function toolResult(result: Shape, { content, place }: PartContext): Part[] {
  if (!isRecorded(place, content.policy)) return [];
  const id = textAt(result, "tool_use_id") ?? textAt(result, "toolCallId") ?? textAt(result, "call_id") ?? textAt(result, "id");
  const given = result["response"] ?? result["output"] ?? result["result"] ?? result["content"] ?? null;
  const response = content.text(typeof given === "string" ? given : safeJson(given), place);
  return [{ type: "tool_call_response", ...(id === undefined ? {} : { id }), response: null, ...jsonMember("response", response) }];
}

/** Text that is JSON stands in a part as what it means. */
function jsonMember(name: string, text: string | undefined): Shape {
  if (text === undefined) return {};
  if (!/^\s*[[{]/.test(text)) return { [name]: text };
  try {
    return { [name]: JSON.parse(text) as unknown };
  } catch {
    return { [name]: text };
  }
}

interface Media {
  readonly modality: string;
  readonly mimeType: string | undefined;
  readonly base64?: string | undefined;
  readonly uri?: string | undefined;
  readonly fileId?: string | undefined;
}

function mediaParts(piece: Shape, context: PartContext): Part[] {
  if (!isRecorded(context.place, context.content.policy)) return [];
  const media = readMedia(piece);
  const facts = { modality: media.modality, mime_type: media.mimeType ?? null };
  const { images, maxBytes } = context.content.policy;
  if (images === "none") return [{ type: "omitted", ...facts }];
  if (media.fileId !== undefined) return [{ type: "file", ...facts, file_id: media.fileId }];
  // An address may be signed: whoever has it has the picture.
  const uri = context.content.text(media.uri, context.place);
  if (uri !== undefined) return [{ type: "uri", ...facts, uri }];
  if (media.base64 === undefined) return [{ type: "omitted", ...facts }];
  // Half a picture is none: one beyond the bound is named by its hash.
  if (images === "bytes" && media.base64.length <= maxBytes) return [{ type: "blob", ...facts, content: media.base64 }];
  const bytes = Buffer.from(media.base64, "base64");
  return [{ type: "uri", ...facts, uri: `${BLOB_SCHEME}${sha256(bytes)}`, size_bytes: bytes.length }];
}

/** Pictures, sounds and files, wherever a provider puts their bytes, address or id. */
function readMedia(piece: Shape): Media {
  const source = isShape(piece["source"]) ? piece["source"] : piece;
  const inline = at(piece, "inlineData");
  const mimeType =
    textAt(piece, "mime_type") ??
    textAt(piece, "mimeType") ??
    textAt(piece, "mediaType") ??
    textAt(source, "media_type") ??
    textAt(inline, "mimeType") ??
    textAt(piece, "fileData", "mimeType");
  const given =
    textAt(piece, "uri") ??
    textAt(piece, "image_url", "url") ??
    textAt(piece, "image_url") ??
    textAt(source, "url") ??
    textAt(piece, "fileData", "fileUri") ??
    urlText(piece["image"]) ??
    urlText(piece["data"]);
  const data = given === undefined ? undefined : /^data:([^;,]*)[^,]*;base64,/.exec(given);
  const modality = textAt(piece, "modality") ?? modalityOf(String(piece["type"] ?? ""), data?.[1] || mimeType);
  if (data !== null && data !== undefined && given !== undefined) {
    return { modality, mimeType: mimeType ?? textOf(data[1]), base64: given.slice(data[0].length) };
  }
  if (given !== undefined && /^[a-z][a-z0-9+.-]*:/i.test(given)) return { modality, mimeType, uri: given };
  const fileId = textAt(piece, "file_id") ?? textAt(source, "file_id") ?? textAt(piece, "file", "file_id");
  if (fileId !== undefined) return { modality, mimeType, fileId };
  const raw =
    given ??
    textAt(piece, "content") ??
    textAt(source, "data") ??
    textAt(inline, "data") ??
    textAt(piece, "input_audio", "data") ??
    textAt(piece, "result") ??
    textAt(piece, "file", "file_data");
  return { modality, mimeType, base64: raw ?? binary(piece["image"] ?? piece["data"]) };
}

const urlText = (value: unknown): string | undefined => (value instanceof URL ? value.href : textOf(value));

const binary = (value: unknown): string | undefined =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") : undefined;

function modalityOf(type: string, mimeType: string | undefined): string {
  const kind = /^(image|audio|video)\//.exec(mimeType ?? "")?.[1];
  return kind ?? /image|audio/.exec(type)?.[0] ?? "document";
}

import { sizeOfBase64, sniffedMediaType } from "../base/base64.ts";
import { isObject, type JsonObject, stringOf } from "./json.ts";
import type { Part } from "./message-parts.ts";

/**
 * Types of pieces that are an image, sound, video or file, with their modality where the type tells it. Sources: OpenAI chat and responses,
 * Anthropic, Mistral, the Vercel AI SDK, LangChain, pydantic-ai.
 */
const MODALITIES: ReadonlyMap<string, string | undefined> = new Map([
  ["image", "image"],
  ["image_url", "image"],
  ["image-url", "image"],
  ["input_image", "image"],
  ["output_image", "image"],
  ["image_generation_call", "image"],
  ["audio", "audio"],
  ["audio_url", "audio"],
  ["audio-url", "audio"],
  ["input_audio", "audio"],
  ["output_audio", "audio"],
  ["video", "video"],
  ["video_url", "video"],
  ["video-url", "video"],
  ["document", "document"],
  ["document_url", "document"],
  ["document-url", "document"],
  ["file", undefined],
  ["input_file", undefined],
  ["media", undefined],
  ["binary", undefined],
]);

export const MEDIA_TYPES: readonly string[] = [...MODALITIES.keys()];

/** Names under which the media type stands beside the content. */
const MEDIA_TYPE_NAMES = ["mime_type", "media_type", "mimeType", "mediaType", "contentType", "content_type"] as const;
/** Names under which the content stands: base64, a data: URL, or the address that came into its place. */
const CONTENT_NAMES = ["data", "base64", "b64_json", "bytes", "file_data", "image", "audio"] as const;
/** Where pieces of two types have theirs. */
const CONTENT_OF_TYPE: ReadonlyMap<string, string> = new Map([
  ["image_generation_call", "result"],
  ["binary", "content"],
]);
/** Names under which an address stands; some frameworks put base64 there as well. */
const ADDRESS_NAMES = ["url", "uri", "image_url", "audio_url", "video_url", "document_url", "file_url", "fileUri", "file_uri"] as const;
/** Names of members that hold a picture, sound or file, or say where it is. */
export const MEDIA_NAMES: ReadonlySet<string> = new Set([...CONTENT_NAMES, ...ADDRESS_NAMES, ...CONTENT_OF_TYPE.values()]);
/** Names of objects within a piece that say what it holds. */
const HOLDERS = [
  "source",
  "file",
  "image_url",
  "audio_url",
  "video_url",
  "document_url",
  "input_audio",
  "data",
  "image",
  "audio",
  "video",
  "document",
  "media",
  "inlineData",
  "inline_data",
  "fileData",
  "file_data",
] as const;
/** Sounds are told by the name of their format alone, Bedrock's pictures as well. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ...["wav", "mp3", "flac", "opus", "aac", "ogg", "pcm16"].map((name) => [name, `audio/${name}`] as const),
  ...["png", "jpeg", "gif", "webp"].map((name) => [name, `image/${name}`] as const),
  ["pdf", "application/pdf"],
]);

/** What is known of a piece from the objects around it. */
interface Known {
  readonly modality: string | undefined;
  readonly mime: string | undefined;
}

/** A typed piece that is an image, sound, video or file, as a `blob`, `uri` or `file` part; one that does not say what it holds stays as it is. */
export function mediaPart(piece: JsonObject): Part {
  const type = stringOf(piece["type"]) ?? "unknown";
  const own = stringOf(piece[CONTENT_OF_TYPE.get(type) ?? ""]);
  const part = readMedia(own === undefined ? piece : { ...piece, data: own }, { modality: MODALITIES.get(type), mime: undefined });
  if (part === undefined) return { ...piece, type };
  const revised = stringOf(piece["revised_prompt"]);
  return revised === undefined ? part : { ...part, revised_prompt: revised };
}

/** A `blob` part of the conventions, which some write with `data`; one whose content was taken out before is a `uri` part. */
export function storedPart({ data, ...piece }: JsonObject): Part {
  const content = piece["content"] ?? data ?? "";
  if (typeof content !== "string" || !URL_SCHEME.test(content)) return { ...piece, type: "blob", content };
  const { content: _content, ...rest } = piece;
  return { ...rest, type: "uri", uri: content };
}

/** The same for pieces without a type: Gemini's inline data and files, Bedrock's and Genkit's media. Undefined for other pieces. */
export function untypedMediaPart(piece: JsonObject): Part | undefined {
  for (const [name, modality] of UNTYPED) {
    const held = piece[name];
    const part = isObject(held) ? readMedia(held, { modality, mime: undefined }) : undefined;
    if (part !== undefined) return part;
  }
  return undefined;
}

const UNTYPED: readonly (readonly [name: string, modality: string | undefined])[] = [
  ["inlineData", undefined],
  ["inline_data", undefined],
  ["fileData", undefined],
  ["file_data", undefined],
  ["media", undefined],
  ["image", "image"],
  ["video", "video"],
  ["audio", "audio"],
  ["document", "document"],
];

function readMedia(piece: JsonObject, around: Known): Part | undefined {
  if (piece["type"] === "text") return { type: "text", content: piece["data"] ?? piece["text"] ?? "" };
  const mime = mediaTypeIn(piece) ?? around.mime;
  const known = { modality: around.modality ?? modalityOf(mime), mime };
  for (const name of CONTENT_NAMES) {
    const content = stringOf(piece[name]);
    const part = content === undefined ? undefined : (addressPart(content, known) ?? base64Part(content, known));
    if (part !== undefined) return part;
  }
  for (const name of ADDRESS_NAMES) {
    const content = stringOf(piece[name]);
    if (content === undefined) continue;
    // What has no scheme is a path, unless it begins like a file.
    const part = addressPart(content, known) ?? (sniffedMediaType(content) === undefined ? undefined : base64Part(content, known));
    if (part !== undefined) return part;
  }
  for (const name of HOLDERS) {
    const held = piece[name];
    const part = isObject(held) ? readMedia(held, known) : undefined;
    if (part !== undefined) return part;
  }
  const id = stringOf(piece["file_id"]) ?? stringOf(piece["fileId"]);
  return id === undefined ? undefined : { type: "file", modality: known.modality ?? null, file_id: id };
}

/** The media type that an object states, in words or by the name of a format. */
export function mediaTypeIn(piece: JsonObject): string | undefined {
  for (const name of MEDIA_TYPE_NAMES) {
    const stated = stringOf(piece[name]);
    if (stated !== undefined) return stated;
  }
  return FORMATS.get(stringOf(piece["format"])?.toLowerCase() ?? "") ?? FORMATS.get(stringOf(piece["output_format"])?.toLowerCase() ?? "");
}

const URL_SCHEME = /^[a-z][a-z0-9+.-]*:/i;
/** The beginning of a data: URL with base64 (RFC 2397), up to its content; the first group is the media type. */
export const DATA_URL = /^data:([^;,]*)(?:;[^;,]*)*;base64,/;

/** A URL: `data:` holds the bytes, another one points to them. Undefined for what is no URL. */
function addressPart(content: string, { modality, mime }: Known): Part | undefined {
  const data = DATA_URL.exec(content);
  if (data !== null) return blobPart(content.slice(data[0].length), { modality, mime: stringOf(data[1]) ?? mime });
  return URL_SCHEME.test(content) ? uriPart(content, { modality, mime }) : undefined;
}

/** A word may be base64 by chance: something must say that it is no text. */
function base64Part(content: string, known: Known): Part | undefined {
  const told =
    known.mime !== undefined || (known.modality !== undefined && known.modality !== "document") || sniffedMediaType(content) !== undefined;
  return told && sizeOfBase64(content) !== undefined ? blobPart(content, known) : undefined;
}

/** A `blob` part; the bytes themselves tell their media type where nobody says it. */
function blobPart(content: string, { modality, mime }: Known): Part {
  const known = mime ?? sniffedMediaType(content);
  return { type: "blob", modality: modality ?? modalityOf(known) ?? null, mime_type: known ?? null, content };
}

function uriPart(uri: string, { modality, mime }: Known): Part {
  return { type: "uri", modality: modality ?? modalityOf(mime) ?? null, ...(mime === undefined ? {} : { mime_type: mime }), uri };
}

/** The modality that a media type tells; undefined for documents and unknown ones. */
export const modalityOf = (mime: string | undefined): string | undefined => /^(image|audio|video)\//.exec(mime ?? "")?.[1];

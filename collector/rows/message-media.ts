import { isObject, type Json, type JsonObject, parseJson, stringOf } from "../dialects/json.ts";
import { modalityOf } from "../dialects/media-parts.ts";
import { contentParts, isCurrentPart, type Part } from "../dialects/message-parts.ts";
import { BLOB_SCHEME, type Blob, blobFromBase64, blobFromDataUrl, type NamedBlob } from "./blobs.ts";
import { createSliceSearch, type Slice } from "./byte-search.ts";
import { withoutBinary } from "./media-json.ts";

/** An image, sound or file that a message carries: its bytes, or where they are. */
export interface MediaPart {
  readonly modality: string | undefined;
  readonly mediaType: string | undefined;
  readonly blob: Blob | undefined;
  readonly uri: string | undefined;
}

/** Messages without their binary content, and that content. */
export interface ExtractedMedia {
  /** The messages with a reference in the place of each blob; undefined when nothing was taken out. */
  readonly text: string | undefined;
  readonly media: readonly MediaPart[];
}

const NO_MEDIA: ExtractedMedia = { text: undefined, media: [] };

/**
 * Beginnings and ends, short for a fast search, of what stands beside every picture, sound or file in a message: `"modality"` (the conventions), `;base64,`
 * (data: URLs), `"image"`, `"image_url"`, `"image_generation_call"`, `input_audio`, and media types (`mime_type`, `media_type`, `mimeType`, `mediaType`).
 */
const SEARCHES = ['"modali', ";base64", '"image', "_audio", '_type"', 'Type"'].map(createSliceSearch);

/** Native searches that say whether parsing messages is worth while. */
export function mayHoldMedia(slice: Slice): boolean {
  for (const search of SEARCHES) if (search(slice)) return true;
  return false;
}

/**
 * Takes binary content out of messages: `blob` parts and `uri` parts with a data: URL, pieces in a provider's own shape, which become such parts, and what
 * results of tools and other parts hold. Text that is no list of messages, and content that is no base64, stays as it is.
 */
export function extractMedia(text: string): ExtractedMedia {
  const parsed = parseJson(text);
  if (!Array.isArray(parsed)) return NO_MEDIA;
  const { messages, media } = takeMedia(parsed as Json[]);
  return { text: messages === parsed ? undefined : JSON.stringify(messages), media };
}

/** The same for messages that are opened already: the same list where nothing was taken out. */
export function takeMedia<T>(messages: readonly T[]): { readonly messages: readonly T[]; readonly media: readonly MediaPart[] } {
  const media: MediaPart[] = [];
  const after = messages.map((message) => takeFrom(message, media) as T);
  return { messages: after.some((message, i) => message !== messages[i]) ? after : messages, media };
}

function takeFrom(message: Json, media: MediaPart[]): Json {
  if (!isObject(message) || !Array.isArray(message["parts"])) return message;
  const before = message["parts"] as readonly Json[];
  const parts = before.map((part) => takePart(part, media));
  return parts.some((part, i) => part !== before[i]) ? { ...message, parts } : message;
}

/** What stays of a part; the same part where nothing was taken out. */
function takePart(given: Json, media: MediaPart[]): Json {
  const part = isObject(given) ? asMediaPart(given) : undefined;
  if (part === undefined) return takeNested(given, media);
  const modality = stringOf(part["modality"]);
  const mediaType = stringOf(part["mime_type"]) ?? stringOf(part["media_type"]);
  const uri = stringOf(part["uri"]);
  const named = part.type === "blob" ? blobFromBase64(stringOf(part["content"]) ?? "", mediaType) : blobFromDataUrl(uri ?? "");
  if (named !== undefined) {
    const type = mediaType ?? named.mediaType;
    media.push({ modality, mediaType: type, blob: withType(named.blob, type), uri: named.blob === undefined ? named.uri : undefined });
    return referenceTo(named, part);
  }
  if (uri !== undefined) media.push({ modality, mediaType, blob: undefined, uri });
  return part.type === "uri" ? part : given;
}

const withType = (blob: Blob | undefined, mediaType: string | undefined): Blob | undefined =>
  blob === undefined || blob.mediaType === mediaType ? blob : { ...blob, mediaType };

/** A part of the conventions with media, or a provider's piece as one; undefined for any other. The same object where it needs no reading. */
function asMediaPart(part: JsonObject): Part | undefined {
  const [read] = isCurrentPart(part) ? [part] : contentParts([part]);
  return read?.type === "blob" || read?.type === "uri" ? read : undefined;
}

/** A part of the conventions that names its blob by hash. */
function referenceTo({ uri, mediaType, sizeBytes }: NamedBlob, part: Part): Part {
  const { content: _content, ...rest } = part;
  const stated = stringOf(part["mime_type"]) ?? stringOf(part["media_type"]) ?? mediaType ?? null;
  return { ...rest, type: "uri", modality: part["modality"] ?? null, mime_type: stated, uri, size_bytes: sizeBytes };
}

/** A plain text without the data: URLs within it; undefined where it has none. */
export function textWithoutMedia(text: string): { readonly text: string; readonly media: readonly MediaPart[] } | undefined {
  const media: MediaPart[] = [];
  const without = takeNested(text, media);
  return typeof without === "string" && media.length > 0 ? { text: without, media } : undefined;
}

/** A native search that says whether a plain text may hold data: URLs. */
export const mayHoldDataUrl = createSliceSearch(";base64");

/** Results of tools carry pictures, and texts data: URLs. */
function takeNested(part: Json, media: MediaPart[]): Json {
  if (isObject(part) && stringOf(part["response"])?.startsWith(BLOB_SCHEME) === true) {
    const mediaType = stringOf(part["mime_type"]);
    media.push({ modality: modalityOf(mediaType), mediaType, blob: undefined, uri: stringOf(part["response"]) });
  }
  return withoutBinary(part, (blob, { uri, mediaType }) => {
    media.push({ modality: modalityOf(mediaType), mediaType, blob, uri: blob === undefined ? uri : undefined });
  });
}

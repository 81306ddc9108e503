import { sizeOfBase64, sniffedMediaType } from "../base/base64.ts";
import { isObject, type Json, type JsonObject, parseJson, stringOf } from "../dialects/json.ts";
import { DATA_URL, MEDIA_NAMES, MEDIA_TYPES, mediaTypeIn } from "../dialects/media-parts.ts";
import { type Blob, blobFromBase64, blobFromDataUrl, type NamedBlob } from "./blobs.ts";

/** Told of each piece of binary content that was taken out; its blob is undefined where it is too large to be stored. */
export type Found = (blob: Blob | undefined, named: NamedBlob) => void;

/** Content is not nested deeper; what is, stays. */
const MAX_DEPTH = 32;
/** Base64 without a word of what it is counts as a picture from this size on, if it begins like one. */
const MIN_BARE_BASE64 = 32;
/** JSON within a text is opened from this size on. */
const MIN_INNER_JSON = 64;

/**
 * A value without its binary content, in whatever shape a provider or a framework wrote it: a reference by hash stands in the place of each data: URL and of
 * base64 beside its media type, in a piece of a media type, or that begins like a file of a well-known format. The same value where there is none.
 */
export function withoutBinary(value: Json, found: Found): Json {
  return strip(value, 0, found);
}

function strip(value: Json, depth: number, found: Found): Json {
  if (typeof value === "string") return stripText(value, depth, found);
  if (depth > MAX_DEPTH || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return stripList(value as Json[], depth, found);
  return isObject(value) ? stripObject(value, depth, found) : value;
}

function stripList(list: readonly Json[], depth: number, found: Found): Json {
  const without = list.map((each) => strip(each, depth + 1, found));
  return without.some((each, i) => each !== list[i]) ? without : list;
}

function stripObject(object: JsonObject, depth: number, found: Found): Json {
  if (object["type"] === "blob" && typeof object["content"] === "string") return stripBlobPart(object, object["content"], found);
  const names = base64Names(object);
  const stated = mediaTypeIn(object);
  let taken = false;
  let told: string | undefined;
  const entries = Object.entries(object).map(([name, each]): [string, Json] => {
    let last: NamedBlob | undefined;
    const inside: Found = (blob, named) => {
      last = named;
      found(blob, named);
    };
    const held = names.has(name) && typeof each === "string" ? stripBase64(each, stated, inside) : undefined;
    const left = held ?? strip(each, depth + 1, inside);
    if (left === each) return [name, each];
    taken = true;
    if (left === last?.uri && (MEDIA_NAMES.has(name) || name === TOOL_RESULT)) told ??= last?.mediaType;
    return [name, left];
  });
  if (!taken) return object;
  // The media type stood in the data: URL, or in the bytes.
  if (stated === undefined && told !== undefined) entries.push(["mime_type", told]);
  return Object.fromEntries(entries);
}

/** A part of the conventions turns from bytes into an address. */
function stripBlobPart(part: JsonObject, base64: string, found: Found): Json {
  const mediaType = mediaTypeIn(part);
  const named = blobFromBase64(base64, mediaType);
  if (named === undefined) return part;
  found(named.blob, named);
  const { content: _content, ...rest } = part;
  const modality = part["modality"] ?? null;
  return { ...rest, type: "uri", modality, mime_type: mediaType ?? null, uri: named.uri, size_bytes: named.sizeBytes };
}

/** Where a tool that draws has its picture. */
const TOOL_RESULT = "response";
const NONE: ReadonlySet<string> = new Set();
const ALWAYS: ReadonlySet<string> = new Set(["b64_json"]);
const BESIDE_MEDIA_TYPE: ReadonlySet<string> = new Set(["b64_json", "data", "base64", "bytes", "file_data", "image"]);
const OF_BINARY: ReadonlySet<string> = new Set(["content"]);
const OF_GENERATED: ReadonlySet<string> = new Set(["result"]);
const TYPES: ReadonlySet<string> = new Set(MEDIA_TYPES);

/** Media types whose content may stand beside them as it is. */
const TEXTUAL = /^text\/|\bjson\b|\bxml\b/;

/** The members of an object that hold base64, told by what stands beside them. */
function base64Names(object: JsonObject): ReadonlySet<string> {
  const type = stringOf(object["type"]) ?? "";
  if (type === "text") return NONE;
  if (type === "binary") return OF_BINARY;
  if (type === "image_generation_call") return OF_GENERATED;
  const mediaType = mediaTypeIn(object);
  return TYPES.has(type) || (mediaType !== undefined && !TEXTUAL.test(mediaType)) ? BESIDE_MEDIA_TYPE : ALWAYS;
}

function stripBase64(base64: string, mediaType: string | undefined, found: Found): string | undefined {
  const named = blobFromBase64(base64, mediaType ?? sniffedMediaType(base64));
  if (named === undefined) return undefined;
  found(named.blob, named);
  return named.uri;
}

const DATA_URLS = /data:[\w.+-]+\/[\w.+-]+(?:;[\w.+-]+=[\w.+-]*)*;base64,[A-Za-z0-9+/_-]+={0,2}/g;

/** A text that is binary content, holds some as data: URLs, or is JSON that does. */
function stripText(text: string, depth: number, found: Found): string {
  if (text.length < MIN_BARE_BASE64 && !text.startsWith("data:")) return text;
  const mediaType = sniffedMediaType(text);
  if (mediaType !== undefined && sizeOfBase64(text) !== undefined) return stripBase64(text, mediaType, found) ?? text;
  if (depth > 0 && !TEXT_SIGNS.some((sign) => text.includes(sign))) return text;
  const whole = DATA_URL.test(text) ? stripDataUrl(text, found) : undefined;
  if (whole !== undefined) return whole;
  if (text.length >= MIN_INNER_JSON && /^\s*[[{]/.test(text)) {
    const inner = parseJson(text);
    const without = strip(inner, depth + 1, found);
    if (without !== inner) return JSON.stringify(without);
  }
  return text.includes(";base64,") ? text.replaceAll(DATA_URLS, (url) => stripDataUrl(url, found) ?? url) : text;
}

/** One of these stands in nearly every text that holds binary content somewhere within; whole values were searched for more before. */
const TEXT_SIGNS = [";base64,", "b64_json", '_type"', 'Type"', '_type\\"', 'Type\\"', "_audio", '"image', '"blob', '"iVBOR', '"/9j/'];

function stripDataUrl(url: string, found: Found): string | undefined {
  const named = blobFromDataUrl(url);
  if (named !== undefined) found(named.blob, named);
  return named?.uri;
}

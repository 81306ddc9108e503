import { createHash } from "node:crypto";
import { isObject, type Json, parseJson, stringOf } from "../dialects/json.ts";
import { sizeOfBase64 } from "./base64.ts";
import { type ByteSearch, createByteSearch } from "./byte-search.ts";

/** Binary content of a message part. */
export interface Blob {
  readonly sha256: Buffer;
  readonly mediaType: string | undefined;
  readonly content: Buffer;
}

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

/** How a stored message names the blob that was in its place: `genspan-blob:<sha256 in hexadecimal>`. */
export const BLOB_SCHEME = "genspan-blob:";
/** Larger content is not stored: its message keeps the hash and the size. */
export const MAX_BLOB_BYTES = 20 * 1024 * 1024;

const NO_MEDIA: ExtractedMedia = { text: undefined, media: [] };
/** Beginnings of `"modality"` and `;base64,`, short for a fast search. */
const hasModality = createByteSearch('"modali');
const hasDataUrl = createByteSearch(";base64");

/** Native searches that say whether parsing the messages in `source[start, end)` is worth while. */
export const mayHoldMedia: ByteSearch = (source, start, end) => hasModality(source, start, end) || hasDataUrl(source, start, end);

/**
 * Takes binary content out of messages in the conventions' shape (`blob` parts, and `uri` parts with a data: URL). Text that is no such JSON, and
 * content that is no base64, stays as it is.
 */
export function extractMedia(messages: string): ExtractedMedia {
  const parsed = parseJson(messages);
  if (!Array.isArray(parsed)) return NO_MEDIA;
  const media: MediaPart[] = [];
  let replaced = false;
  for (const message of parsed as Json[]) {
    if (!isObject(message) || !Array.isArray(message["parts"])) continue;
    message["parts"] = (message["parts"] as Json[]).map((part) => {
      const found = readPart(part);
      if (found === undefined) return part;
      media.push(found.media);
      replaced ||= found.reference !== undefined;
      return found.reference ?? part;
    });
  }
  return { text: replaced ? JSON.stringify(parsed) : undefined, media };
}

function readPart(part: Json): { media: MediaPart; reference: Json } | undefined {
  if (!isObject(part)) return undefined;
  const modality = stringOf(part["modality"]);
  const mediaType = stringOf(part["mime_type"]) ?? stringOf(part["media_type"]);
  if (part["type"] === "blob" && typeof part["content"] === "string") return fromBase64(part, part["content"], { modality, mediaType });
  const uri = stringOf(part["uri"]);
  if (part["type"] !== "uri" || uri === undefined) return undefined;
  const data = DATA_URL.exec(uri);
  if (data === null) return { media: { modality, mediaType, blob: undefined, uri }, reference: undefined };
  return fromBase64(part, uri.slice(data[0].length), { modality, mediaType: mediaType ?? stringOf(data[1]) });
}

function fromBase64(part: Record<string, Json>, base64: string, facts: Pick<MediaPart, "modality" | "mediaType">) {
  const found = blobFromBase64(base64, facts.mediaType);
  if (found === undefined) return undefined;
  const { blob, uri, sizeBytes } = found;
  const { content: _content, ...rest } = part;
  const reference = {
    ...rest,
    type: "uri",
    modality: facts.modality ?? null,
    mime_type: facts.mediaType ?? null,
    uri,
    size_bytes: sizeBytes,
  };
  return { media: { ...facts, blob, uri: blob === undefined ? uri : undefined }, reference };
}

/** Binary content and the name by which messages refer to it; `blob` is undefined where it is too large to be stored. */
export interface NamedBlob {
  readonly blob: Blob | undefined;
  readonly uri: string;
  readonly sizeBytes: number;
}

/** Undefined for what is no base64, or nothing. */
export function blobFromBase64(base64: string, mediaType: string | undefined): NamedBlob | undefined {
  const sizeBytes = sizeOfBase64(base64);
  if (sizeBytes === undefined || sizeBytes === 0) return undefined;
  const content = Buffer.from(base64, "base64");
  const sha256 = createHash("sha256").update(content).digest();
  const blob = sizeBytes > MAX_BLOB_BYTES ? undefined : { sha256, mediaType, content };
  return { blob, uri: `${BLOB_SCHEME}${sha256.toString("hex")}`, sizeBytes };
}

const DATA_URL = /^data:([^;,]*)(?:;[^;,]*)*;base64,/;

export function blobFromDataUrl(url: string): NamedBlob | undefined {
  const head = DATA_URL.exec(url);
  return head === null ? undefined : blobFromBase64(url.slice(head[0].length), stringOf(head[1]));
}

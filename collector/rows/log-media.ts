import { ByteWriter } from "../base/byte-writer.ts";
import { isObject, type Json, parseJson } from "../dialects/json.ts";
import { type AttributeList, VALUE_ARRAY, VALUE_KVLIST, VALUE_STRING } from "../otlp/attribute-list.ts";
import type { LogView } from "../otlp/span-view.ts";
import { writeJsonValue } from "../otlp/value-json.ts";
import { type Blob, blobFromBase64, blobFromDataUrl } from "./blobs.ts";

/** What was taken out of one log record. */
export interface LogMedia {
  /** The body without its binary content, as JSON; undefined where nothing was taken out of it. */
  readonly body: string | undefined;
  readonly blobs: readonly Blob[];
}

const NOTHING: LogMedia = { body: undefined, blobs: [] };
/** One of these stands in every record with binary content: a data: URL, a part of a message, an answer of OpenAI's, a piece of Anthropic's or Google's. */
export const MEDIA_SIGNS = [";base64,", "blob", "b64_json", "mime_type", "media_type", "mimeType", "input_audio"].map((sign) =>
  Buffer.from(sign),
);
/** Content is not nested deeper; what is, stays. */
const MAX_DEPTH = 32;

/**
 * Takes binary content out of a content event: what stays names it by hash, as in the messages of spans. Structured attributes that carried some become JSON
 * text. Records without a sign of any are not looked at.
 */
export function takeMedia(view: LogView): LogMedia {
  const record = view.arena.request.subarray(view.start, view.end);
  if (!MEDIA_SIGNS.some((sign) => record.includes(sign))) return NOTHING;
  const blobs = new Map<string, Blob>();
  const found = (blob: Blob | undefined): void => {
    if (blob !== undefined) blobs.set(blob.sha256.toString("hex"), blob);
  };
  const { attributes } = view;
  for (let i = 0; i < attributes.count; i++) {
    const text = attributeWithoutMedia(attributes, i, found);
    if (text !== undefined) attributes.setText(i, text);
  }
  return { body: view.body.count === 0 ? undefined : attributeWithoutMedia(view.body, 0, found), blobs: [...blobs.values()] };
}

type Found = (blob: Blob | undefined) => void;

/** The value's JSON without its binary content; undefined where it has none. */
export function attributeWithoutMedia(list: AttributeList, index: number, found: Found): string | undefined {
  const kind = list.kinds[index];
  if (kind !== VALUE_STRING && kind !== VALUE_ARRAY && kind !== VALUE_KVLIST) return undefined;
  const value = kind === VALUE_STRING ? parseJson(list.text(index) ?? "") : structured(list, index);
  if (typeof value !== "object" || value === null) return undefined;
  let taken = 0;
  const without = strip(value, 0, (blob) => {
    taken++;
    found(blob);
  });
  return taken === 0 ? undefined : JSON.stringify(without);
}

function structured(list: AttributeList, index: number): Json {
  const json = new ByteWriter(1024);
  writeJsonValue(json, list, index);
  return parseJson(json.view().toString("utf8"));
}

function strip(value: Json, depth: number, found: Found): Json {
  if (typeof value === "string") return stripText(value, found);
  if (depth > MAX_DEPTH || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((each: Json) => strip(each, depth + 1, found));
  if (!isObject(value)) return value;
  const part = value["type"] === "blob" ? stripBase64(value, "content", found) : stripNamed(value, found);
  return part ?? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, strip(each, depth + 1, found)]));
}

function stripText(text: string, found: Found): string {
  const blob = text.startsWith("data:") ? blobFromDataUrl(text) : undefined;
  if (blob === undefined) return text;
  found(blob.blob);
  return blob.uri;
}

/** Bytes under the names that providers give them, beside their media type. */
function stripNamed(value: Record<string, Json>, found: Found): Json {
  if (value["b64_json"] !== undefined) return stripBase64(value, "b64_json", found);
  const typed = ["mime_type", "media_type", "mimeType", "format"].some((name) => typeof value[name] === "string");
  return typed ? stripBase64(value, "data", found) : undefined;
}

function stripBase64(value: Record<string, Json>, name: string, found: Found): Json {
  const base64 = value[name];
  if (typeof base64 !== "string") return undefined;
  const mediaType = ["mime_type", "media_type", "mimeType"].map((each) => value[each]).find((each) => typeof each === "string");
  const blob = blobFromBase64(base64, typeof mediaType === "string" ? mediaType : undefined);
  if (blob === undefined) return undefined;
  found(blob.blob);
  if (value["type"] !== "blob") return { ...value, [name]: blob.uri };
  const { content: _content, ...rest } = value;
  return {
    ...rest,
    type: "uri",
    modality: value["modality"] ?? null,
    mime_type: mediaType ?? null,
    uri: blob.uri,
    size_bytes: blob.sizeBytes,
  };
}

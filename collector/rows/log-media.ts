import { ByteWriter } from "../base/byte-writer.ts";
import { type Json, parseJson } from "../dialects/json.ts";
import { type AttributeList, VALUE_ARRAY, VALUE_KVLIST, VALUE_STRING } from "../otlp/attribute-list.ts";
import { DecodeError } from "../otlp/decode-error.ts";
import type { LogView } from "../otlp/span-view.ts";
import { writeJsonValue } from "../otlp/value-json.ts";
import type { Blob } from "./blobs.ts";
import { type Found, withoutBinary } from "./media-json.ts";

/** What was taken out of one log record. */
export interface LogMedia {
  /** The body without its binary content, as JSON; undefined where nothing was taken out of it. */
  readonly body: string | undefined;
  readonly blobs: readonly Blob[];
}

const NOTHING: LogMedia = { body: undefined, blobs: [] };
/**
 * One of these stands in every value with binary content: a data: URL, a part of a message, an answer of OpenAI's, a piece of Anthropic's, Google's or the
 * Vercel AI SDK's. Without quotes: names of structured values have none.
 */
const MEDIA_SIGNS = [";base64,", "blob", "b64_json", "_type", "Type", "_audio", "image", "iVBORw0KGgo"].map((sign) => Buffer.from(sign));

export const hasMediaSign = (bytes: Buffer): boolean => MEDIA_SIGNS.some((sign) => bytes.includes(sign));

/**
 * Takes binary content out of a content event: what stays names it by hash, as in the messages of spans. Structured attributes that carried some become JSON
 * text. Records without a sign of any are not looked at.
 */
export function takeMedia(view: LogView): LogMedia {
  if (!hasMediaSign(view.arena.request.subarray(view.start, view.end))) return NOTHING;
  const blobs = new Map<string, Blob>();
  const found: Found = (blob) => {
    if (blob !== undefined) blobs.set(blob.sha256.toString("hex"), blob);
  };
  takeAttributeMedia(view.attributes, found);
  return { body: view.body.count === 0 ? undefined : valueWithoutMedia(view.body, 0, found), blobs: [...blobs.values()] };
}

/** Puts references into the place of binary content in a list of attributes; structured ones that carried some become JSON text. */
export function takeAttributeMedia(attributes: AttributeList, found: Found): void {
  for (let i = 0; i < attributes.count; i++) {
    const text = valueWithoutMedia(attributes, i, found);
    if (text !== undefined) attributes.setText(i, text);
  }
}

/** A value without its binary content, structured ones as JSON; undefined where it has none. */
export function valueWithoutMedia(list: AttributeList, index: number, found: Found): string | undefined {
  const kind = list.kinds[index];
  const value =
    kind === VALUE_STRING ? list.text(index) : kind === VALUE_ARRAY || kind === VALUE_KVLIST ? structured(list, index) : undefined;
  const without = withoutBinary(value, found);
  if (without === value) return undefined;
  return kind === VALUE_STRING ? String(without) : JSON.stringify(without);
}

/** A broken value is left to whoever stores it. */
function structured(list: AttributeList, index: number): Json {
  const json = new ByteWriter(1024);
  try {
    writeJsonValue(json, list, index);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
  return parseJson(json.view().toString("utf8"));
}

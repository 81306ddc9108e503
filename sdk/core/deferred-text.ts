import type { Attributes, AttributeValue } from "@opentelemetry/api";
import type { JsonBytes } from "./json-bytes.ts";

/**
 * JSON text of a value that is the SDK's own and changes no more, written when somebody needs it, in the background. Escaping a prompt of 10 KB costs as much as
 * everything else that a caller waits for.
 */
export interface DeferredText {
  /** Bytes of UTF-8 of the strings in it. */
  sizeBytes(): number;
  text(): string;
  /** Writes the text as a literal of JSON. */
  writeTo(json: JsonBytes): void;
}

/** Attributes as the SDK holds them. */
export type RecordAttributes = Record<string, AttributeValue | DeferredText | undefined>;

/** `strings` are those that make the value's size. */
export function deferredJson(value: object, strings: readonly string[]): DeferredText {
  let text: string | undefined;
  let sizeBytes: number | undefined;
  return {
    sizeBytes() {
      sizeBytes ??= strings.reduce((sum, each) => sum + Buffer.byteLength(each), 0);
      return sizeBytes;
    },
    text() {
      text ??= JSON.stringify(value);
      return text;
    },
    writeTo: (json) => json.nested(value),
  };
}

export const isDeferred = (value: AttributeValue | DeferredText | undefined): value is DeferredText =>
  typeof value === "object" && value !== null && "sizeBytes" in value;

/** The same object with its texts written. */
export function written(attributes: RecordAttributes): Attributes {
  for (const name in attributes) {
    const value = attributes[name];
    if (isDeferred(value)) attributes[name] = value.text();
  }
  return attributes as Attributes;
}

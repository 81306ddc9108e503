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

/** `measure` gives the bytes of the strings in a value. */
export const deferredJson = <T extends object>(value: T, measure: (value: T) => number): DeferredText => new DeferredJson(value, measure);

/** A class, since every generation has two. */
class DeferredJson<T extends object> implements DeferredText {
  readonly #value: T;
  readonly #measure: (value: T) => number;
  #sizeBytes = -1;
  #text: string | undefined;

  constructor(value: T, measure: (value: T) => number) {
    this.#value = value;
    this.#measure = measure;
  }

  sizeBytes(): number {
    if (this.#sizeBytes < 0) this.#sizeBytes = this.#measure(this.#value);
    return this.#sizeBytes;
  }

  text(): string {
    this.#text ??= JSON.stringify(this.#value);
    return this.#text;
  }

  writeTo(json: JsonBytes): void {
    json.nested(this.#value);
  }
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

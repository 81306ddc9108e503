import type { RecordAttributes } from "./deferred-text.ts";
import type { JsonBytes } from "./json-bytes.ts";

/**
 * What a record begins with, on its announcement and on the record itself: measured once, written once. Nothing is added to it; what becomes known later stands in
 * attributes of the record's own, which take the place of these under the same name.
 */
export interface SharedAttributes {
  readonly values: RecordAttributes;
  /** Bytes that they take; `measure` is called the first time. */
  sizeBytes(measure: (values: RecordAttributes) => number): number;
  /** Writes them with `write`, or as that wrote them before. `again` says that the same will be asked for once more: the bytes are kept for that, outside of the heap. */
  writeTo(json: JsonBytes, again: boolean, write: (json: JsonBytes, values: RecordAttributes) => void): void;
}

export const sharedAttributes = (values: RecordAttributes): SharedAttributes => new Shared(values);

/** A class, since every record has one. */
class Shared implements SharedAttributes {
  readonly values: RecordAttributes;
  #sizeBytes = -1;
  #bytes: Buffer | undefined;

  constructor(values: RecordAttributes) {
    this.values = values;
  }

  sizeBytes(measure: (values: RecordAttributes) => number): number {
    if (this.#sizeBytes < 0) this.#sizeBytes = measure(this.values);
    return this.#sizeBytes;
  }

  writeTo(json: JsonBytes, again: boolean, write: (json: JsonBytes, values: RecordAttributes) => void): void {
    if (this.#bytes === undefined) {
      const start = json.length();
      write(json, this.values);
      if (again) this.#bytes = Buffer.concat([json.since(start)]);
    } else {
      json.bytes(this.#bytes);
      if (!again) this.#bytes = undefined;
    }
  }
}

/** Whether one of the names of `own` is among the shared ones. */
export function overlaps({ values }: SharedAttributes, own: RecordAttributes): boolean {
  for (const name in own) if (name in values) return true;
  return false;
}

/** All of them as one object, which is nobody else's where there are shared ones. */
export const joinedAttributes = (shared: SharedAttributes | undefined, own: RecordAttributes): RecordAttributes =>
  shared === undefined ? own : { ...shared.values, ...own };

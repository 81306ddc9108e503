import type { Signal } from "../base/signal.ts";
import { WIRE_LENGTH } from "../otlp/wire.ts";
import { visitAttributes } from "./attribute-places.ts";
import type { TextRange } from "./text-locator.ts";
import { readField } from "./wire-fields.ts";

/** What counts as content; `event` names the event or log record that an attribute belongs to. */
export interface ContentNames {
  readonly isContentName: (name: string, event: string) => boolean;
  readonly hasContentBody: (event: string) => boolean;
}

/**
 * Empties every value that holds content in a protobuf request, in place and without changing a length, before anything is decoded: rows, refused
 * items and forwards never see it. The keys stay, so that it shows that there was something; `allow` names attributes that stay whole. What
 * is left of a message that breaks off is wiped: its item is refused, and kept as it came. Returns how many values it emptied.
 */
export function createContentRemover(names: ContentNames, allow: readonly string[]): (bytes: Buffer, signal: Signal) => number {
  const allowed = new Set(allow);
  return (bytes, signal) => {
    let emptied = 0;
    const empty = (place: TextRange): void => {
      if (!isTextual(bytes, place)) return;
      emptyValue(bytes, place);
      emptied++;
    };
    visitAttributes(bytes, signal, {
      value(place, name, event) {
        if (!allowed.has(name) && names.isContentName(name, event)) empty(place);
      },
      body(place, event) {
        if (names.hasContentBody(event)) empty(place);
      },
      broken: ({ start, end }) => void bytes.fill(0, start, end),
    });
    return emptied;
  };
}

/** Kinds of AnyValue that can hold text: string, array, kvlist, bytes. */
const TEXTUAL: ReadonlySet<number> = new Set([1, 5, 6, 7]);

/** Numbers and flags stay: counts are no content. What cannot be read is taken for text. */
function isTextual(bytes: Buffer, { start, end }: TextRange): boolean {
  for (let pos = start; pos < end; ) {
    const field = readField(bytes, pos, end);
    if (field === undefined || TEXTUAL.has(field.number)) return true;
    pos = field.end;
  }
  return false;
}

/** A field that AnyValue does not have, of type bytes: decoders skip it and find no value. */
const FILLER_TAG = (15 << 3) | WIRE_LENGTH;
/** Tag and length: the length in one byte, or in five whatever it is, so that every size can be filled. */
const SHORT_HEAD = 2;
const LONG_HEAD = 6;

function emptyValue(bytes: Buffer, { start, end }: TextRange): void {
  bytes.fill(0, start, end);
  const size = end - start;
  if (size < SHORT_HEAD) return;
  bytes[start] = FILLER_TAG;
  if (size - SHORT_HEAD < 0x80) {
    bytes[start + 1] = size - SHORT_HEAD;
    return;
  }
  let length = size - LONG_HEAD;
  for (let i = 1; i < LONG_HEAD; i++) {
    bytes[start + i] = (length & 0x7f) | (i < LONG_HEAD - 1 ? 0x80 : 0);
    length >>>= 7;
  }
}

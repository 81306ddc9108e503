import type { Signal } from "../base/signal.ts";
import { EMPTIED_TAG } from "../otlp/sent-marks.ts";
import { WIRE_LENGTH } from "../otlp/wire.ts";
import { visitAttributes } from "./attribute-places.ts";
import type { Steps } from "./steps.ts";
import type { TextRange } from "./text-locator.ts";
import { readField } from "./wire-fields.ts";

/** What counts as content; `event` names the event or log record that an attribute belongs to. */
export interface ContentNames {
  readonly isContentName: (name: string, event: string) => boolean;
  readonly hasContentBody: (event: string) => boolean;
  /** Names that hold content where their text is more than `factsIn` leaves. */
  readonly mayBeContent?: (name: string, event: string) => boolean;
  /** What stays of the text of such an attribute, or of one that holds content: settings and counts; undefined where nothing does. */
  readonly factsIn?: (name: string, text: string) => string | undefined;
}

/**
 * Empties every value that holds content in a protobuf request, in place and without changing a length, before anything is decoded: rows, refused
 * items and forwards never see it. The keys stay, so that it shows that there was something, and so do the settings and counts in what holds both; `allow`
 * names attributes that stay whole. What is left of a message that breaks off is wiped: its item is refused, and kept as it came. Returns from how
 * many values it took content.
 */
export function createContentRemover(names: ContentNames, allow: readonly string[]): (bytes: Buffer, signal: Signal) => Steps<number> {
  const allowed = new Set(allow);
  return function* (bytes, signal) {
    let emptied = 0;
    const empty = (place: TextRange, name = ""): void => {
      if (!isTextual(bytes, place)) return;
      const text = names.factsIn === undefined ? undefined : textOf(bytes, place);
      const facts = text === undefined ? undefined : names.factsIn?.(name, text);
      if (facts !== undefined && facts === text) return;
      if (facts === undefined || !replaceText(bytes, place, facts)) emptyValue(bytes, place);
      emptied++;
    };
    yield* visitAttributes(bytes, signal, {
      value(place, name, event) {
        if (!allowed.has(name) && (names.isContentName(name, event) || names.mayBeContent?.(name, event) === true)) empty(place, name);
      },
      body(place, event) {
        if (names.hasContentBody(event) && !isBare(bytes, place)) empty(place);
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

/** Whether a value is one text, list or map without anything in it: the body that instrumentations send that capture no content. */
function isBare(bytes: Buffer, { start, end }: TextRange): boolean {
  const field = readField(bytes, start, end);
  return field?.wire === WIRE_LENGTH && field.start === field.end && field.end === end;
}

const STRING = 1;

/** The text of a value that is one string and nothing else. */
function textOf(bytes: Buffer, { start, end }: TextRange): string | undefined {
  const field = readField(bytes, start, end);
  if (field?.number !== STRING || field.wire !== WIRE_LENGTH || field.end !== end) return undefined;
  return bytes.toString("utf8", field.start, field.end);
}

/** Tag and length: the length in one byte, or in five whatever it is, so that every size can be filled. */
const SHORT_HEAD = 2;
const LONG_HEAD = 6;

function emptyValue(bytes: Buffer, { start, end }: TextRange): void {
  bytes.fill(0, start, end);
  const size = end - start;
  if (size < SHORT_HEAD) return;
  bytes[start] = EMPTIED_TAG;
  if (size - SHORT_HEAD < 0x80) bytes[start + 1] = size - SHORT_HEAD;
  else writeLength(bytes, { start: start + 1, end: start + LONG_HEAD }, size - LONG_HEAD);
}

/** A varint that takes up the whole range, however small it is. */
function writeLength(bytes: Buffer, { start, end }: TextRange, length: number): void {
  let rest = length;
  for (let at = start; at < end; at++) {
    bytes[at] = (rest & 0x7f) | (at < end - 1 ? 0x80 : 0);
    rest >>>= 7;
  }
}

/** Puts a shorter text in the place of a value; false where there is no room for it. */
function replaceText(bytes: Buffer, { start, end }: TextRange, text: string): boolean {
  const content = Buffer.from(text, "utf8");
  const from = start + LONG_HEAD;
  if (from + content.length > end) return false;
  bytes.fill(0, start, end);
  bytes[start] = (STRING << 3) | WIRE_LENGTH;
  // One byte is too little for a filler: the text takes it up.
  const padding = end - from - content.length === 1 ? 1 : 0;
  writeLength(bytes, { start: start + 1, end: from }, content.length + padding);
  content.copy(bytes, from);
  bytes.fill(SPACE, from + content.length, from + content.length + padding);
  emptyValue(bytes, { start: from + content.length + padding, end });
  return true;
}
const SPACE = 0x20;

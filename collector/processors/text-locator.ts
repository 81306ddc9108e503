import type { Signal } from "../base/signal.ts";
import { SENT_FIELD } from "../otlp/sent-marks.ts";
import { WIRE_LENGTH } from "../otlp/wire.ts";
import { PAUSE, type Steps } from "./steps.ts";
import { readField } from "./wire-fields.ts";

/** Where a text lies in a request. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

const TEXT = "text";
/** An id, which is text where it has another length than ids have: it is refused or mended then, and kept as it came. */
const ID = "id";
const ID_SIZES: readonly number[] = [8, 16];
type Message = { readonly [field: number]: Message | typeof TEXT | typeof ID | (() => Message) };

const keyValue: Message = { 1: TEXT, 2: () => anyValue };
const anyValue: Message = { 1: TEXT, 5: () => ({ 1: anyValue }), 6: () => ({ 1: keyValue }), 7: TEXT };
const resource: Message = { 1: keyValue };
const scope: Message = { 1: TEXT, 2: TEXT, 3: keyValue };
const event: Message = { 2: TEXT, 3: keyValue, [SENT_FIELD]: TEXT };
const link: Message = { 1: ID, 2: ID, 3: TEXT, 4: keyValue, [SENT_FIELD]: TEXT };
const status: Message = { 2: TEXT };
const span: Message = { 1: ID, 2: ID, 3: TEXT, 4: ID, 5: TEXT, 9: keyValue, 11: event, 13: link, 15: status, [SENT_FIELD]: TEXT };
const logRecord: Message = { 3: TEXT, 5: anyValue, 6: keyValue, 9: ID, 10: ID, 12: TEXT, [SENT_FIELD]: TEXT };

/** Fields of Export…ServiceRequest that lead to text; all others are skipped. Source: opentelemetry-proto v1. */
const ROOTS: Readonly<Record<Signal, Message>> = {
  traces: { 1: { 1: resource, 2: { 1: scope, 2: span, 3: TEXT }, 3: TEXT } },
  logs: { 1: { 1: resource, 2: { 1: scope, 2: logRecord, 3: TEXT }, 3: TEXT } },
  metrics: {},
};

interface Frame {
  pos: number;
  readonly end: number;
  readonly message: Message;
}

/** Finds the texts of one request, in ascending order of places: all calls together read the request once. */
export interface TextLocator {
  /** The first text that ends after `at`. Places must ascend. */
  next(at: number): Steps<TextRange | undefined>;
}

/** What is left of a message that cannot be read on counts as one text: whoever decodes it refuses the item, and keeps it as it came. */
export function createTextLocator(bytes: Buffer, signal: Signal): TextLocator {
  const frames: Frame[] = [{ pos: 0, end: bytes.length, message: ROOTS[signal] }];
  let last: TextRange | undefined;

  /** Steps to the text at or after `at`; whole fields before it are skipped. */
  function* seek(at: number): Steps<TextRange | undefined> {
    for (let frame = frames.at(-1), fields = 1; frame !== undefined; frame = frames.at(-1), fields++) {
      if (fields % PAUSE_FIELDS === 0) yield PAUSE;
      if (frame.pos >= frame.end) {
        frames.pop();
        continue;
      }
      const field = readField(bytes, frame.pos, frame.end);
      if (field === undefined) {
        frames.pop();
        if (frame.end > at) return { start: frame.pos, end: frame.end };
        continue;
      }
      frame.pos = field.end;
      if (field.wire !== WIRE_LENGTH || field.end <= at) continue;
      const type = frame.message[field.number];
      if (type === TEXT) return { start: field.start, end: field.end };
      if (type === ID) {
        if (!ID_SIZES.includes(field.end - field.start)) return { start: field.start, end: field.end };
        continue;
      }
      if (type !== undefined) frames.push({ pos: field.start, end: field.end, message: typeof type === "function" ? type() : type });
    }
    return undefined;
  }

  return {
    *next(at) {
      if (last === undefined || last.end <= at) last = yield* seek(at);
      return last;
    },
  };
}

/** Fields between two pauses. */
const PAUSE_FIELDS = 4_096;

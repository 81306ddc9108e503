import type { Signal } from "../base/signal.ts";
import { WIRE_LENGTH } from "../otlp/wire.ts";
import { PAUSE, type Steps } from "./steps.ts";
import type { TextRange } from "./text-locator.ts";
import { readField, type WireField } from "./wire-fields.ts";

/** What is found on a walk through a request; `event` names the event or log record that it belongs to, and is empty elsewhere. */
export interface AttributeVisitor {
  /** The AnyValue of an attribute. */
  value(place: TextRange, name: string, event: string): void;
  /** The AnyValue of a log record's body. */
  body?(place: TextRange, event: string): void;
  /** What is left of a message that breaks off. */
  broken?(rest: TextRange): void;
}

/** Fields of KeyValue, and of AnyValue its text. Source: opentelemetry-proto v1. */
const KEY = 1;
const VALUE = 2;
const TEXT = 1;
const EVENT_NAME = "event.name";

/** Walks through all attributes of a protobuf request: of resources, scopes, spans, events, links and log records. */
export function* visitAttributes(bytes: Buffer, signal: Signal, visitor: AttributeVisitor): Steps<void> {
  const fields = (message: TextRange, number: number): WireField[] => fieldsOf(bytes, message, { number, broken: visitor.broken });
  const each = (message: TextRange, number: number, visit: Visited["visit"]): Steps<void> =>
    visitFields(bytes, message, { number, broken: visitor.broken, visit });
  const text = (message: TextRange, number: number): string => {
    const last = fields(message, number).at(-1);
    return last === undefined ? "" : bytes.toString("utf8", last.start, last.end);
  };
  const attributes = (message: TextRange, number: number, event = ""): Steps<void> =>
    each(message, number, (pair) => {
      const name = text(pair, KEY);
      for (const value of fields(pair, VALUE)) visitor.value(value, name, event);
      return undefined;
    });
  const span = function* (message: TextRange): Steps<void> {
    yield* attributes(message, 9);
    yield* each(message, 11, (event) => attributes(event, 3, text(event, 2)));
    yield* each(message, 13, (link) => attributes(link, 4));
  };
  const eventName = (record: TextRange): string => {
    const pair = fields(record, 6).find((field) => text(field, KEY) === EVENT_NAME);
    const [value] = pair === undefined ? [] : fields(pair, VALUE);
    return value === undefined ? "" : text(value, TEXT);
  };
  const logRecord = function* (message: TextRange): Steps<void> {
    const event = text(message, 12) || eventName(message);
    yield* attributes(message, 6, event);
    for (const body of fields(message, 5)) visitor.body?.(body, event);
  };
  const item = signal === "logs" ? logRecord : span;
  yield* each({ start: 0, end: bytes.length }, 1, function* (group) {
    yield* each(group, 1, (resource) => attributes(resource, 1));
    yield* each(group, 2, function* (scoped) {
      yield* each(scoped, 1, (scope) => attributes(scope, 3));
      yield* each(scoped, 2, item);
    });
  });
}

interface Visited {
  readonly number: number;
  readonly broken: ((rest: TextRange) => void) | undefined;
  readonly visit: (field: WireField) => Steps<void> | undefined;
}

/** Fields between two pauses. */
const PAUSE_FIELDS = 256;

/** Visits the messages in one field of a message, in steps: there may be millions. */
function* visitFields(bytes: Buffer, { start, end }: TextRange, { number, broken, visit }: Visited): Steps<void> {
  for (let pos = start, fields = 1; pos < end; fields++) {
    const field = readField(bytes, pos, end);
    if (field === undefined) return broken?.({ start: pos, end });
    const steps = field.number === number && field.wire === WIRE_LENGTH ? visit(field) : undefined;
    if (steps !== undefined) yield* steps;
    if (fields % PAUSE_FIELDS === 0) yield PAUSE;
    pos = field.end;
  }
}

interface Wanted {
  readonly number: number;
  readonly broken: ((rest: TextRange) => void) | undefined;
}

/** The messages and texts in one field of a message. */
function fieldsOf(bytes: Buffer, { start, end }: TextRange, { number, broken }: Wanted): WireField[] {
  const found: WireField[] = [];
  for (let pos = start; pos < end; ) {
    const field = readField(bytes, pos, end);
    if (field === undefined) {
      broken?.({ start: pos, end });
      break;
    }
    if (field.number === number && field.wire === WIRE_LENGTH) found.push(field);
    pos = field.end;
  }
  return found;
}

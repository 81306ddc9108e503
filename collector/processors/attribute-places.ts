import type { Signal } from "../base/signal.ts";
import { WIRE_LENGTH } from "../otlp/wire.ts";
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
export function visitAttributes(bytes: Buffer, signal: Signal, visitor: AttributeVisitor): void {
  const fields = (message: TextRange, number: number): WireField[] => fieldsOf(bytes, message, { number, broken: visitor.broken });
  const text = (message: TextRange, number: number): string => {
    const last = fields(message, number).at(-1);
    return last === undefined ? "" : bytes.toString("utf8", last.start, last.end);
  };
  const attributes = (message: TextRange, number: number, event = ""): void => {
    for (const pair of fields(message, number)) {
      const name = text(pair, KEY);
      for (const value of fields(pair, VALUE)) visitor.value(value, name, event);
    }
  };
  const span = (message: TextRange): void => {
    attributes(message, 9);
    for (const event of fields(message, 11)) attributes(event, 3, text(event, 2));
    for (const link of fields(message, 13)) attributes(link, 4);
  };
  const eventName = (record: TextRange): string => {
    const pair = fields(record, 6).find((each) => text(each, KEY) === EVENT_NAME);
    const [value] = pair === undefined ? [] : fields(pair, VALUE);
    return value === undefined ? "" : text(value, TEXT);
  };
  const logRecord = (message: TextRange): void => {
    const event = text(message, 12) || eventName(message);
    attributes(message, 6, event);
    for (const body of fields(message, 5)) visitor.body?.(body, event);
  };
  const item = signal === "logs" ? logRecord : span;
  for (const group of fields({ start: 0, end: bytes.length }, 1)) {
    for (const resource of fields(group, 1)) attributes(resource, 1);
    for (const scoped of fields(group, 2)) {
      for (const scope of fields(scoped, 1)) attributes(scope, 3);
      for (const each of fields(scoped, 2)) item(each);
    }
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

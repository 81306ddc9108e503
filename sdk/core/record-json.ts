import type { AttributeValue, HrTime, SpanContext } from "@opentelemetry/api";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace";
import { GENSPAN_RECORD } from "../attributes.ts";
import { type DeferredText, isDeferred, type RecordAttributes } from "./deferred-text.ts";
import { createJsonBytes, type JsonBytes } from "./json-bytes.ts";
import type { OwnSpan, RecordFacts, RecordOrigin } from "./record.ts";
import { joinedAttributes, overlaps } from "./shared-attributes.ts";
import { nextTurn } from "./waiting.ts";

/** Writes records of the SDK as a request of OTLP/JSON. */
export interface RecordWriter {
  /**
   * The body of one request; valid until the next call. Writes for a short time only, then lets the event loop turn, and so on. `others` are spans of other makers: the
   * official serializer writes them, and they go into the same request.
   */
  write(records: readonly OwnSpan[], others?: readonly ReadableSpan[]): Promise<Uint8Array>;
}

const BEGIN = '{"resourceSpans":[';
const END = "]}";

/** How long records are written before what else waits comes first. */
const SLICE_MS = 2;

export function createRecordWriter(): RecordWriter {
  const json = createJsonBytes();
  return {
    async write(records, others = []) {
      json.clear();
      json.add(BEGIN);
      let origin: RecordOrigin | undefined;
      let sliceMillis = performance.now();
      for (const span of records) {
        if (span.origin !== origin) {
          if (origin !== undefined) json.add("]}]},");
          origin = span.origin;
          writeOrigin(json, origin);
        } else json.add(",");
        writeSpan(json, span);
        if (performance.now() - sliceMillis < SLICE_MS) continue;
        await nextTurn();
        sliceMillis = performance.now();
      }
      if (origin !== undefined) json.add(others.length === 0 ? "]}]}" : "]}]},");
      if (others.length > 0) json.bytes(groupsOf(others));
      json.add(END);
      return json.since(0);
    },
  };
}

/** What stands between the beginning and the end of the official serializer's request. Throws where that is not as it was. */
function groupsOf(spans: readonly ReadableSpan[]): Uint8Array {
  const request = Buffer.from(JsonTraceSerializer.serializeRequest([...spans]) ?? []);
  const isKnown = request.toString("latin1", 0, BEGIN.length) === BEGIN && request.toString("latin1", request.length - END.length) === END;
  if (!isKnown) throw new RangeError("the serializer's request has another form");
  return request.subarray(BEGIN.length, request.length - END.length);
}

function writeOrigin(json: JsonBytes, { resource, instrumentationScope: { name, version } }: RecordOrigin): void {
  json.add('{"resource":{"attributes":[');
  writeAttributes(json, resource.attributes);
  json.add('],"droppedAttributesCount":0},"scopeSpans":[{"scope":');
  json.add(JSON.stringify({ name, version }));
  json.add(',"spans":[');
}

/** Values of the enumeration Span.SpanKind of OTLP are those of the API and one. */
const KINDS = Array.from({ length: 5 }, (_, kind) => `,"kind":${kind + 1}`);
/** Bits of Span.flags: whether it is known that the parent is remote, and whether it is. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

function writeSpan(json: JsonBytes, { facts, droppedAttributesCount }: OwnSpan): void {
  const { context, parent, name, kind, startMicros, endMicros, events } = facts;
  // In pieces: put together first, they would be a text that nobody needs.
  json.add('{"traceId":"');
  json.add(context.traceId);
  json.add('","spanId":"');
  json.add(context.spanId);
  if (parent !== undefined) {
    json.add('","parentSpanId":"');
    json.add(parent.spanId);
  }
  json.add('"');
  if (context.traceState !== undefined) json.add(`,"traceState":${JSON.stringify(context.traceState.serialize())}`);
  json.add(',"name":');
  json.literal(name);
  json.add(KINDS[kind ?? 0]!);
  json.add(',"startTimeUnixNano":"');
  json.add(String(Math.round(startMicros)));
  json.add('000","endTimeUnixNano":"');
  json.add(String(Math.round(Math.max(endMicros, startMicros))));
  json.add(`000","flags":${flagsOf(context, parent)}`);
  json.add(`,"droppedAttributesCount":${droppedAttributesCount}`);
  json.add(',"droppedEventsCount":0,"droppedLinksCount":0,"links":[],"events":[');
  if (events !== undefined) writeEvents(json, events);
  json.add('],"status":');
  json.add(facts.failed === true ? JSON.stringify({ code: 2, message: facts.statusMessage }) : '{"code":0}');
  json.add(',"attributes":[');
  writeRecordAttributes(json, facts);
  json.add("]}");
}

const flagsOf = ({ traceFlags }: SpanContext, parent: SpanContext | undefined): number =>
  (traceFlags & 0xff) | HAS_IS_REMOTE | (parent?.isRemote === true ? IS_REMOTE : 0);

function writeEvents(json: JsonBytes, events: readonly TimedEvent[]): void {
  for (let i = 0; i < events.length; i++) {
    const { name, time, attributes = {} } = events[i]!;
    json.add(
      `${i > 0 ? "," : ""}{"name":${JSON.stringify(name)},"timeUnixNano":"${nanosText(time)}","droppedAttributesCount":0,"attributes":[`,
    );
    writeAttributes(json, attributes as RecordAttributes);
    json.add("]}");
  }
}

const nanosText = ([seconds, nanos]: HrTime): string => `${seconds}${String(nanos).padStart(9, "0")}`;

/** Those of an announcement will be written once more, at the end of the call. */
function writeRecordAttributes(json: JsonBytes, { attributes, shared }: RecordFacts): void {
  if (shared === undefined || overlaps(shared, attributes)) writeAttributes(json, joinedAttributes(shared, attributes));
  else {
    const start = json.length();
    shared.writeTo(json, attributes[GENSPAN_RECORD] === "pending", writeAttributes);
    writeAttributes(json, attributes, json.length() > start);
  }
}

function writeAttributes(json: JsonBytes, attributes: RecordAttributes, hasOthersBefore = false): void {
  let isFirst = !hasOthersBefore;
  for (const name in attributes) {
    const value = attributes[name];
    if (value === undefined) continue;
    const key = keys.get(name) ?? keyOf(name);
    json.add(isFirst ? key.slice(1) : key);
    isFirst = false;
    if (isDeferred(value)) {
      json.add(STRING);
      value.writeTo(json);
    } else writeValue(json, value);
    json.add("}}");
  }
}

/** What stands before the values of attributes, by their names: an application uses the same ones again and again. */
const keys = new Map<string, string>();
/** Names that an application makes up for each record are not all kept. */
const MAX_KEYS = 512;

function keyOf(name: string): string {
  const key = `,{"key":${JSON.stringify(name.toWellFormed())},"value":{`;
  if (keys.size < MAX_KEYS && name.length <= 128) keys.set(name, key);
  return key;
}

const STRING = '"stringValue":';

function writeValue(json: JsonBytes, value: Exclude<AttributeValue, DeferredText>): void {
  if (typeof value === "string") {
    json.add(STRING);
    json.literal(value);
  } else if (typeof value === "number") writeNumber(json, value);
  else if (typeof value === "boolean") json.add(value ? '"boolValue":true' : '"boolValue":false');
  else if (Array.isArray(value)) {
    json.add('"arrayValue":{"values":[');
    for (let i = 0; i < value.length; i++) {
      const each = value[i];
      json.add(i > 0 ? ",{" : "{");
      if (each !== null && each !== undefined) writeValue(json, each);
      json.add("}");
    }
    json.add("]}");
  }
}

/** Integers beyond what int64 holds, and what JSON has no number for, are doubles (the names of protobuf's JSON mapping). */
function writeNumber(json: JsonBytes, value: number): void {
  const isInteger = Number.isSafeInteger(value);
  json.add(isInteger ? '"intValue":' : '"doubleValue":');
  json.add(isInteger || Number.isFinite(value) ? String(value) : `"${value}"`);
}

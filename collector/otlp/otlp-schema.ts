import type { Signal } from "../base/signal.ts";

/** How the JSON form of a field becomes its wire form (protobuf JSON mapping, with the exceptions of OTLP/JSON). */
export type FieldKind =
  | "string"
  | "bool"
  | "int64"
  | "double"
  | "bytes"
  | "traceId"
  | "spanId"
  | "uint32"
  | "fixed32"
  | "fixed64"
  | "enum"
  | "message";

/** Numbers of an enum by name, without the common prefix that `prefix` holds. */
export interface EnumType {
  readonly prefix: string;
  readonly numbers: ReadonlyMap<string, number>;
}

export interface Field {
  /** lowerCamelCase, as OTLP/JSON writes it. */
  readonly name: string;
  readonly kind: FieldKind;
  /** Field number << 3 | wire type. */
  readonly tag: number;
  readonly repeated: boolean;
  /** The type of a `message` field. */
  readonly message: MessageType | undefined;
  /** The type of an `enum` field. */
  readonly enumeration: EnumType | undefined;
}

/** A field under one of its two names. */
export interface FieldName {
  readonly field: Field;
  readonly bytes: Uint8Array;
  /** The name as member of an object: `"name":`. */
  readonly member: Uint8Array;
  /** What came after it the last time: senders write the same fields in the same order, so it is tried first. */
  follower: FieldName | undefined;
}

/** A message of OTLP: its fields by the bytes of their JSON name. */
export class MessageType {
  readonly name: string;
  /** Usually longer than 127 bytes: its length prefix is written at full width at once. */
  readonly large: boolean;
  /** The name that came first the last time. */
  first: FieldName | undefined = undefined;
  private slots: readonly (FieldName | undefined)[] = [];

  constructor(name: string, large: boolean) {
    this.name = name;
    this.large = large;
  }

  /** Called once; the table grows until no two names share a slot, so that a look-up is one comparison. */
  setFields(fields: readonly Field[]): void {
    const names = fields.flatMap((field) => [...new Set([field.name, snakeCase(field.name)])].map((name) => fieldName(field, name)));
    for (let size = 8; ; size *= 2) {
      const slots = new Array<FieldName | undefined>(size).fill(undefined);
      if (names.every((each) => place(slots, each))) {
        this.slots = slots;
        return;
      }
    }
  }

  /** The field whose camelCase or snake_case name is in `bytes[start, end)`. */
  find(bytes: Uint8Array, start: number, end: number): FieldName | undefined {
    const slots = this.slots;
    const slot = slots[nameHash(bytes, start, end) & (slots.length - 1)];
    if (slot === undefined || slot.bytes.length !== end - start) return undefined;
    const name = slot.bytes;
    for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return undefined;
    return slot;
  }

  named(name: string): FieldName {
    const found = this.find(Buffer.from(name), 0, name.length);
    if (found === undefined) throw new Error(`${this.name} has no field ${name}`);
    return found;
  }
}

const fieldName = (field: Field, name: string): FieldName => ({
  field,
  bytes: Buffer.from(name),
  member: Buffer.from(`"${name}":`),
  follower: undefined,
});

function place(slots: (FieldName | undefined)[], name: FieldName): boolean {
  const index = nameHash(name.bytes, 0, name.bytes.length) & (slots.length - 1);
  if (slots[index] !== undefined) return false;
  slots[index] = name;
  return true;
}

/** All bytes count, so that two names never hash alike by their ends only and the table of every message stays small. */
function nameHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 33) ^ bytes[i]) | 0;
  return (hash ^ (hash >>> 13)) >>> 0;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const WIRE_TYPE: Readonly<Record<FieldKind, number>> = {
  string: 2,
  bool: 0,
  int64: 0,
  double: 1,
  bytes: 2,
  traceId: 2,
  spanId: 2,
  uint32: 0,
  fixed32: 5,
  fixed64: 1,
  enum: 0,
  message: 2,
};

const numbered = (names: string): ReadonlyMap<string, number> => new Map(names.split(" ").map((name, number) => [name, number]));

const ENUMS: Readonly<Record<string, EnumType>> = {
  SpanKind: { prefix: "SPAN_KIND_", numbers: numbered("UNSPECIFIED INTERNAL SERVER CLIENT PRODUCER CONSUMER") },
  StatusCode: { prefix: "STATUS_CODE_", numbers: numbered("UNSET OK ERROR") },
  SeverityNumber: {
    prefix: "SEVERITY_NUMBER_",
    numbers: numbered(
      `UNSPECIFIED ${["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap((each) => [each, `${each}2`, `${each}3`, `${each}4`]).join(" ")}`,
    ),
  },
};

/**
 * The messages of opentelemetry-proto 1.11 (trace.proto, logs.proto, metrics.proto, common.proto, resource.proto): `name number type`,
 * where a type is a FieldKind, an enum or a message, `*` marks a repeated field and `!` a large message. Metrics go only as deep as their data points,
 * which are counted and not read. Fields left out are skipped like any unknown field (otlp-rules J2, J13).
 */
const MESSAGES: Readonly<Record<string, string>> = {
  TracesData: "resourceSpans 1 *ResourceSpans",
  "ResourceSpans!": "resource 1 Resource, scopeSpans 2 *ScopeSpans, schemaUrl 3 string",
  "ScopeSpans!": "scope 1 InstrumentationScope, spans 2 *Span, schemaUrl 3 string",
  "Span!": `traceId 1 traceId, spanId 2 spanId, traceState 3 string, parentSpanId 4 spanId, name 5 string, kind 6 SpanKind,
    startTimeUnixNano 7 fixed64, endTimeUnixNano 8 fixed64, attributes 9 *KeyValue, droppedAttributesCount 10 uint32, events 11 *Event,
    droppedEventsCount 12 uint32, links 13 *Link, droppedLinksCount 14 uint32, status 15 Status, flags 16 fixed32`,
  "Event!": "timeUnixNano 1 fixed64, name 2 string, attributes 3 *KeyValue, droppedAttributesCount 4 uint32",
  "Link!": `traceId 1 traceId, spanId 2 spanId, traceState 3 string, attributes 4 *KeyValue, droppedAttributesCount 5 uint32, flags 6 fixed32`,
  Status: "message 2 string, code 3 StatusCode",
  LogsData: "resourceLogs 1 *ResourceLogs",
  "ResourceLogs!": "resource 1 Resource, scopeLogs 2 *ScopeLogs, schemaUrl 3 string",
  "ScopeLogs!": "scope 1 InstrumentationScope, logRecords 2 *LogRecord, schemaUrl 3 string",
  "LogRecord!": `timeUnixNano 1 fixed64, severityNumber 2 SeverityNumber, severityText 3 string, body 5 AnyValue, attributes 6 *KeyValue,
    droppedAttributesCount 7 uint32, flags 8 fixed32, traceId 9 traceId, spanId 10 spanId, observedTimeUnixNano 11 fixed64, eventName 12 string`,
  MetricsData: "resourceMetrics 1 *ResourceMetrics",
  "ResourceMetrics!": "scopeMetrics 2 *ScopeMetrics",
  "ScopeMetrics!": "metrics 2 *Metric",
  "Metric!":
    "name 1 string, gauge 5 DataPoints, sum 7 DataPoints, histogram 9 DataPoints, exponentialHistogram 10 DataPoints, summary 11 DataPoints",
  "DataPoints!": "dataPoints 1 *DataPoint",
  DataPoint: "",
  "Resource!": "attributes 1 *KeyValue, droppedAttributesCount 2 uint32",
  "InstrumentationScope!": "name 1 string, version 2 string, attributes 3 *KeyValue, droppedAttributesCount 4 uint32",
  KeyValue: "key 1 string, value 2 AnyValue",
  AnyValue:
    "stringValue 1 string, boolValue 2 bool, intValue 3 int64, doubleValue 4 double, arrayValue 5 ArrayValue, kvlistValue 6 KeyValueList, bytesValue 7 bytes",
  ArrayValue: "values 1 *AnyValue",
  KeyValueList: "values 1 *KeyValue",
};

const types = new Map(
  Object.keys(MESSAGES).map((heading) => {
    const name = heading.replace("!", "");
    return [name, new MessageType(name, heading !== name)];
  }),
);

function parseField(definition: string): Field {
  const [name = "", number = "", marked = ""] = definition.trim().split(/\s+/);
  const type = marked.replace("*", "");
  const message = types.get(type);
  const enumeration = ENUMS[type];
  const kind = message ? "message" : enumeration ? "enum" : (type as FieldKind);
  return { name, kind, tag: (Number(number) << 3) | WIRE_TYPE[kind], repeated: marked !== type, message, enumeration };
}

for (const [heading, fields] of Object.entries(MESSAGES)) {
  types.get(heading.replace("!", ""))?.setFields(fields === "" ? [] : fields.split(",").map(parseField));
}

const typeNamed = (name: string): MessageType => types.get(name) as MessageType;

export const ANY_VALUE = typeNamed("AnyValue");
export const KEY_VALUE = typeNamed("KeyValue");
export const STRING_VALUE_TAG = (1 << 3) | WIRE_TYPE.string;
export const DOUBLE_VALUE_TAG = (4 << 3) | WIRE_TYPE.double;

/** What a request of each signal is made of, and the name of its only field. */
export const REQUESTS: Readonly<Record<Signal, { readonly type: MessageType; readonly field: string }>> = {
  traces: { type: typeNamed("TracesData"), field: "resourceSpans" },
  logs: { type: typeNamed("LogsData"), field: "resourceLogs" },
  metrics: { type: typeNamed("MetricsData"), field: "resourceMetrics" },
};

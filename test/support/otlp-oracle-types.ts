import protobuf from "protobufjs";

/**
 * OTLP's messages for protobufjs: `name number type`, `*` for repeated, `?` for members of the oneof `kind`; `text` is a string.
 * Source: opentelemetry-proto v1.11 (common, resource, trace, logs .proto). The collector has a table of its own: neither reads the other.
 */
const MESSAGES: Readonly<Record<string, string>> = {
  TracesData: "resourceSpans 1 *ResourceSpans",
  ResourceSpans: "resource 1 Resource, scopeSpans 2 *ScopeSpans, schemaUrl 3 text",
  ScopeSpans: "scope 1 InstrumentationScope, spans 2 *Span, schemaUrl 3 text",
  Span: `traceId 1 bytes, spanId 2 bytes, traceState 3 text, parentSpanId 4 bytes, name 5 text, kind 6 int32,
    startTimeUnixNano 7 fixed64, endTimeUnixNano 8 fixed64, attributes 9 *KeyValue, droppedAttributesCount 10 uint32, events 11 *Event,
    droppedEventsCount 12 uint32, links 13 *Link, droppedLinksCount 14 uint32, status 15 Status, flags 16 fixed32`,
  Event: "timeUnixNano 1 fixed64, name 2 text, attributes 3 *KeyValue, droppedAttributesCount 4 uint32",
  Link: "traceId 1 bytes, spanId 2 bytes, traceState 3 text, attributes 4 *KeyValue, droppedAttributesCount 5 uint32, flags 6 fixed32",
  Status: "message 2 text, code 3 int32",
  LogsData: "resourceLogs 1 *ResourceLogs",
  ResourceLogs: "resource 1 Resource, scopeLogs 2 *ScopeLogs, schemaUrl 3 text",
  ScopeLogs: "scope 1 InstrumentationScope, logRecords 2 *LogRecord, schemaUrl 3 text",
  LogRecord: `timeUnixNano 1 fixed64, severityNumber 2 int32, severityText 3 text, body 5 AnyValue, attributes 6 *KeyValue,
    droppedAttributesCount 7 uint32, flags 8 fixed32, traceId 9 bytes, spanId 10 bytes, observedTimeUnixNano 11 fixed64, eventName 12 text`,
  Resource: "attributes 1 *KeyValue, droppedAttributesCount 2 uint32",
  InstrumentationScope: "name 1 text, version 2 text, attributes 3 *KeyValue, droppedAttributesCount 4 uint32",
  KeyValue: "key 1 text, value 2 AnyValue",
  AnyValue:
    "stringValue 1 ?text, boolValue 2 ?bool, intValue 3 ?int64, doubleValue 4 ?double, arrayValue 5 ?ArrayValue, kvlistValue 6 ?KeyValueList, bytesValue 7 ?bytes",
  ArrayValue: "values 1 *AnyValue",
  KeyValueList: "values 1 *KeyValue",
};

export interface OracleField {
  readonly name: string;
  readonly id: number;
  readonly type: string;
  readonly repeated: boolean;
  readonly oneof: boolean;
}

function parseFields(definitions: string): OracleField[] {
  return definitions.split(",").map((definition) => {
    const [name = "", id = "", marked = ""] = definition.trim().split(/\s+/);
    return { name, id: Number(id), type: marked.replace(/[*?]/, ""), repeated: marked.startsWith("*"), oneof: marked.startsWith("?") };
  });
}

/** Fields of each message by its name. */
export const FIELDS: ReadonlyMap<string, readonly OracleField[]> = new Map(
  Object.entries(MESSAGES).map(([name, definitions]) => [name, parseFields(definitions)]),
);

/** The field by which what came as JSON says what was sent in another form; no JSON has it. */
export const SENT = { name: "sent", id: 19_000 } as const;
const WITH_SENT: ReadonlySet<string> = new Set(["Span", "Event", "Link", "LogRecord", "AnyValue"]);

/** The field of an AnyValue with which redaction fills the room of what it took out; no JSON has it either. */
const EMPTIED_FIELD: OracleField = { name: "emptied", id: 15, type: "bytes", repeated: true, oneof: false };

export const isMessage = (type: string): boolean => FIELDS.has(type);

const SENT_FIELD: OracleField = { ...SENT, type: "bytes", repeated: true, oneof: false };

type TypeOf = (field: OracleField) => string;

/** The messages as protobufjs types, with the type of each field as `typeOf` says. */
function createTypes(typeOf: TypeOf): protobuf.Root {
  const nested = [...FIELDS].map(([name, fields]) => {
    const members = fields.filter(({ oneof }) => oneof).map((field) => field.name);
    return [
      name,
      {
        ...(members.length > 0 ? { oneofs: { kind: { oneof: members } } } : {}),
        fields: Object.fromEntries(
          [...fields, ...(WITH_SENT.has(name) ? [SENT_FIELD] : []), ...(name === "AnyValue" ? [EMPTIED_FIELD] : [])].map((field) => [
            field.name,
            { id: field.id, type: typeOf(field), ...(field.repeated ? { rule: "repeated" } : {}) },
          ]),
        ),
      },
    ];
  });
  return protobuf.Root.fromJSON({ nested: Object.fromEntries(nested) as Record<string, protobuf.AnyNestedObject> });
}

/** The official messages: protobufjs refuses a request as a whole for one string that is not UTF-8. */
export const strictTypes = createTypes(({ type }) => (type === "text" ? "string" : type));

/** The same with text as bytes, whether it is UTF-8 or not. */
export const byteTypes = createTypes(({ type }) => (type === "text" ? "bytes" : type));

const ITEMS_AND_ATTRIBUTES: ReadonlySet<string> = new Set(["Span", "LogRecord", "KeyValue"]);

/** The same bytes in parts: text stays bytes; items and attributes stay encoded, so that a broken one tells nothing of the others. */
export const partTypes = createTypes(({ name, type, repeated }) =>
  type === "text" || (repeated && ITEMS_AND_ATTRIBUTES.has(type) && name !== "values") ? "bytes" : type,
);

/** As partTypes, where arrays and maps stay encoded too: the outside of a value, whatever is within. */
export const shellTypes = createTypes(({ type }) => (type === "text" || type === "ArrayValue" || type === "KeyValueList" ? "bytes" : type));

/** Values stay encoded. */
export const valueTypes = createTypes(({ type }) => (type === "text" || type === "AnyValue" ? "bytes" : type));

/** Far above what a value may be nested before it is cut, so that cutting is left to the rule for it. */
const RECURSION_LIMIT = 2_000;
protobuf.Reader.recursionLimit = RECURSION_LIMIT;

/** protobufjs steps over an unknown varint of any length; protobuf ends one after ten bytes (SIZ-15). */
const MAX_VARINT_BYTES = 10;
const skipAnything = protobuf.Reader.prototype.skip;
protobuf.Reader.prototype.skip = function skip(this: protobuf.Reader, size?: number) {
  const { pos } = this;
  skipAnything.call(this, size);
  if (size === undefined && this.pos - pos > MAX_VARINT_BYTES) throw new RangeError("varint longer than ten bytes");
  return this;
};

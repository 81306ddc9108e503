import protobuf from "protobufjs";

type Fields = Record<string, { id: number; type: string; rule?: "repeated" }>;
const message = (fields: Fields) => ({ fields });
const field = (id: number, type: string) => ({ id, type });
const many = (id: number, type: string) => ({ id, type, rule: "repeated" as const });

/** ExportTraceServiceRequest for protobufjs, as far as the bench needs it. */
export const TracesData = protobuf.Root.fromJSON({
  nested: {
    TracesData: message({ resourceSpans: many(1, "ResourceSpans") }),
    ResourceSpans: message({ resource: field(1, "Resource"), scopeSpans: many(2, "ScopeSpans") }),
    Resource: message({ attributes: many(1, "KeyValue") }),
    ScopeSpans: message({ spans: many(2, "Span") }),
    Span: message({
      traceId: field(1, "bytes"),
      spanId: field(2, "bytes"),
      parentSpanId: field(4, "bytes"),
      name: field(5, "string"),
      kind: field(6, "int32"),
      startTimeUnixNano: field(7, "fixed64"),
      endTimeUnixNano: field(8, "fixed64"),
      attributes: many(9, "KeyValue"),
      events: many(11, "Event"),
    }),
    Event: message({ timeUnixNano: field(1, "fixed64"), name: field(2, "string"), attributes: many(3, "KeyValue") }),
    KeyValue: message({ key: field(1, "string"), value: field(2, "AnyValue") }),
    AnyValue: {
      // As a oneof a value of 0 is told from no value.
      oneofs: { value: { oneof: ["stringValue", "boolValue", "intValue", "doubleValue", "arrayValue"] } },
      ...message({
        stringValue: field(1, "string"),
        boolValue: field(2, "bool"),
        intValue: field(3, "int64"),
        doubleValue: field(4, "double"),
        arrayValue: field(5, "ArrayValue"),
      }),
    },
    ArrayValue: message({ values: many(1, "AnyValue") }),
  },
}).lookupType("TracesData");

export interface AnyValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number;
  arrayValue?: { values: AnyValue[] };
}

export interface SpanObject {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: AnyValue }[];
  events?: unknown[];
}

export interface TracesObject {
  resourceSpans: { resource: unknown; scopeSpans: { spans: SpanObject[] }[] }[];
}

/** The request as objects: ids base64, 64-bit integers as text. */
export const toObjects = (body: Uint8Array): TracesObject =>
  TracesData.toObject(TracesData.decode(body), { longs: String, bytes: String, defaults: false }) as TracesObject;

/** The same request as the official JSON exporter writes it: hexadecimal ids, numbers for safe integers. */
export function toOtlpJson(body: Uint8Array): Buffer {
  const objects = toObjects(body);
  const hex = (base64: string): string => Buffer.from(base64, "base64").toString("hex");
  for (const { scopeSpans } of objects.resourceSpans) {
    for (const { spans } of scopeSpans) {
      for (const each of spans) {
        each.traceId = hex(each.traceId);
        each.spanId = hex(each.spanId);
        if (each.parentSpanId !== undefined) each.parentSpanId = hex(each.parentSpanId);
        for (const { value } of each.attributes)
          if (value.intValue !== undefined) (value as { intValue: unknown }).intValue = Number(value.intValue);
      }
    }
  }
  return Buffer.from(JSON.stringify(objects));
}

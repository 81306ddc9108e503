/** Hand-made protobuf, so that tests can also send what no encoder would write. Field numbers: opentelemetry-proto v1. */
export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

export const lengthField = (field: number, ...content: readonly (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(content.map((part) => (typeof part === "string" ? Buffer.from(part, "utf8") : part)));
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
};

export const varintField = (field: number, value: number | bigint): Buffer => Buffer.concat([varint(field << 3), varint(value)]);

export function fixed64Field(field: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return Buffer.concat([varint((field << 3) | 1), bytes]);
}

export function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint((field << 3) | 1), bytes]);
}

/** AnyValue messages. */
export const any = {
  string: (text: string | Buffer): Buffer => lengthField(1, text),
  bool: (value: boolean): Buffer => varintField(2, value ? 1 : 0),
  int: (value: number | bigint): Buffer => varintField(3, value),
  double: (value: number): Buffer => doubleField(4, value),
  array: (...values: readonly Buffer[]): Buffer => lengthField(5, ...values.map((value) => lengthField(1, value))),
  map: (entries: Readonly<Record<string, Buffer>>): Buffer =>
    lengthField(6, ...Object.entries(entries).map(([key, value]) => lengthField(1, keyValue(key, value)))),
  bytes: (value: Buffer): Buffer => lengthField(7, value),
  empty: (): Buffer => Buffer.alloc(0),
};

/** A KeyValue message. */
export const keyValue = (key: string | Buffer, value: Buffer): Buffer => Buffer.concat([lengthField(1, key), lengthField(2, value)]);

export interface SpanParts {
  readonly traceId?: Buffer;
  readonly spanId?: Buffer;
  readonly name?: string | Buffer;
  readonly start?: bigint;
  readonly end?: bigint;
  /** KeyValue messages. */
  readonly attributes?: readonly Buffer[];
  /** Fields to append as they are. */
  readonly more?: readonly Buffer[];
}

export const TRACE_ID = Buffer.from("0af7651916cd43dd8448eb211c80319c", "hex");
export const SPAN_ID = Buffer.from("b7ad6b7169203331", "hex");
export const START_NS = 1_763_676_000_123_456_789n;

/** A Span message; ids, name and times are sound unless given otherwise. */
export function span(parts: SpanParts = {}): Buffer {
  return Buffer.concat([
    lengthField(1, parts.traceId ?? TRACE_ID),
    lengthField(2, parts.spanId ?? SPAN_ID),
    lengthField(5, parts.name ?? "work"),
    fixed64Field(7, parts.start ?? START_NS),
    fixed64Field(8, parts.end ?? START_NS + 5_000_000n),
    ...(parts.attributes ?? []).map((attribute) => lengthField(9, attribute)),
    ...(parts.more ?? []),
  ]);
}

/** An ExportTraceServiceRequest with one resource and one scope. `resource` is a Resource message. */
export const tracesRequest = (
  spans: readonly Buffer[],
  resource: Buffer = lengthField(1, keyValue("service.name", any.string("test"))),
): Buffer => lengthField(1, lengthField(1, resource), lengthField(2, ...spans.map((each) => lengthField(2, each))));

/** Distinct span ids. */
export function spanId(n: number): Buffer {
  const id = Buffer.alloc(8);
  id.writeUInt32BE(n + 1, 4);
  return id;
}

/** Just enough OTLP/JSON to tell a story. */
export type Value = string | number | boolean | readonly string[];

export interface DemoSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startMillis: number;
  readonly endMillis: number;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly error?: string;
}

const NANOS_PER_MILLI = 1_000_000n;
const nanos = (millis: number): string => String(BigInt(Math.round(millis)) * NANOS_PER_MILLI);

function anyValue(value: Value): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map((each) => ({ stringValue: each })) } };
}

const keyValues = (attributes: Readonly<Record<string, Value>>): object[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));

/** One export request of spans of a service. */
export function exportRequest(serviceName: string, spans: readonly DemoSpan[]): object {
  const resource = { attributes: keyValues({ "service.name": serviceName, "deployment.environment.name": "production" }) };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "genspan.demo" }, spans: spans.map(toOtlp) }] }] };
}

function toOtlp({ startMillis, endMillis, attributes, error, ...span }: DemoSpan): object {
  return {
    ...span,
    startTimeUnixNano: nanos(startMillis),
    endTimeUnixNano: nanos(endMillis),
    attributes: keyValues(attributes),
    status: error === undefined ? {} : { code: 2, message: error },
  };
}

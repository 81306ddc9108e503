/** Spans and log records as OTLP/JSON, for tests that care for meaning and not for bytes. */
type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

export interface SpanSpec {
  /** 32 hexadecimal digits; TRACE where it is not given. */
  readonly trace?: string;
  readonly id: string;
  readonly parent?: string;
  readonly name?: string;
  /** Milliseconds after `BASE_MS`. */
  readonly at?: number;
  /** `null` for a span that has not ended. */
  readonly tookMs?: number | null;
  readonly kind?: number;
  readonly error?: string;
  readonly attributes?: Readonly<Record<string, Value>>;
  readonly scope?: string;
  readonly events?: readonly { readonly name: string; readonly at?: number; readonly attributes?: Readonly<Record<string, Value>> }[];
}

export const BASE_MS = 1_795_219_200_000;
export const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

const nano = (millis: number): string => `${BigInt(Math.round((BASE_MS + millis) * 1000)) * 1000n}`;

function anyValue(value: Value): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: attributesOf(value as Readonly<Record<string, Value>>) } };
}

const attributesOf = (values: Readonly<Record<string, Value>> = {}): object[] =>
  Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));

/** Eight-byte id from a short name. */
export const spanIdOf = (name: string): string => Buffer.from(name.padEnd(8, "_").slice(0, 8)).toString("hex");

const resource = { attributes: attributesOf({ "service.name": "test" }) };

/** A traces request with these spans, all of one trace. */
export const tracesOf = (...spans: readonly SpanSpec[]): object => ({
  resourceSpans: spans.map((span) => ({
    resource,
    scopeSpans: [{ scope: { name: span.scope ?? "test" }, spans: [spanOf(span)] }],
  })),
});

function spanOf({
  trace = TRACE,
  id,
  parent,
  name = id,
  at = 0,
  tookMs = 100,
  kind = 1,
  error,
  attributes,
  events = [],
}: SpanSpec): object {
  return {
    traceId: trace,
    spanId: spanIdOf(id),
    ...(parent === undefined ? {} : { parentSpanId: spanIdOf(parent) }),
    name,
    kind,
    startTimeUnixNano: nano(at),
    endTimeUnixNano: tookMs === null ? "0" : nano(at + tookMs),
    attributes: attributesOf(attributes),
    events: events.map((event) => ({ name: event.name, timeUnixNano: nano(event.at ?? at), attributes: attributesOf(event.attributes) })),
    ...(error === undefined ? {} : { status: { code: 2, message: error } }),
  };
}

export interface LogSpec {
  readonly trace?: string;
  /** Left out for an event that names no span. */
  readonly span?: string;
  readonly name: string;
  readonly at?: number;
  readonly body?: Value;
  readonly attributes?: Readonly<Record<string, Value>>;
}

/** A logs request with these event records. */
export const logsOf = (...logs: readonly LogSpec[]): object => ({
  resourceLogs: [
    {
      resource,
      scopeLogs: [
        {
          scope: { name: "test" },
          logRecords: logs.map(({ trace = TRACE, span, name, at = 0, body, attributes }) => ({
            timeUnixNano: nano(at),
            ...(span === undefined ? {} : { traceId: trace, spanId: spanIdOf(span) }),
            eventName: name,
            ...(body === undefined ? {} : { body: anyValue(body) }),
            attributes: attributesOf(attributes),
          })),
        },
      ],
    },
  ],
});

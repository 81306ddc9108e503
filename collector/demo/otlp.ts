import { DEPLOYMENT_ENVIRONMENT_NAME, GEN_AI_REQUEST_MODEL, GENSPAN_RECORD, SERVICE_NAME, SERVICE_VERSION } from "../../sdk/attributes.ts";

export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** OTLP span kinds (opentelemetry/proto/trace/v1, Span.SpanKind). */
export const KIND = { internal: 1, server: 2, client: 3 } as const;

/** A span as the demo makes it; times in nanoseconds since 1970. */
export interface DemoSpan {
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: (typeof KIND)[keyof typeof KIND];
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Attributes;
  /** Set for a span that failed. */
  readonly error?: string;
}

/** One trace of one service. */
export interface DemoTrace {
  readonly traceId: string;
  readonly service: string;
  readonly spans: readonly DemoSpan[];
}

/** Whether a span is a model call, or announces one: each has a row of generation_logs. Other records of ours speak about a call. */
const isGeneration = ({ attributes }: DemoSpan): boolean =>
  attributes[GEN_AI_REQUEST_MODEL] !== undefined && [undefined, "pending"].includes(attributes[GENSPAN_RECORD] as string | undefined);

export const countGenerations = (trace: DemoTrace): number => trace.spans.filter(isGeneration).length;

const STATUS_ERROR = 2;
const ENVIRONMENT = "production";
const VERSION = "3.4.1";

function anyValue(value: AttributeValue): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map((stringValue) => ({ stringValue })) } };
}

const keyValues = (attributes: Attributes): object[] =>
  Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: anyValue(value) }]));

const spanJson = (traceId: string, span: DemoSpan): object => ({
  traceId,
  spanId: span.spanId,
  ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
  name: span.name,
  kind: span.kind,
  startTimeUnixNano: String(span.start),
  endTimeUnixNano: String(span.end),
  attributes: keyValues(span.attributes),
  ...(span.error === undefined ? {} : { status: { code: STATUS_ERROR, message: span.error } }),
});

/** An ExportTraceServiceRequest in OTLP/JSON: ids in hexadecimal, 64-bit numbers as text, as its specification says. */
export function exportRequest(traces: readonly DemoTrace[]): string {
  const byService = Map.groupBy(traces, (trace) => trace.service);
  const resourceSpans = [...byService].map(([service, ofService]) => ({
    resource: {
      attributes: keyValues({ [SERVICE_NAME]: service, [SERVICE_VERSION]: VERSION, [DEPLOYMENT_ENVIRONMENT_NAME]: ENVIRONMENT }),
    },
    scopeSpans: [
      {
        scope: { name: "genspan.demo" },
        spans: ofService.flatMap((trace) => trace.spans.map((span) => spanJson(trace.traceId, span))),
      },
    ],
  }));
  return JSON.stringify({ resourceSpans });
}

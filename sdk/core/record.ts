import { type Attributes, type HrTime, type SpanContext, SpanKind, type SpanStatus, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace";
import { hrTime } from "./clock.ts";
import { type RecordAttributes, written } from "./deferred-text.ts";

/** The two ids that find a record again, from any process. */
export interface RecordRef {
  /** 32 lower-case hexadecimal characters. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal characters. */
  readonly spanId: string;
}

/** Everything that one span says. Times are whole microseconds since the epoch. */
export interface RecordFacts {
  readonly name: string;
  readonly kind?: SpanKind | undefined;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly startMicros: number;
  readonly endMicros: number;
  readonly attributes: RecordAttributes;
  /** Makes it an error. */
  readonly statusMessage?: string | undefined;
  readonly failed?: boolean;
  readonly events?: readonly TimedEvent[] | undefined;
}

/** Who tells: the same on every record of one process. */
export interface RecordOrigin {
  readonly resource: Resource;
  readonly instrumentationScope: ReadableSpan["instrumentationScope"];
}

const UNSET: SpanStatus = { code: SpanStatusCode.UNSET };
const NO_TIME: HrTime = [0, 0];

const UNWRITTEN = Symbol("attributes as the SDK holds them");

/** A span of the SDK's own: its attributes are written out when they are asked for, by an exporter in the background. */
interface OwnSpan extends ReadableSpan {
  readonly [UNWRITTEN]: RecordAttributes;
}

/** The attributes of a span with the texts that nobody asked for yet. */
export const unwrittenAttributes = (span: ReadableSpan): RecordAttributes => (span as Partial<OwnSpan>)[UNWRITTEN] ?? span.attributes;

/** A finished span that no tracer made, in the shape that exporters take. The attributes are taken over, not copied. */
export function readableSpan(facts: RecordFacts, origin: RecordOrigin): OwnSpan {
  const { name, kind = SpanKind.INTERNAL, context, parent, startMicros, attributes } = facts;
  const endMicros = Math.max(facts.endMicros, startMicros);
  return {
    name,
    kind,
    spanContext: () => context,
    ...(parent === undefined ? {} : { parentSpanContext: parent }),
    startTime: hrTime(startMicros),
    endTime: hrTime(endMicros),
    duration: endMicros === startMicros ? NO_TIME : hrTime(endMicros - startMicros),
    status: facts.failed === true ? errorStatus(facts.statusMessage) : UNSET,
    [UNWRITTEN]: attributes,
    get attributes() {
      return written(attributes);
    },
    links: [],
    events: (facts.events ?? []) as TimedEvent[],
    ended: true,
    resource: origin.resource,
    instrumentationScope: origin.instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

const errorStatus = (message: string | undefined): SpanStatus =>
  message === undefined ? { code: SpanStatusCode.ERROR } : { code: SpanStatusCode.ERROR, message };

/** The same span with other attributes, for one whose content had to go: nothing of it holds on to the old ones. */
export function withAttributes(span: ReadableSpan, attributes: Attributes, dropped: number): ReadableSpan {
  const context = span.spanContext();
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => context,
    ...(span.parentSpanContext === undefined ? {} : { parentSpanContext: span.parentSpanContext }),
    startTime: span.startTime,
    endTime: span.endTime,
    duration: span.duration,
    status: span.status,
    attributes,
    links: span.links,
    events: span.events,
    ended: span.ended,
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount + dropped,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

/** Text form of a reference, `traceId-spanId`: what an application keeps beside its own row. */
export const refText = ({ traceId, spanId }: RecordRef): string => `${traceId}-${spanId}`;

const REF = /^([0-9a-f]{32})-([0-9a-f]{16})$/i;

/** A reference as it was given, or as the application kept its text; undefined for anything else. */
export function parseRef(ref: unknown): RecordRef | undefined {
  const given = typeof ref === "string" ? ref : isRef(ref) ? refText(ref) : "";
  const [, traceId, spanId] = REF.exec(given.trim()) ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId: traceId.toLowerCase(), spanId: spanId.toLowerCase() };
}

const isRef = (value: unknown): value is RecordRef =>
  typeof value === "object" && value !== null && "traceId" in value && "spanId" in value;

/** The context of a span of which only the reference is known. */
export const spanContextOf = ({ traceId, spanId }: RecordRef): SpanContext => ({
  traceId,
  spanId,
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
});

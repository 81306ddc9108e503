import { type Attributes, type HrTime, type SpanContext, SpanKind, type SpanStatus, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace";
import { hrTime } from "./clock.ts";
import { type RecordAttributes, written } from "./deferred-text.ts";
import { joinedAttributes, type SharedAttributes } from "./shared-attributes.ts";

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
  /** Those that its announcement has as well; `attributes` takes the place of what they say. */
  readonly shared?: SharedAttributes | undefined;
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
const NO_LINKS: ReadableSpan["links"] = [];

/**
 * A finished span that no tracer made, in the shape that exporters take: what that shape wants is made when it is asked for, because most records are written from their
 * facts. A class, since an object of thirty members with getters of its own takes forty times as long to make.
 */
export class OwnSpan implements ReadableSpan {
  readonly parentSpanContext?: SpanContext;
  readonly facts: RecordFacts;
  readonly origin: RecordOrigin;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount = 0;
  readonly droppedLinksCount = 0;
  readonly ended = true;

  constructor(facts: RecordFacts, origin: RecordOrigin, droppedAttributesCount = 0) {
    this.facts = facts;
    this.origin = origin;
    if (facts.parent !== undefined) this.parentSpanContext = facts.parent;
    this.droppedAttributesCount = droppedAttributesCount;
  }

  get name(): string {
    return this.facts.name;
  }
  get kind(): SpanKind {
    return this.facts.kind ?? SpanKind.INTERNAL;
  }
  get startTime(): HrTime {
    return hrTime(this.facts.startMicros);
  }
  get endTime(): HrTime {
    return hrTime(Math.max(this.facts.endMicros, this.facts.startMicros));
  }
  get duration(): HrTime {
    return hrTime(Math.max(0, this.facts.endMicros - this.facts.startMicros));
  }
  get status(): SpanStatus {
    const { failed, statusMessage: message } = this.facts;
    if (failed !== true) return UNSET;
    return message === undefined ? { code: SpanStatusCode.ERROR } : { code: SpanStatusCode.ERROR, message };
  }
  get attributes(): Attributes {
    return written(joinedAttributes(this.facts.shared, this.facts.attributes));
  }
  get links(): ReadableSpan["links"] {
    return NO_LINKS;
  }
  get events(): TimedEvent[] {
    return (this.facts.events ?? []) as TimedEvent[];
  }
  get resource(): Resource {
    return this.origin.resource;
  }
  get instrumentationScope(): ReadableSpan["instrumentationScope"] {
    return this.origin.instrumentationScope;
  }
  spanContext(): SpanContext {
    return this.facts.context;
  }
}

/** The attributes of a span with the texts that nobody asked for yet. */
export const unwrittenAttributes = (span: ReadableSpan): RecordAttributes =>
  span instanceof OwnSpan ? joinedAttributes(span.facts.shared, span.facts.attributes) : span.attributes;

/** The attributes are taken over, not copied. */
export const readableSpan = (facts: RecordFacts, origin: RecordOrigin): OwnSpan => new OwnSpan(facts, origin);

/** The same span with other attributes, for one whose content had to go: nothing of it holds on to the old ones. */
export function withAttributes(span: ReadableSpan, attributes: RecordAttributes, dropped: number): ReadableSpan {
  const droppedAttributesCount = span.droppedAttributesCount + dropped;
  if (span instanceof OwnSpan) return new OwnSpan({ ...span.facts, attributes, shared: undefined }, span.origin, droppedAttributesCount);
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
    attributes: written(attributes),
    links: span.links,
    events: span.events,
    ended: span.ended,
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount,
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

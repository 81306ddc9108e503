import type { SpanContext } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";

/** Fields of spans made by OpenTelemetry's 1.x packages, which many applications still run. */
interface OldSpan {
  readonly instrumentationLibrary?: ReadableSpan["instrumentationScope"];
  readonly parentSpanId?: string;
}

/**
 * A span of any OpenTelemetry version in the shape that this package's exporter reads; a current one stays itself. Applications mix versions, and an
 * exporter of one throws at spans of another.
 */
export function currentSpan(span: ReadableSpan): ReadableSpan {
  const { instrumentationLibrary, parentSpanId } = span as OldSpan;
  const isCurrent = span.instrumentationScope !== undefined && parentSpanId === undefined;
  if (isCurrent) return span;
  const context = span.spanContext();
  const parent = span.parentSpanContext ?? parentContext(context, parentSpanId);
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => context,
    ...(parent === undefined ? {} : { parentSpanContext: parent }),
    startTime: span.startTime,
    endTime: span.endTime,
    duration: span.duration,
    status: span.status,
    attributes: span.attributes,
    links: span.links,
    events: span.events,
    ended: span.ended,
    resource: span.resource ?? emptyResource(),
    instrumentationScope: span.instrumentationScope ?? instrumentationLibrary ?? { name: "" },
    droppedAttributesCount: span.droppedAttributesCount ?? 0,
    droppedEventsCount: span.droppedEventsCount ?? 0,
    droppedLinksCount: span.droppedLinksCount ?? 0,
  };
}

const parentContext = ({ traceId, traceFlags }: SpanContext, spanId: string | undefined): SpanContext | undefined =>
  spanId === undefined || spanId === "" ? undefined : { traceId, spanId, traceFlags };

import { emptyResource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { RecordAttributes } from "../../../sdk/core/deferred-text.ts";
import { readableSpan } from "../../../sdk/core/record.ts";
import { SCOPE } from "../../../sdk/core/scope.ts";

let made = 0;

/** A finished record of the SDK with ids of its own. */
export function recordOf(name: string, attributes: RecordAttributes): ReadableSpan {
  made++;
  const context = { traceId: made.toString(16).padStart(32, "0"), spanId: made.toString(16).padStart(16, "0"), traceFlags: 1 };
  return readableSpan(
    { name, context, parent: undefined, startMicros: 1e15, endMicros: 1e15 + 5, attributes },
    { resource: emptyResource(), instrumentationScope: SCOPE },
  );
}

/** A span of another maker: an object with members of its own. */
export function plainSpan(span: ReadableSpan): ReadableSpan {
  const { name, kind, startTime, endTime, duration, status, attributes, links, events, resource, instrumentationScope } = span;
  const parts = {
    name,
    kind,
    startTime,
    endTime,
    duration,
    status,
    attributes,
    links,
    events,
    resource,
    instrumentationScope,
    ended: true,
  };
  return { ...parts, spanContext: () => span.spanContext(), droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 };
}

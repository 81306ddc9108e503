import { TraceFlags } from "@opentelemetry/api";
import type { SpanProcessor } from "@opentelemetry/sdk-trace";
import type { Delivery } from "./delivery.ts";
import { currentSpan } from "./foreign-span.ts";
import type { Problems } from "./problems.ts";

/** How long a flush that OpenTelemetry asks for may take. */
const FLUSH_MS = 10_000;

/** Hands the sampled spans of a tracer provider to deliveries. It shuts nothing down: that is the tracing's own task. */
export function createSpanProcessor(deliveries: () => readonly Delivery[], problems: Problems): SpanProcessor {
  const flush = async (): Promise<void> => {
    await Promise.all(deliveries().map((delivery) => delivery.flush(FLUSH_MS)));
  };
  return {
    onStart() {},
    onEnd(span) {
      problems.guard(
        "taking a span over",
        () => {
          if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
          const current = currentSpan(span);
          for (const delivery of deliveries()) delivery.push(current);
        },
        undefined,
      );
    },
    forceFlush: flush,
    shutdown: flush,
  };
}

import { ROOT_CONTEXT } from "@opentelemetry/api";
import type { ReadableSpan, Span } from "@opentelemetry/sdk-trace";
import { describe, expect, it } from "vitest";
import { createDelivery } from "../../../../sdk/core/delivery.ts";
import { currentSpan } from "../../../../sdk/core/foreign-span.ts";
import { DEFAULT_LIMITS } from "../../../../sdk/core/options.ts";
import { createProblems } from "../../../../sdk/core/problems.ts";
import { createSender } from "../../../../sdk/core/sender.ts";
import { createSpanProcessor } from "../../../../sdk/core/span-processor.ts";
import { plainSpan, recordOf } from "../../../support/sdk/records.ts";
import { startSink } from "../../../support/sdk/sink.ts";

/** A span as OpenTelemetry's 1.x packages make it: other names for its scope and its parent. */
function oldSpan(parentSpanId: string | undefined): ReadableSpan {
  const { instrumentationScope, ...rest } = plainSpan(recordOf("old", { a: 1 }));
  return { ...rest, instrumentationLibrary: { name: "old-library", version: "1.30" }, parentSpanId } as unknown as ReadableSpan;
}

describe("spans of other versions of OpenTelemetry", () => {
  it("a current one stays itself", () => {
    const span = recordOf("a", {});
    expect(currentSpan(span)).toBe(span);
  });

  it("one of 1.x gets the names of now", () => {
    const span = currentSpan(oldSpan("b".repeat(16)));
    expect(span.instrumentationScope).toEqual({ name: "old-library", version: "1.30" });
    expect(span.parentSpanContext).toMatchObject({ traceId: span.spanContext().traceId, spanId: "b".repeat(16) });
    expect(currentSpan(oldSpan(undefined)).parentSpanContext).toBeUndefined();
  });

  it("one of 1.x is sent by the processor, one that was not sampled is not", async () => {
    const sink = await startSink();
    const problems = createProblems(() => {});
    const sender = createSender(
      { url: `${sink.url}/v1/traces`, headers: {}, protocol: "http/json", compression: undefined, timeoutMillis: undefined },
      "test/foreign",
    );
    const delivery = createDelivery({ sender, limits: DEFAULT_LIMITS, problems });
    const processor = createSpanProcessor(() => [delivery], problems);
    const unsampled = {
      ...plainSpan(recordOf("unsampled", {})),
      spanContext: () => ({ traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 0 }),
    };
    processor.onStart({} as Span, ROOT_CONTEXT);
    for (const span of [oldSpan("b".repeat(16)), unsampled, undefined as unknown as ReadableSpan]) processor.onEnd(span);
    await processor.forceFlush();
    await delivery.shutdown(1_000);
    await sink.close();
    expect(sink.spans().map(({ name, scope, parentSpanId }) => [name, scope, parentSpanId])).toEqual([
      ["old", "old-library", "b".repeat(16)],
    ]);
  });
});

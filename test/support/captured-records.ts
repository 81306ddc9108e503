import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { emptyResource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { createContent } from "../../sdk/core/content.ts";
import { resolveContent } from "../../sdk/core/content-policy.ts";
import { type Current, install } from "../../sdk/core/current.ts";
import type { Delivery } from "../../sdk/core/delivery.ts";
import type { TracingOptions } from "../../sdk/core/options.ts";
import { createPendingLane } from "../../sdk/core/pending-lane.ts";
import { createProblems } from "../../sdk/core/problems.ts";
import { createRecorder } from "../../sdk/core/recorder.ts";
import { SCOPE } from "../../sdk/core/scope.ts";
import { resolveOptions } from "../../sdk/core/settings.ts";

/** What left the SDK, in order. */
export interface CapturedRecords extends Disposable {
  readonly spans: readonly ReadableSpan[];
  /** Spans whose `genspan.record` is this. */
  of(record: string): ReadableSpan[];
  readonly problems: readonly string[];
}

/** Puts the SDK in use with a delivery that keeps everything and sends nothing. */
export function captureRecords(options: TracingOptions = {}): CapturedRecords {
  const spans: ReadableSpan[] = [];
  const told: string[] = [];
  const settings = resolveOptions({ pendingDelayMillis: 1, ...options }, {});
  const problems = createProblems(({ message }) => told.push(message));
  const deliveries = [keeping(spans)];
  const lane = createPendingLane({ deliveries, delayMillis: settings.pendingDelayMillis, waitMillis: settings.pendingWaitMillis });
  const current: Current = {
    settings,
    recorder: createRecorder({ origin: { resource: emptyResource(), instrumentationScope: SCOPE }, deliveries, lane, problems }),
    content: createContent({
      policy: resolveContent(settings.content, settings.limits.attributeBytes),
      redact: settings.redact,
      problems,
    }),
  };
  install(current);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return {
    spans,
    problems: told,
    of: (record) => spans.filter(({ attributes }) => attributes["genspan.record"] === record),
    [Symbol.dispose]() {
      install(undefined);
      context.disable();
    },
  };
}

const keeping = (spans: ReadableSpan[]): Delivery => ({
  push(span, settled) {
    spans.push(span);
    settled?.("accepted");
    return { span, bytes: 0, state: "gone", bare: false, withdrawn: false };
  },
  cancel: () => false,
  sendSoon() {},
  flush: async () => ({ complete: true, remaining: 0 }),
  shutdown: async () => ({ complete: true, remaining: 0 }),
  takeAll: () => [],
  reachable: () => true,
  stats: () => ({ queued: 0, queuedBytes: 0, exported: spans.length, dropped: 0, contentDropped: 0, retried: 0 }),
});

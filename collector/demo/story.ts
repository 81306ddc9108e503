import { type CallInput, callSpan, type Failure, nanos, RATE_LIMITED, TIMED_OUT } from "./calls.ts";
import { type DemoModel, GPT_MINI } from "./models.ts";
import { type Attributes, type DemoSpan, type DemoTrace, KIND } from "./otlp.ts";
import type { Random } from "./random.ts";

/** When a trace happens: stories change in the course of the two weeks. */
export interface Moment {
  readonly start: bigint;
  /** Days before the end of the history, from 14 down to 0. */
  readonly daysAgo: number;
}

/** Makes one trace of its kind. */
export type Story = (random: Random, moment: Moment) => DemoTrace;

/** A trace that grows by one step after the other below its first span. */
export interface TraceBuilder {
  readonly rootId: string;
  /** A model call that starts when the last step ended. */
  call(input: Omit<CallInput, "start" | "parentSpanId">): DemoSpan;
  /** Any other step, such as a query, of about `millis`; below the first span unless it says otherwise. */
  step(name: string, millis: number, more?: Partial<Pick<DemoSpan, "attributes" | "kind" | "error" | "parentSpanId">>): DemoSpan;
  /** Puts a span around a step, below the first span. */
  around(step: DemoSpan, name: string, attributes: Attributes): void;
  /** Closes the first span over all steps. */
  finish(attributes?: Attributes, error?: string): DemoTrace;
}

export interface TraceInput {
  readonly service: string;
  readonly name: string;
  readonly start: bigint;
  readonly kind?: DemoSpan["kind"];
}

export function buildTrace(random: Random, { service, name, start, kind = KIND.server }: TraceInput): TraceBuilder {
  const traceId = random.hex(16);
  const rootId = random.hex(8);
  const spans: DemoSpan[] = [];
  let clock = start + nanos(random.around(3));
  const add = (span: DemoSpan): DemoSpan => {
    spans.push(span);
    clock = span.end + nanos(random.around(1.5));
    return span;
  };
  return {
    rootId,
    call: (input) => add(callSpan({ ...input, start: clock, parentSpanId: rootId }, random)),
    step: (stepName, millis, more = {}) =>
      add({
        spanId: random.hex(8),
        parentSpanId: rootId,
        name: stepName,
        kind: KIND.client,
        start: clock,
        end: clock + nanos(random.around(millis)),
        attributes: {},
        ...more,
      }),
    around(step, name, attributes) {
      const spanId = random.hex(8);
      spans.push({ spanId, parentSpanId: rootId, name, kind: KIND.internal, start: step.start, end: step.end, attributes });
      spans[spans.indexOf(step)] = { ...step, parentSpanId: spanId };
    },
    finish: (attributes = {}, error = undefined) => ({
      traceId,
      service,
      spans: [{ spanId: rootId, name, kind, start, end: clock, attributes, ...(error === undefined ? {} : { error }) }, ...spans],
    }),
  };
}

/** The trouble that any call may meet on any day: about one in sixty. */
function everydayFailure(random: Random): Failure | undefined {
  const dice = random.next();
  if (dice < 0.01) return RATE_LIMITED;
  return dice < 0.016 ? TIMED_OUT : undefined;
}

const OUTAGE_PROVIDER: DemoModel["provider"] = "gcp.gemini";
const OUTAGE_START_DAYS_AGO = 4.6;
const OUTAGE_END_DAYS_AGO = 4.35;

/** The story of the outage: for six hours of a busy day one provider answers almost nothing. */
const isOutage = (model: DemoModel, { daysAgo }: Moment): boolean =>
  model.provider === OUTAGE_PROVIDER && daysAgo <= OUTAGE_START_DAYS_AGO && daysAgo > OUTAGE_END_DAYS_AGO;

const UNAVAILABLE: Failure = { type: "503", message: "The model is overloaded. Please try again later.", millis: 4_100 };
const OUTAGE_FAILURES = 0.92;

/**
 * Calls `input.model`; when that fails, another model takes over, as the applications do. Returns the call that counts in the end.
 */
export function callWithFallback(
  trace: TraceBuilder,
  input: Omit<CallInput, "start" | "parentSpanId" | "failure">,
  { random, moment }: { readonly random: Random; readonly moment: Moment },
): DemoSpan {
  const failure = isOutage(input.model, moment) && random.chance(OUTAGE_FAILURES) ? UNAVAILABLE : everydayFailure(random);
  if (failure === undefined) return trace.call(input);
  trace.call({ ...input, failure });
  return trace.call({ ...input, model: GPT_MINI });
}

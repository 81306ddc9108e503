import { type Attributes, type Context, context, type Span, type SpanContext, type SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { RandomIdGenerator, type ReadableSpan, type TimedEvent } from "@opentelemetry/sdk-trace";
import { GENSPAN_RECORD } from "../attributes.ts";
import { nowMicros } from "./clock.ts";
import type { RecordAttributes } from "./deferred-text.ts";
import { type Delivery, type FlushResult, joined } from "./delivery.ts";
import { inheriting, openRecord } from "./open-record.ts";
import type { Announcement, PendingLane } from "./pending-lane.ts";
import type { Problems } from "./problems.ts";
import { parseRef, type RecordFacts, type RecordOrigin, type RecordRef, readableSpan, spanContextOf } from "./record.ts";

/** What became of the record that announces a call: stored by the collector, still on its way, given up, or never made. */
export type RecordOutcome = "accepted" | "queued" | "dropped" | "off";

/** Under which record a new one is made: a reference or its text, or a context of OpenTelemetry. */
export type Parent = RecordRef | string | Context;

/** What a record begins with. */
export interface RecordStart {
  readonly name: string;
  readonly kind?: SpanKind;
  /** Default: the record or span that is active. */
  readonly parent?: Parent | undefined;
  /** Taken over, not copied. */
  readonly attributes?: RecordAttributes;
  /** Microseconds since the epoch; default now. */
  readonly startMicros?: number | undefined;
  /** Attributes that every record made within this one carries too, such as the id of the run. */
  readonly inherited?: Attributes;
}

/** What a record ends with. Attributes come on top of those of its start. */
export interface RecordEnd {
  readonly attributes?: RecordAttributes;
  /** Writes more attributes to those of the record: nothing in between has to be made and copied. */
  readonly fill?: (into: RecordAttributes) => void;
  readonly name?: string;
  /** Makes the record an error. */
  readonly error?: { readonly message?: string | undefined };
  readonly events?: readonly TimedEvent[];
  /** Microseconds since the epoch; default now. */
  readonly endMicros?: number | undefined;
}

/** A record that has begun. It leaves when it ends; before that only its announcement does. */
export interface OpenRecord {
  readonly ref: RecordRef;
  /** Text of the reference, to be stored by the application. */
  readonly refText: string;
  /** OpenTelemetry's context with this record active. */
  readonly context: Context;
  readonly startMicros: number;
  readonly ended: boolean;
  /** Runs `work` with this record active: records and spans made in it are its children. */
  run<R>(work: () => R): R;
  setAttributes(attributes: Attributes): void;
  /** Sends a copy that says that the record has begun, with its attributes so far, once the delay of the settings has passed, unless the record ends before. */
  announce(): void;
  /** What became of the announcement; `off` where there is none. Never rejects. */
  announced(): Promise<RecordOutcome>;
  /** The first call wins; later ones do nothing and return false. */
  end(end?: RecordEnd): boolean;
}

/** How everything leaves the SDK. No method throws. */
export interface Recorder {
  /** False before `startTracing()` and where tracing is switched off: ids are made all the same, and nothing is sent. */
  readonly enabled: boolean;
  start(start: RecordStart): OpenRecord;
  /** A record that is over already. */
  record(done: RecordStart & RecordEnd): RecordRef;
  /** A record without duration below `target` that changes what is known of it; the latest wins. False where the reference is none. */
  update(target: RecordRef | string, attributes: Attributes): boolean;
  /** Sends a finished record. */
  send(facts: RecordFacts): void;
  readonly problems: Problems;
  flush(timeoutMillis: number): Promise<FlushResult>;
  /** Whether anything waits to be sent. */
  hasWork(): boolean;
}

export interface RecorderParts {
  readonly origin: RecordOrigin;
  /** Where records go; the first is the one that announcements are acknowledged by. None: nothing is sent. */
  readonly deliveries: readonly Delivery[];
  readonly lane: PendingLane;
  readonly problems: Problems;
  /** Who takes what is told after the shutdown: the recorder of a tracing that was started since. */
  readonly heir?: () => Recorder | undefined;
}

const UPDATE = "update";

export function createRecorder({ origin, deliveries, lane, problems, heir = () => undefined }: RecorderParts): Recorder {
  const ids = new RandomIdGenerator();
  const enabled = deliveries.length > 0;

  const push = (span: ReadableSpan): void => {
    for (const delivery of deliveries) delivery.push(span);
  };

  const send = (facts: RecordFacts): void => {
    if (!enabled) return;
    const next = heir();
    if (next === undefined) push(readableSpan(facts, origin));
    else next.send(facts);
  };

  const contextBelow = (parent: SpanContext | undefined): SpanContext => {
    const spanId = ids.generateSpanId();
    if (parent === undefined) return { traceId: ids.generateTraceId(), spanId, traceFlags: TraceFlags.SAMPLED };
    const { traceId, traceFlags, traceState } = parent;
    return traceState === undefined ? { traceId, spanId, traceFlags } : { traceId, spanId, traceFlags, traceState };
  };

  const announce = (facts: (spanId: string) => RecordFacts): Announcement =>
    lane.add(() => readableSpan(facts(ids.generateSpanId()), origin));

  function start(given: RecordStart): OpenRecord {
    const { around, parent } = problems.guard("reading a parent", () => surroundings(given.parent), {
      around: context.active(),
      parent: undefined,
    });
    return openRecord(given, {
      around,
      parent,
      spanContext: contextBelow(parent),
      announce: enabled ? announce : undefined,
      send,
    });
  }

  return {
    enabled,
    problems,
    start,
    send,
    record(done) {
      const open = start(done);
      open.end({ ...done, attributes: {} });
      return open.ref;
    },
    update(target, attributes) {
      const ref = parseRef(target);
      if (ref === undefined) return false;
      const parent = spanContextOf(ref);
      const now = nowMicros();
      const facts = { name: UPDATE, context: contextBelow(parent), parent, startMicros: now, endMicros: now };
      send({ ...facts, attributes: { ...attributes, [GENSPAN_RECORD]: UPDATE } });
      return true;
    },
    hasWork: () => !lane.isEmpty() || deliveries.some((delivery) => delivery.stats().queued > 0),
    async flush(timeoutMillis) {
      const next = heir();
      if (next !== undefined) return next.flush(timeoutMillis);
      lane.release();
      return joined(await Promise.all(deliveries.map((delivery) => delivery.flush(timeoutMillis))));
    },
  };
}

function surroundings(given: Parent | undefined): { around: Context; parent: SpanContext | undefined } {
  const around = parentContext(given);
  return { around, parent: validSpanContext(around) };
}

/** The context that a new record is made in. A reference that is none counts as not given. */
function parentContext(parent: Parent | undefined): Context {
  const active = context.active();
  if (parent === undefined) return active;
  if (isContext(parent)) return parent;
  const ref = parseRef(parent);
  return ref === undefined ? active : trace.setSpan(active, trace.wrapSpanContext(spanContextOf(ref)));
}

const isContext = (parent: Parent | null): parent is Context =>
  typeof parent === "object" && parent !== null && "getValue" in parent && typeof parent.getValue === "function";

function validSpanContext(around: Context): SpanContext | undefined {
  const span: Span | undefined = trace.getSpan(around);
  const spanContext = span?.spanContext();
  return spanContext !== undefined && trace.isSpanContextValid(spanContext) ? spanContext : undefined;
}

/** Runs `work` so that every record made in it carries these attributes, too, without a record around them. */
export function runInheriting<R>(attributes: Attributes, work: () => R): R {
  return context.with(inheriting(context.active(), attributes), work);
}

import { type Attributes, type Context, context, createContextKey, type SpanContext, trace } from "@opentelemetry/api";
import { GENSPAN_PENDING_PARENT, GENSPAN_PENDING_SENT, GENSPAN_RECORD } from "../attributes.ts";
import { nowMicros } from "./clock.ts";
import type { RecordAttributes } from "./deferred-text.ts";
import type { Announcement } from "./pending-lane.ts";
import { type RecordFacts, type RecordRef, refText } from "./record.ts";
import type { OpenRecord, RecordEnd, RecordStart } from "./recorder.ts";

/** What a record needs of its recorder. */
export interface Surroundings {
  /** The context that it is made in. */
  readonly around: Context;
  readonly parent: SpanContext | undefined;
  readonly spanContext: SpanContext;
  /** Undefined where nothing is sent. `facts` is asked for when the announcement leaves. */
  readonly announce: ((facts: () => RecordFacts) => Announcement) | undefined;
  send(facts: RecordFacts): void;
}

const INHERITED = createContextKey("genspan inherited attributes");
const PENDING = "pending";

/** A record that begins now. The attributes of its start become its own: they are not copied. */
export function openRecord(given: RecordStart, { around, parent, spanContext, announce, send }: Surroundings): OpenRecord {
  const inherited = joined(inheritedFrom(around), given.inherited);
  const attributes: RecordAttributes = inherited === undefined ? (given.attributes ?? {}) : { ...inherited, ...given.attributes };
  const startMicros = given.startMicros ?? nowMicros();
  const ref: RecordRef = { traceId: spanContext.traceId, spanId: spanContext.spanId };
  let active: Context | undefined;
  let announcement: Announcement | undefined;
  let ended = false;

  /** Made when it is asked for: most records have nothing below them. */
  const activeContext = (): Context => {
    active ??= trace.setSpan(inherited === undefined ? around : around.setValue(INHERITED, inherited), trace.wrapSpanContext(spanContext));
    return active;
  };

  const announced = (): RecordFacts => ({
    name: given.name,
    context: spanContext,
    parent: spanContext,
    startMicros,
    endMicros: startMicros,
    attributes: {
      ...attributes,
      [GENSPAN_RECORD]: PENDING,
      ...(parent === undefined ? {} : { [GENSPAN_PENDING_PARENT]: parent.spanId }),
    },
  });

  function finished({ name = given.name, endMicros = nowMicros(), error, events, attributes: more, fill }: RecordEnd): RecordFacts {
    const wasAnnounced = announcement !== undefined && !announcement.withdraw();
    if (more !== undefined) Object.assign(attributes, more);
    fill?.(attributes);
    if (wasAnnounced) attributes[GENSPAN_PENDING_SENT] = true;
    return {
      name,
      kind: given.kind,
      context: spanContext,
      parent,
      startMicros,
      endMicros,
      attributes,
      failed: error !== undefined,
      statusMessage: error?.message,
      events,
    };
  }

  return {
    ref,
    refText: refText(ref),
    startMicros,
    get context() {
      return activeContext();
    },
    get ended() {
      return ended;
    },
    run: (work) => context.with(activeContext(), work),
    setAttributes(more) {
      Object.assign(attributes, more);
    },
    announce() {
      if (!ended) announcement ??= announce?.(announced);
    },
    announced: () => announcement?.outcome() ?? Promise.resolve("off"),
    end(end = {}) {
      if (ended) return false;
      ended = true;
      send(finished(end));
      return true;
    },
  };
}

const inheritedFrom = (around: Context): Attributes | undefined => around.getValue(INHERITED) as Attributes | undefined;

/** The context in which every record carries these attributes, too. */
export const inheriting = (around: Context, attributes: Attributes): Context =>
  around.setValue(INHERITED, joined(inheritedFrom(around), attributes));

const joined = (a: Attributes | undefined, b: Attributes | undefined): Attributes | undefined =>
  a === undefined ? b : b === undefined ? a : { ...a, ...b };

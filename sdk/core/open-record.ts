import { type Attributes, type Context, context, createContextKey, type SpanContext, trace } from "@opentelemetry/api";
import { GENSPAN_PENDING_PARENT, GENSPAN_PENDING_SENT, GENSPAN_RECORD } from "../attributes.ts";
import { nowMicros } from "./clock.ts";
import type { RecordAttributes } from "./deferred-text.ts";
import type { Announcement } from "./pending-lane.ts";
import { type RecordFacts, type RecordRef, refText } from "./record.ts";
import type { OpenRecord, RecordEnd, RecordOutcome, RecordStart } from "./recorder.ts";
import { type SharedAttributes, sharedAttributes } from "./shared-attributes.ts";

/** What a record needs of its recorder. */
export interface Surroundings {
  /** The context that it is made in. */
  readonly around: Context;
  readonly parent: SpanContext | undefined;
  readonly spanContext: SpanContext;
  /** Undefined where nothing is sent. `facts` is asked for when the announcement leaves, under an id of its own. */
  readonly announce: ((facts: (spanId: string) => RecordFacts) => Announcement) | undefined;
  send(facts: RecordFacts): void;
}

const INHERITED = createContextKey("genspan inherited attributes");
const PENDING = "pending";

/** A record that begins now. The attributes of its start become its own: they are not copied. */
export const openRecord = (given: RecordStart, surroundings: Surroundings): OpenRecord => new Opened(given, surroundings);

/** A class, because each object with getters of its own has a shape of its own: thirty times as long to make, and slow in everything that touches it. */
class Opened implements OpenRecord {
  readonly ref: RecordRef;
  readonly refText: string;
  readonly startMicros: number;
  readonly #given: RecordStart;
  readonly #surroundings: Surroundings;
  readonly #inherited: Attributes | undefined;
  readonly #shared: SharedAttributes;
  /** What became known since the start. */
  readonly #attributes: RecordAttributes = {};
  #context: Context | undefined;
  #announcement: Announcement | undefined;
  #ended = false;

  constructor(given: RecordStart, surroundings: Surroundings) {
    const { traceId, spanId } = surroundings.spanContext;
    const inherited = joined(inheritedFrom(surroundings.around), given.inherited);
    this.ref = { traceId, spanId };
    this.refText = refText(this.ref);
    this.startMicros = given.startMicros ?? nowMicros();
    this.#given = given;
    this.#surroundings = surroundings;
    this.#inherited = inherited;
    this.#shared = sharedAttributes(inherited === undefined ? (given.attributes ?? {}) : { ...inherited, ...given.attributes });
  }

  /** Made when it is asked for: most records have nothing below them. */
  get context(): Context {
    const { around, spanContext } = this.#surroundings;
    this.#context ??= trace.setSpan(
      this.#inherited === undefined ? around : around.setValue(INHERITED, this.#inherited),
      trace.wrapSpanContext(spanContext),
    );
    return this.#context;
  }

  get ended(): boolean {
    return this.#ended;
  }

  run<R>(work: () => R): R {
    return context.with(this.context, work);
  }

  setAttributes(more: Attributes): void {
    Object.assign(this.#attributes, more);
  }

  announce(): void {
    if (!this.#ended) this.#announcement ??= this.#surroundings.announce?.((spanId) => this.#announced(spanId));
  }

  announced(): Promise<RecordOutcome> {
    return this.#announcement?.outcome() ?? Promise.resolve("off");
  }

  end(end: RecordEnd = {}): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#surroundings.send(this.#finished(end));
    return true;
  }

  #announced(spanId: string): RecordFacts {
    const { spanContext, parent } = this.#surroundings;
    const attributes: RecordAttributes = { ...this.#attributes };
    attributes[GENSPAN_RECORD] = PENDING;
    if (parent !== undefined) attributes[GENSPAN_PENDING_PARENT] = parent.spanId;
    return {
      name: this.#given.name,
      context: { ...spanContext, spanId },
      parent: spanContext,
      startMicros: this.startMicros,
      endMicros: this.startMicros,
      attributes,
      shared: this.#shared,
    };
  }

  #finished({ name = this.#given.name, endMicros = nowMicros(), error, events, attributes: more, fill }: RecordEnd): RecordFacts {
    const attributes = this.#attributes;
    const wasAnnounced = this.#announcement !== undefined && !this.#announcement.withdraw();
    if (more !== undefined) Object.assign(attributes, more);
    fill?.(attributes);
    if (wasAnnounced) attributes[GENSPAN_PENDING_SENT] = true;
    return {
      name,
      kind: this.#given.kind,
      context: this.#surroundings.spanContext,
      parent: this.#surroundings.parent,
      startMicros: this.startMicros,
      endMicros,
      attributes,
      shared: this.#shared,
      failed: error !== undefined,
      statusMessage: error?.message,
      events,
    };
  }
}

const inheritedFrom = (around: Context): Attributes | undefined => around.getValue(INHERITED) as Attributes | undefined;

/** The context in which every record carries these attributes, too. */
export const inheriting = (around: Context, attributes: Attributes): Context =>
  around.setValue(INHERITED, joined(inheritedFrom(around), attributes));

const joined = (a: Attributes | undefined, b: Attributes | undefined): Attributes | undefined =>
  a === undefined ? b : b === undefined ? a : { ...a, ...b };

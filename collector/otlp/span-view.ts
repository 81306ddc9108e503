import { Arena, AttributeList } from "./attribute-list.ts";

/** A slice list: message i is `[starts[i], ends[i])` of the request. */
export class SliceList {
  count = 0;
  starts = new Int32Array(16);
  ends = new Int32Array(16);

  add(start: number, end: number): void {
    if (this.count === this.starts.length) {
      const starts = new Int32Array(this.count * 2);
      starts.set(this.starts);
      const ends = new Int32Array(this.count * 2);
      ends.set(this.ends);
      this.starts = starts;
      this.ends = ends;
    }
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }
}

/** A 64-bit field as two signed 32-bit halves: unix nanoseconds without rounding. */
export interface Halves {
  lo: number;
  hi: number;
}

/** The resource or scope that the current span belongs to. `serial` changes with every new one, so that work on it is done once. */
export interface OriginView {
  serial: number;
  /** False when the request carries no such message. */
  present: boolean;
  /** Where its message stands in the request; both 0 when there is none, or when it came in several pieces that were merged. */
  start: number;
  end: number;
  readonly attributes: AttributeList;
  droppedAttributesCount: number;
  nameOffset: number;
  nameSize: number;
  versionOffset: number;
  versionSize: number;
  schemaUrlOffset: number;
  schemaUrlSize: number;
}

/**
 * One decoded span as slices over its request's bytes. The object is filled anew for each span: take out what must outlive `next()`.
 * Sizes are bytes; a size of 0 is an absent or empty field (proto3 does not tell them apart).
 */
export interface SpanView {
  readonly arena: Arena;
  readonly resource: OriginView;
  readonly scope: OriginView;
  readonly attributes: AttributeList;
  readonly events: SliceList;
  readonly links: SliceList;
  /** What could not be taken as it was sent: see sent-marks.ts. */
  readonly sent: SliceList;
  /** Where the span's own message stands in the request. */
  start: number;
  end: number;
  traceIdOffset: number;
  traceIdSize: number;
  spanIdOffset: number;
  spanIdSize: number;
  parentSpanIdOffset: number;
  parentSpanIdSize: number;
  traceStateOffset: number;
  traceStateSize: number;
  nameOffset: number;
  nameSize: number;
  kind: number;
  readonly startTime: Halves;
  readonly endTime: Halves;
  statusCode: number;
  statusMessageOffset: number;
  statusMessageSize: number;
  flags: number;
  droppedAttributesCount: number;
  droppedEventsCount: number;
  droppedLinksCount: number;
}

export function createOriginView(arena: Arena): OriginView {
  return {
    serial: 0,
    present: false,
    start: 0,
    end: 0,
    attributes: new AttributeList(arena),
    droppedAttributesCount: 0,
    nameOffset: 0,
    nameSize: 0,
    versionOffset: 0,
    versionSize: 0,
    schemaUrlOffset: 0,
    schemaUrlSize: 0,
  };
}

export function createSpanView(): SpanView {
  const arena = new Arena();
  return {
    arena,
    resource: createOriginView(arena),
    scope: createOriginView(arena),
    attributes: new AttributeList(arena),
    events: new SliceList(),
    links: new SliceList(),
    sent: new SliceList(),
    start: 0,
    end: 0,
    traceIdOffset: 0,
    traceIdSize: 0,
    spanIdOffset: 0,
    spanIdSize: 0,
    parentSpanIdOffset: 0,
    parentSpanIdSize: 0,
    traceStateOffset: 0,
    traceStateSize: 0,
    nameOffset: 0,
    nameSize: 0,
    kind: 0,
    startTime: { lo: 0, hi: 0 },
    endTime: { lo: 0, hi: 0 },
    statusCode: 0,
    statusMessageOffset: 0,
    statusMessageSize: 0,
    flags: 0,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Back to an empty span; origins stay. The side buffer is emptied with the request, since origins may point into it. */
export function clearSpan(view: SpanView): void {
  view.attributes.clear();
  view.events.count = 0;
  view.links.count = 0;
  view.sent.count = 0;
  view.traceIdSize = 0;
  view.spanIdSize = 0;
  view.parentSpanIdSize = 0;
  view.traceStateSize = 0;
  view.nameSize = 0;
  view.kind = 0;
  view.startTime.lo = 0;
  view.startTime.hi = 0;
  view.endTime.lo = 0;
  view.endTime.hi = 0;
  view.statusCode = 0;
  view.statusMessageSize = 0;
  view.flags = 0;
  view.droppedAttributesCount = 0;
  view.droppedEventsCount = 0;
  view.droppedLinksCount = 0;
}

/** One decoded log record, under the same rules as SpanView. */
export interface LogView {
  readonly arena: Arena;
  readonly resource: OriginView;
  readonly scope: OriginView;
  readonly attributes: AttributeList;
  /** The body as the only value of a list, if there is one: `body.count` is 0 or 1. */
  readonly body: AttributeList;
  /** As of a span. */
  readonly sent: SliceList;
  start: number;
  end: number;
  readonly time: Halves;
  readonly observedTime: Halves;
  severityNumber: number;
  severityTextOffset: number;
  severityTextSize: number;
  eventNameOffset: number;
  eventNameSize: number;
  traceIdOffset: number;
  traceIdSize: number;
  spanIdOffset: number;
  spanIdSize: number;
  flags: number;
  droppedAttributesCount: number;
}

export function createLogView(): LogView {
  const arena = new Arena();
  return {
    arena,
    resource: createOriginView(arena),
    scope: createOriginView(arena),
    attributes: new AttributeList(arena),
    body: new AttributeList(arena),
    sent: new SliceList(),
    start: 0,
    end: 0,
    time: { lo: 0, hi: 0 },
    observedTime: { lo: 0, hi: 0 },
    severityNumber: 0,
    severityTextOffset: 0,
    severityTextSize: 0,
    eventNameOffset: 0,
    eventNameSize: 0,
    traceIdOffset: 0,
    traceIdSize: 0,
    spanIdOffset: 0,
    spanIdSize: 0,
    flags: 0,
    droppedAttributesCount: 0,
  };
}

export function clearLog(view: LogView): void {
  view.attributes.clear();
  view.body.clear();
  view.sent.count = 0;
  view.time.lo = 0;
  view.time.hi = 0;
  view.observedTime.lo = 0;
  view.observedTime.hi = 0;
  view.severityNumber = 0;
  view.severityTextSize = 0;
  view.eventNameSize = 0;
  view.traceIdSize = 0;
  view.spanIdSize = 0;
  view.flags = 0;
  view.droppedAttributesCount = 0;
}

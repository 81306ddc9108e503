import { Arena, AttributeList } from "./attribute-list.ts";
import { DecodeError } from "./decode-error.ts";
import type { Halves, LogView, OriginView, SliceList, SpanView } from "./span-view.ts";
import { clearLog, clearSpan } from "./span-view.ts";
import { WIRE_FIXED32, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, WireReader } from "./wire.ts";

const key = (field: number, wire: number): number => (field << 3) | wire;

/** What the walk needs from a view of either signal. */
interface ItemView {
  readonly arena: { request: Buffer; readonly side: { clear(): void } };
  readonly resource: OriginView;
  readonly scope: OriginView;
  start: number;
  end: number;
}

/** `broken`: the item's own message is no protobuf, while its bounds are sound. */
export type WalkResult = "item" | "broken" | "end";

/**
 * Walks the three levels that all OTLP signals share (request > resource > scope > item) and stops at each item.
 * Field order is free in protobuf, so each level is scanned for its resource or scope before its items are visited.
 * `next` throws DecodeError where the request around the items is no protobuf; what was taken from earlier items must then be thrown away.
 */
export class RequestWalker<V extends ItemView> {
  readonly view: V;
  private readonly decodeItem: (view: V, reader: WireReader, start: number, end: number) => void;
  private readonly reader = new WireReader();
  private bytes: Buffer = Buffer.alloc(0);
  private top = 0;
  private resourceAt = 0;
  private resourceEnd = 0;
  private scopeAt = 0;
  private scopeEnd = 0;

  constructor(view: V, decodeItem: (view: V, reader: WireReader, start: number, end: number) => void) {
    this.view = view;
    this.decodeItem = decodeItem;
  }

  open(request: Buffer): void {
    this.bytes = request;
    this.view.arena.request = request;
    this.view.arena.side.clear();
    this.top = 0;
    this.resourceAt = 0;
    this.resourceEnd = 0;
    this.scopeAt = 0;
    this.scopeEnd = 0;
  }

  /** Fills the view with the next item. */
  next(): WalkResult {
    for (;;) {
      const found = this.nextItem();
      if (found !== "end") return found;
      if (this.nextScope()) continue;
      if (!this.nextResource()) return "end";
    }
  }

  private nextItem(): WalkResult {
    const { reader } = this;
    reader.reset(this.bytes, this.scopeAt, this.scopeEnd);
    while (reader.pos < this.scopeEnd) {
      const tag = reader.tag();
      if (tag !== key(2, WIRE_LENGTH)) {
        reader.skip(tag);
        continue;
      }
      const size = reader.length();
      const start = reader.pos;
      const end = start + size;
      this.scopeAt = end;
      this.view.start = start;
      this.view.end = end;
      return this.decodeWhole(start, end) ? "item" : "broken";
    }
    this.scopeAt = this.scopeEnd;
    return "end";
  }

  private decodeWhole(start: number, end: number): boolean {
    try {
      this.decodeItem(this.view, this.reader, start, end);
      return true;
    } catch (error) {
      if (error instanceof DecodeError) return false;
      throw error;
    }
  }

  private nextScope(): boolean {
    const start = this.enter(this.resourceAt, this.resourceEnd, 2);
    this.resourceAt = this.reader.pos;
    if (start < 0) return false;
    this.scopeAt = start;
    this.scopeEnd = this.resourceAt;
    scanOrigin(this.reader.bytes as Buffer, { start, end: this.scopeEnd, origin: this.view.scope, decode: decodeScope });
    return true;
  }

  private nextResource(): boolean {
    const start = this.enter(this.top, this.bytes.length, 1);
    this.top = this.reader.pos;
    if (start < 0) return false;
    this.resourceAt = start;
    this.resourceEnd = this.top;
    scanOrigin(this.bytes, { start, end: this.resourceEnd, origin: this.view.resource, decode: decodeResource });
    return true;
  }

  /** Finds the next submessage `field` in `[at, end)`: returns its start and leaves the reader at its end, or returns -1 at `end`. */
  private enter(at: number, end: number, field: number): number {
    const { reader } = this;
    reader.reset(this.bytes, at, end);
    while (reader.pos < end) {
      const tag = reader.tag();
      if (tag !== key(field, WIRE_LENGTH)) {
        reader.skip(tag);
        continue;
      }
      const size = reader.length();
      const start = reader.pos;
      reader.pos += size;
      return start;
    }
    return -1;
  }
}

interface OriginScan {
  readonly start: number;
  readonly end: number;
  readonly origin: OriginView;
  readonly decode: (origin: OriginView, reader: WireReader, end: number) => void;
}

/** Collects the origin message (field 1) and schema_url (field 3) of a ResourceSpans or ScopeSpans; checks that the items between are whole. */
function scanOrigin(bytes: Buffer, scan: OriginScan): void {
  const { origin } = scan;
  origin.serial++;
  origin.present = false;
  origin.start = 0;
  origin.end = 0;
  origin.attributes.clear();
  origin.droppedAttributesCount = 0;
  origin.nameSize = 0;
  origin.versionSize = 0;
  origin.schemaUrlSize = 0;
  const reader = new WireReader();
  reader.reset(bytes, scan.start, scan.end);
  while (reader.pos < scan.end) {
    const tag = reader.tag();
    if (tag === key(1, WIRE_LENGTH)) {
      const size = reader.length();
      const end = reader.pos + size;
      origin.start = origin.present ? 0 : reader.pos;
      origin.end = origin.present ? 0 : end;
      origin.present = true;
      reader.end = end;
      scan.decode(origin, reader, end);
      reader.end = scan.end;
    } else if (tag === key(3, WIRE_LENGTH)) {
      origin.schemaUrlSize = reader.length();
      origin.schemaUrlOffset = reader.pos;
      reader.pos += origin.schemaUrlSize;
    } else reader.skip(tag);
  }
}

/** resource.proto Resource: 1 attributes, 2 dropped_attributes_count. */
function decodeResource(origin: OriginView, reader: WireReader, end: number): void {
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === key(1, WIRE_LENGTH)) addAttribute(origin, reader);
    else if (tag === key(2, WIRE_VARINT)) origin.droppedAttributesCount = reader.varint32();
    else reader.skip(tag);
  }
}

/** common.proto InstrumentationScope: 1 name, 2 version, 3 attributes, 4 dropped_attributes_count. */
function decodeScope(origin: OriginView, reader: WireReader, end: number): void {
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === key(1, WIRE_LENGTH)) {
      origin.nameSize = reader.length();
      origin.nameOffset = reader.pos;
      reader.pos += origin.nameSize;
    } else if (tag === key(2, WIRE_LENGTH)) {
      origin.versionSize = reader.length();
      origin.versionOffset = reader.pos;
      reader.pos += origin.versionSize;
    } else if (tag === key(3, WIRE_LENGTH)) addAttribute(origin, reader);
    else if (tag === key(4, WIRE_VARINT)) origin.droppedAttributesCount = reader.varint32();
    else reader.skip(tag);
  }
}

function addAttribute(holder: { readonly attributes: { addKeyValue(start: number, end: number): void } }, reader: WireReader): void {
  const size = reader.length();
  holder.attributes.addKeyValue(reader.pos, reader.pos + size);
  reader.pos += size;
}

function addSlice(list: SliceList, reader: WireReader): void {
  const size = reader.length();
  list.add(reader.pos, reader.pos + size);
  reader.pos += size;
}

function readHalves(target: Halves, reader: WireReader): void {
  reader.fixed64();
  target.lo = reader.lo;
  target.hi = reader.hi;
}

/** trace.proto Span. A known field under an unexpected wire type is an unknown field, as protobuf has it. */
function decodeSpan(view: SpanView, reader: WireReader, start: number, end: number): void {
  clearSpan(view);
  reader.pos = start;
  reader.end = end;
  while (reader.pos < end) {
    const tag = reader.tag();
    switch (tag) {
      case key(1, WIRE_LENGTH):
        view.traceIdSize = reader.length();
        view.traceIdOffset = reader.pos;
        reader.pos += view.traceIdSize;
        break;
      case key(2, WIRE_LENGTH):
        view.spanIdSize = reader.length();
        view.spanIdOffset = reader.pos;
        reader.pos += view.spanIdSize;
        break;
      case key(3, WIRE_LENGTH):
        view.traceStateSize = reader.length();
        view.traceStateOffset = reader.pos;
        reader.pos += view.traceStateSize;
        break;
      case key(4, WIRE_LENGTH):
        view.parentSpanIdSize = reader.length();
        view.parentSpanIdOffset = reader.pos;
        reader.pos += view.parentSpanIdSize;
        break;
      case key(5, WIRE_LENGTH):
        view.nameSize = reader.length();
        view.nameOffset = reader.pos;
        reader.pos += view.nameSize;
        break;
      case key(6, WIRE_VARINT):
        view.kind = reader.varint32() | 0;
        break;
      case key(7, WIRE_FIXED64):
        readHalves(view.startTime, reader);
        break;
      case key(8, WIRE_FIXED64):
        readHalves(view.endTime, reader);
        break;
      case key(9, WIRE_LENGTH):
        addAttribute(view, reader);
        break;
      case key(10, WIRE_VARINT):
        view.droppedAttributesCount = reader.varint32();
        break;
      case key(11, WIRE_LENGTH):
        addSlice(view.events, reader);
        break;
      case key(12, WIRE_VARINT):
        view.droppedEventsCount = reader.varint32();
        break;
      case key(13, WIRE_LENGTH):
        addSlice(view.links, reader);
        break;
      case key(14, WIRE_VARINT):
        view.droppedLinksCount = reader.varint32();
        break;
      case key(15, WIRE_LENGTH):
        decodeStatus(view, reader);
        break;
      case key(16, WIRE_FIXED32):
        view.flags = reader.fixed32() >>> 0;
        break;
      default:
        reader.skip(tag);
    }
  }
}

/** trace.proto Status: 2 message, 3 code. */
function decodeStatus(view: SpanView, reader: WireReader): void {
  const outer = reader.end;
  const end = reader.length() + reader.pos;
  reader.end = end;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === key(2, WIRE_LENGTH)) {
      view.statusMessageSize = reader.length();
      view.statusMessageOffset = reader.pos;
      reader.pos += view.statusMessageSize;
    } else if (tag === key(3, WIRE_VARINT)) view.statusCode = reader.varint32() | 0;
    else reader.skip(tag);
  }
  reader.end = outer;
}

/** logs.proto LogRecord: 1 time, 2 severity_number, 3 severity_text, 5 body, 6 attributes, 7 dropped, 8 flags, 9 trace_id, 10 span_id, 11 observed, 12 event_name. */
function decodeLog(view: LogView, reader: WireReader, start: number, end: number): void {
  clearLog(view);
  reader.pos = start;
  reader.end = end;
  while (reader.pos < end) {
    const tag = reader.tag();
    switch (tag) {
      case key(1, WIRE_FIXED64):
        readHalves(view.time, reader);
        break;
      case key(2, WIRE_VARINT):
        view.severityNumber = reader.varint32() | 0;
        break;
      case key(3, WIRE_LENGTH):
        view.severityTextSize = reader.length();
        view.severityTextOffset = reader.pos;
        reader.pos += view.severityTextSize;
        break;
      case key(5, WIRE_LENGTH): {
        const size = reader.length();
        view.body.addValue(reader.pos, reader.pos + size);
        reader.pos += size;
        break;
      }
      case key(6, WIRE_LENGTH):
        addAttribute(view, reader);
        break;
      case key(7, WIRE_VARINT):
        view.droppedAttributesCount = reader.varint32();
        break;
      case key(8, WIRE_FIXED32):
        view.flags = reader.fixed32() >>> 0;
        break;
      case key(9, WIRE_LENGTH):
        view.traceIdSize = reader.length();
        view.traceIdOffset = reader.pos;
        reader.pos += view.traceIdSize;
        break;
      case key(10, WIRE_LENGTH):
        view.spanIdSize = reader.length();
        view.spanIdOffset = reader.pos;
        reader.pos += view.spanIdSize;
        break;
      case key(11, WIRE_FIXED64):
        readHalves(view.observedTime, reader);
        break;
      case key(12, WIRE_LENGTH):
        view.eventNameSize = reader.length();
        view.eventNameOffset = reader.pos;
        reader.pos += view.eventNameSize;
        break;
      default:
        reader.skip(tag);
    }
  }
}

/** Walks the spans of an ExportTraceServiceRequest. */
export const createSpanWalker = (view: SpanView): RequestWalker<SpanView> => new RequestWalker(view, decodeSpan);

/** Walks the log records of an ExportLogsServiceRequest. */
export const createLogWalker = (view: LogView): RequestWalker<LogView> => new RequestWalker(view, decodeLog);

/** A span event, decoded on demand: trace.proto Span.Event 1 time, 2 name, 3 attributes, 4 dropped_attributes_count. */
export interface EventView {
  readonly time: Halves;
  nameOffset: number;
  nameSize: number;
  droppedAttributesCount: number;
}

/** Room for one event at a time; `decodeEvent` fills it. */
export function createEventView(request: Buffer): EventView & Pick<OriginView, "attributes"> {
  const arena = new Arena();
  arena.request = request;
  return { time: { lo: 0, hi: 0 }, nameOffset: 0, nameSize: 0, droppedAttributesCount: 0, attributes: new AttributeList(arena) };
}

export function decodeEvent(view: SpanView, index: number, target: EventView & Pick<OriginView, "attributes">): void {
  const start = view.events.starts[index];
  const end = view.events.ends[index];
  target.attributes.clear();
  target.time.lo = 0;
  target.time.hi = 0;
  target.nameSize = 0;
  target.droppedAttributesCount = 0;
  const reader = new WireReader();
  reader.reset(view.arena.request, start, end);
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === key(1, WIRE_FIXED64)) readHalves(target.time, reader);
    else if (tag === key(2, WIRE_LENGTH)) {
      target.nameSize = reader.length();
      target.nameOffset = reader.pos;
      reader.pos += target.nameSize;
    } else if (tag === key(3, WIRE_LENGTH)) addAttribute(target, reader);
    else if (tag === key(4, WIRE_VARINT)) target.droppedAttributesCount = reader.varint32();
    else reader.skip(tag);
  }
}

/** A span link, decoded on demand: trace.proto Span.Link 1 trace_id, 2 span_id, 3 trace_state, 4 attributes, 5 dropped, 6 flags. */
export interface LinkView {
  traceIdOffset: number;
  traceIdSize: number;
  spanIdOffset: number;
  spanIdSize: number;
  traceStateOffset: number;
  traceStateSize: number;
  flags: number;
  droppedAttributesCount: number;
}

export function decodeLink(view: SpanView, index: number, target: LinkView & Pick<OriginView, "attributes">): void {
  const end = view.links.ends[index];
  target.attributes.clear();
  target.traceIdSize = 0;
  target.spanIdSize = 0;
  target.traceStateSize = 0;
  target.flags = 0;
  target.droppedAttributesCount = 0;
  const reader = new WireReader();
  reader.reset(view.arena.request, view.links.starts[index], end);
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === key(1, WIRE_LENGTH)) {
      target.traceIdSize = reader.length();
      target.traceIdOffset = reader.pos;
      reader.pos += target.traceIdSize;
    } else if (tag === key(2, WIRE_LENGTH)) {
      target.spanIdSize = reader.length();
      target.spanIdOffset = reader.pos;
      reader.pos += target.spanIdSize;
    } else if (tag === key(3, WIRE_LENGTH)) {
      target.traceStateSize = reader.length();
      target.traceStateOffset = reader.pos;
      reader.pos += target.traceStateSize;
    } else if (tag === key(4, WIRE_LENGTH)) addAttribute(target, reader);
    else if (tag === key(5, WIRE_VARINT)) target.droppedAttributesCount = reader.varint32();
    else if (tag === key(6, WIRE_FIXED32)) target.flags = reader.fixed32() >>> 0;
    else reader.skip(tag);
  }
}

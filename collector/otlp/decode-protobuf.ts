import { Arena, AttributeList } from "./attribute-list.ts";
import { addAttribute, key, RequestWalker } from "./request-walker.ts";
import { SENT_TAG } from "./sent-marks.ts";
import type { Halves, LogView, OriginView, SpanView } from "./span-view.ts";
import { clearLog, clearSpan, SliceList } from "./span-view.ts";
import { WIRE_FIXED32, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, WireReader } from "./wire.ts";

function addSlice(list: SliceList, reader: WireReader): void {
  const size = reader.length();
  list.add(reader.pos, reader.pos + size);
  reader.pos += size;
}

/** A field that is none of the message: skipped, unless it is a mark of the JSON transcoder. */
function unknownField(sent: SliceList, reader: WireReader, tag: number): void {
  if (tag === SENT_TAG) addSlice(sent, reader);
  else reader.skip(tag);
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
        unknownField(view.sent, reader, tag);
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
        unknownField(view.sent, reader, tag);
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
  /** As of a span. */
  readonly sent: SliceList;
  nameOffset: number;
  nameSize: number;
  droppedAttributesCount: number;
}

/** Room for one event at a time; `decodeEvent` fills it. */
export function createEventView(request: Buffer): EventView & Pick<OriginView, "attributes"> {
  const arena = new Arena();
  arena.request = request;
  return {
    time: { lo: 0, hi: 0 },
    sent: new SliceList(),
    nameOffset: 0,
    nameSize: 0,
    droppedAttributesCount: 0,
    attributes: new AttributeList(arena),
  };
}

export function decodeEvent(view: SpanView, index: number, target: EventView & Pick<OriginView, "attributes">): void {
  const start = view.events.starts[index];
  const end = view.events.ends[index];
  target.attributes.clear();
  target.sent.count = 0;
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
    else unknownField(target.sent, reader, tag);
  }
}

/** A span link, decoded on demand: trace.proto Span.Link 1 trace_id, 2 span_id, 3 trace_state, 4 attributes, 5 dropped, 6 flags. */
export interface LinkView {
  /** As of a span. */
  readonly sent: SliceList;
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
  target.sent.count = 0;
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
    else unknownField(target.sent, reader, tag);
  }
}

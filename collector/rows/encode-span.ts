import type { ByteWriter } from "../base/byte-writer.ts";
import { type Literal, literal } from "../base/bytes-view.ts";
import { Arena, AttributeList } from "../otlp/attribute-list.ts";
import { decodeEvent, decodeLink } from "../otlp/decode-protobuf.ts";
import { writeJsonString } from "../otlp/json-string.ts";
import { type OriginView, SliceList, type SpanView } from "../otlp/span-view.ts";
import { writeJsonObject } from "../otlp/value-json.ts";
import {
  beginJson,
  copyInt2,
  copyInt8,
  copyJson,
  copyMillis,
  copyNull,
  copyText,
  copyTime,
  endField,
  nanosBetween,
  nanosText,
  writeNanos,
} from "./copy-row.ts";
import type { SharedRow } from "./encoded-request.ts";
import type { IngestNotes } from "./ingest-notes.ts";
import { noteOrigin, type ResourceFacts } from "./origins.ts";
import { copySpanKey, namesSpan, type SpanKey } from "./row-key.ts";
import { EVENT_FIELDS, type IdSlice, LINK_FIELDS, noteSent, noteWrongId, SPAN_FIELDS } from "./sent-notes.ts";
import { SPANS } from "./table-spec.ts";

/** Fields that are the same for all spans of a resource and scope. */
export interface OriginFields {
  readonly serviceName: Literal;
  readonly resourceId: Literal;
  readonly scopeId: Literal;
}

/** What a span's rows share, apart from the view. */
export interface SpanContext {
  readonly key: SpanKey;
  readonly resource: ResourceFacts;
  readonly scope: SharedRow | undefined;
  readonly fields: OriginFields;
  readonly notes: IngestNotes;
  /** Content that moved into the generation row, as bits (see content-moved.ts); 0 for none. */
  contentMoved: number;
  /** Puts references into the place of binary content in the attributes of an event; undefined where there cannot be any. */
  takeMedia: ((attributes: AttributeList) => void) | undefined;
}

const MAX_INT8 = 0x7fff_ffff_ffff_ffffn;

/** Scratch for one event or link at a time. */
function createPartScratch() {
  const arena = new Arena();
  return {
    arena,
    time: { lo: 0, hi: 0 },
    nameOffset: 0,
    nameSize: 0,
    traceIdOffset: 0,
    traceIdSize: 0,
    spanIdOffset: 0,
    spanIdSize: 0,
    traceStateOffset: 0,
    traceStateSize: 0,
    flags: 0,
    droppedAttributesCount: 0,
    sent: new SliceList(),
    attributes: new AttributeList(arena),
  };
}
const part = createPartScratch();

function openPart(request: Buffer): void {
  part.arena.request = request;
  part.arena.side.clear();
}

/** Writes the row of table spans. Field order is that of SPANS.columns. */
export function encodeSpanRow(out: ByteWriter, view: SpanView, context: SpanContext): void {
  const { key, notes, fields } = context;
  const { request } = view.arena;
  out.u16(SPANS.columns.length);
  const startNano = copySpanKey(out, key);
  copyInt2(out, startNano);
  encodeEnd(out, view, context);
  const { parentSpanIdOffset: offset, parentSpanIdSize: size } = view;
  if (namesSpan(request, offset, size)) {
    out.u32(16);
    out.hex(request, offset, offset + 8);
  } else {
    copyNull(out);
    noteWrongId(notes, request, { offset, size, expected: 8, path: "parent_span_id" });
  }
  notes.mended("name", copyText(out, request, view.nameOffset, view.nameOffset + view.nameSize));
  copyInt2(out, smallint(view.kind, "kind", notes));
  out.literal(fields.serviceName);
  copyInt2(out, smallint(view.statusCode, "status_code", notes));
  optionalText(out, view, { offset: view.statusMessageOffset, size: view.statusMessageSize, path: "status_message", notes });
  encodeAttributes(out, view.attributes, notes);
  out.literal(fields.resourceId);
  out.literal(fields.scopeId);
  encodeEvents(out, view, context);
  encodeLinks(out, view, notes);
  optionalText(out, view, { offset: view.traceStateOffset, size: view.traceStateSize, path: "trace_state", notes });
  optionalCount(out, view.flags);
  optionalCount(out, view.droppedAttributesCount);
  optionalCount(out, view.droppedEventsCount);
  optionalCount(out, view.droppedLinksCount);
  if (context.contentMoved === 0) copyNull(out);
  else copyInt2(out, context.contentMoved);
  if (view.sent.count > 0) noteSent(notes, { request, sent: view.sent, names: SPAN_FIELDS });
  noteOrigin(notes, context.resource.row);
  noteOrigin(notes, context.scope);
  const noted = notes.toJson();
  if (noted === undefined) copyNull(out);
  else copyJson(out, noted);
  copyMillis(out, key.receivedAtMs);
}

/** end_time, end_nano, duration_ns. An end before the start is kept and the duration is 0; without a start or an end it is unknown. */
function encodeEnd(out: ByteWriter, view: SpanView, context: SpanContext): void {
  const { key, notes } = context;
  if (key.start === undefined) notes.timing("start", nanosText(view.startTime));
  if ((view.endTime.lo | view.endTime.hi) === 0) {
    copyNull(out);
    copyNull(out);
    copyNull(out);
    return;
  }
  const endNano = copyTime(out, view.endTime);
  copyInt2(out, endNano);
  const duration = durationNanos(view);
  if (key.start === undefined || duration === undefined) copyNull(out);
  else if (duration < 0) {
    notes.timing("negative_duration", String(duration));
    copyInt8(out, 0);
  } else copyInt8(out, duration);
}

/** Exact nanoseconds from start to end, negative when the clock went back; undefined when an end is missing or int8 cannot hold it. */
export function durationNanos(view: SpanView): number | bigint | undefined {
  if ((view.endTime.lo | view.endTime.hi) === 0 || (view.startTime.lo | view.startTime.hi) === 0) return undefined;
  const nanos = nanosBetween(view.startTime, view.endTime);
  return typeof nanos === "bigint" && nanos > MAX_INT8 ? undefined : nanos;
}

/** proto3 enums are open: a value that smallint cannot hold is stored as 0, "unspecified", and noted. */
function smallint(value: number, path: string, notes: IngestNotes): number {
  if (value >= -32768 && value <= 32767) return value;
  notes.unusable(path, String(value));
  return 0;
}

/** Zero is proto3's "not set": NULL. */
export function optionalCount(out: ByteWriter, value: number): void {
  if (value === 0) copyNull(out);
  else copyInt8(out, value);
}

interface TextSlice {
  readonly offset: number;
  readonly size: number;
  readonly path: string;
  readonly notes: IngestNotes;
}

export function optionalText(out: ByteWriter, view: { readonly arena: { request: Buffer } }, slice: TextSlice): void {
  if (slice.size === 0) copyNull(out);
  else slice.notes.mended(slice.path, copyText(out, view.arena.request, slice.offset, slice.offset + slice.size));
}

export function copyUuid(out: ByteWriter, hex: string): void {
  out.u32(16);
  out.reserve(16);
  out.length += out.buffer.write(hex, out.length, "hex");
}

/** The attributes as jsonb, noting what was mended under `attributes.<key>`. */
export function encodeAttributes(out: ByteWriter, attributes: AttributeList, notes: IngestNotes): void {
  const at = beginJson(out);
  writeJsonObject(out, attributes, (index, mended) => notes.mended(`attributes.${attributes.name(index)}`, mended));
  endField(out, at);
  if (attributes.duplicates > 0) notes.duplicates(attributes.duplicates);
}

const FIRST_EVENT = literal('[{"name":');
const NEXT_EVENT = literal(',{"name":');
const EVENT_TIME = literal(',"time_unix_nano":"');
const EVENT_ATTRIBUTES = literal('","attributes":');

/** `[{"name", "time_unix_nano": "…", "attributes": {…}, "dropped_attributes_count"?}]` */
function encodeEvents(out: ByteWriter, view: SpanView, { notes, takeMedia }: SpanContext): void {
  if (view.events.count === 0) {
    copyNull(out);
    return;
  }
  openPart(view.arena.request);
  const at = beginJson(out);
  for (let i = 0; i < view.events.count; i++) {
    decodeEvent(view, i, part);
    takeMedia?.(part.attributes);
    out.literal(i === 0 ? FIRST_EVENT : NEXT_EVENT);
    const mended = writeJsonString(out, view.arena.request, part.nameOffset, part.nameOffset + part.nameSize);
    if (mended !== 0) notes.mended(`events.${i}.name`, mended);
    out.literal(EVENT_TIME);
    writeNanos(out, part.time);
    if (part.sent.count > 0) {
      noteSent(notes, { request: view.arena.request, sent: part.sent, names: EVENT_FIELDS, path: `events.${i}.` });
    }
    out.literal(EVENT_ATTRIBUTES);
    encodePartAttributes(out, { list: "events", index: i, notes });
    out.u8(0x7d);
  }
  out.u8(0x5d);
  endField(out, at);
}

/** `[{"trace_id": "…" | null, "span_id", "trace_state"?, "flags"?, "attributes": {…}, "dropped_attributes_count"?}]` */
function encodeLinks(out: ByteWriter, view: SpanView, notes: IngestNotes): void {
  if (view.links.count === 0) {
    copyNull(out);
    return;
  }
  const { request } = view.arena;
  openPart(request);
  const at = beginJson(out);
  for (let i = 0; i < view.links.count; i++) {
    decodeLink(view, i, part);
    out.u8(i === 0 ? 0x5b : 0x2c);
    out.ascii('{"trace_id":');
    writeLinkId(out, request, { offset: part.traceIdOffset, size: part.traceIdSize, expected: 16 });
    out.ascii(',"span_id":');
    writeLinkId(out, request, { offset: part.spanIdOffset, size: part.spanIdSize, expected: 8 });
    out.u8(0x2c);
    if (part.traceIdSize !== 16 || part.spanIdSize !== 8) noteLinkIds(notes, request, i);
    if (part.traceStateSize > 0) {
      out.ascii('"trace_state":');
      const mended = writeJsonString(out, request, part.traceStateOffset, part.traceStateOffset + part.traceStateSize);
      notes.mended(`links.${i}.trace_state`, mended);
      out.u8(0x2c);
    }
    if (part.flags !== 0) out.ascii(`"flags":${part.flags},`);
    if (part.sent.count > 0) noteSent(notes, { request, sent: part.sent, names: LINK_FIELDS, path: `links.${i}.` });
    out.ascii('"attributes":');
    encodePartAttributes(out, { list: "links", index: i, notes });
    out.u8(0x7d);
  }
  out.u8(0x5d);
  endField(out, at);
}

/** The id of a link in hexadecimal, or null where it is none. */
function writeLinkId(out: ByteWriter, request: Buffer, { offset, size, expected }: Omit<IdSlice, "path">): void {
  if (size !== expected) {
    out.ascii("null");
    return;
  }
  out.u8(0x22);
  out.hex(request, offset, offset + size);
  out.u8(0x22);
}

function noteLinkIds(notes: IngestNotes, request: Buffer, index: number): void {
  const { traceIdOffset, traceIdSize, spanIdOffset, spanIdSize } = part;
  noteWrongId(notes, request, { offset: traceIdOffset, size: traceIdSize, expected: 16, path: `links.${index}.trace_id` });
  noteWrongId(notes, request, { offset: spanIdOffset, size: spanIdSize, expected: 8, path: `links.${index}.span_id` });
}

interface PartOf {
  readonly list: "events" | "links";
  readonly index: number;
  readonly notes: IngestNotes;
}

function encodePartAttributes(out: ByteWriter, { list, index, notes }: PartOf): void {
  const { attributes, droppedAttributesCount }: Pick<OriginView, "attributes" | "droppedAttributesCount"> = part;
  writeJsonObject(out, attributes, (i, mended) => notes.mended(`${list}.${index}.attributes.${attributes.name(i)}`, mended));
  if (droppedAttributesCount > 0) out.ascii(`,"dropped_attributes_count":${droppedAttributesCount}`);
}

import { hash } from "node:crypto";
import { EVENT_EVALUATION_RESULT, EVENT_NAME } from "../../sdk/attributes.ts";
import type { ByteWriter } from "../base/byte-writer.ts";
import type { PriceBook } from "../model/price.ts";
import { createLogWalker } from "../otlp/decode-protobuf.ts";
import { keyTable } from "../otlp/key-table.ts";
import { createLogView, type Halves, type LogView } from "../otlp/span-view.ts";
import { MISFIT_SHIFT, writeJsonValue } from "../otlp/value-json.ts";
import { beginJson, copyInt2, copyInt4, copyJson, copyMillis, copyNull, copyString, copyTime, endField } from "./copy-row.ts";
import { encodeBlobRow } from "./encode-media.ts";
import { encodeScore, evaluationFacts, idsOfResponse } from "./encode-score.ts";
import { copyUuid, encodeAttributes, optionalCount, optionalText } from "./encode-span.ts";
import { nextItem, refuseMalformed, type Step, shippedPrices } from "./encode-traces.ts";
import { type EventCall, encodeEventCall, isEventCall } from "./event-calls.ts";
import { IngestNotes } from "./ingest-notes.ts";
import { takeMedia } from "./log-media.ts";
import { createOriginCache, type Origins } from "./origin-cache.ts";
import { noteOrigin } from "./origins.ts";
import type { RequestBuilder } from "./request-builder.ts";
import { isZero, namesSpan, startMillisOf } from "./row-key.ts";
import { type IdSlice, LOG_FIELDS, noteSent, noteWrongId } from "./sent-notes.ts";
import { BLOBS, LOG_RECORDS } from "./table-spec.ts";
import { MARK_EVENT } from "./trace-marks.ts";
import { optionalString, toJsonb } from "./values.ts";

const EVENT_NAME_KEY = keyTable.register(EVENT_NAME);

/** Turns the log records of one request after the other into rows; like TraceEncoder. */
export interface LogEncoder {
  readonly view: LogView;
  readonly notes: IngestNotes;
  open(builder: RequestBuilder): void;
  next(): Step;
  encode(): void;
}

/** `prices` as for spans: some events are model calls. */
export function createLogEncoder(prices: (projectId: number) => PriceBook = shippedPrices): LogEncoder {
  const view = createLogView();
  const walker = createLogWalker(view);
  const notes = new IngestNotes();
  const origins = createOriginCache();
  const seen = new Map<string, number>();
  let builder: RequestBuilder;
  return {
    view,
    notes,
    open(next) {
      builder = next;
      origins.clear();
      seen.clear();
      walker.open(next.raw);
    },
    next: () => nextItem(walker, builder, "log record"),
    encode() {
      refuseMalformed(builder, "log record", () => {
        notes.clear();
        const origin = origins.of(view, builder);
        const id = recordId(view, origin, seen);
        const name = eventName(view);
        const media = name?.startsWith("gen_ai.") === true ? takeMedia(view) : undefined;
        encodeLogRow(builder.row(LOG_RECORDS, eventTime(view) === undefined), view, { builder, origin, notes, id, body: media?.body });
        for (const blob of media?.blobs ?? []) encodeBlobRow(builder.row(BLOBS, true), builder, blob);
        if (name === undefined) return;
        joinSpan(name, { view, builder });
        if (!isEventCall(name, view)) return;
        encodeEventCall({ view, eventName: name, recordId: id, builder, origin, notes, prices: prices(builder.projectId) });
      });
    },
  };
}

/** Events of the generative-AI conventions speak of the span they name: content to be joined with its call, or an evaluation. */
function joinSpan(name: string, { view, builder }: Pick<EventCall, "view" | "builder">): void {
  if (!name.startsWith("gen_ai.")) return;
  if (name === EVENT_EVALUATION_RESULT) {
    addScore(view, builder);
    return;
  }
  if (!isInTrace(view)) return;
  const traceId = view.arena.request.toString("hex", view.traceIdOffset, view.traceIdOffset + 16);
  builder.mark(traceId, MARK_EVENT, { millis: startMillisOf({ startTime: toldTime(view) }, builder.receivedAtMs) });
}

const isInTrace = ({ arena: { request }, traceIdSize, traceIdOffset, spanIdSize, spanIdOffset }: LogView): boolean =>
  traceIdSize === 16 && !isZero(request, traceIdOffset, 16) && namesSpan(request, spanIdOffset, spanIdSize);

const toldTime = (view: LogView): Halves => (isSet(view.time) ? view.time : view.observedTime);

/** An evaluation may name the judged span, the response, or both. */
function addScore(view: LogView, builder: RequestBuilder): void {
  const { request } = view.arena;
  const facts = evaluationFacts(view.attributes);
  if (!isInTrace(view) && facts.responseId === undefined) return;
  const ids = isInTrace(view)
    ? { request, traceIdOffset: view.traceIdOffset, spanIdOffset: view.spanIdOffset }
    : { request: idsOfResponse(facts.responseId ?? ""), traceIdOffset: 0, spanIdOffset: 16 };
  const identity = request.subarray(view.start, view.end);
  encodeScore(builder, { ...ids, time: toldTime(view), facts, identity });
}

function eventName(view: LogView): string | undefined {
  const { eventNameOffset: at, eventNameSize: size } = view;
  if (size > 0) return view.arena.request.toString("utf8", at, at + size);
  const index = view.attributes.find(EVENT_NAME_KEY);
  return index < 0 ? undefined : qualified(view.attributes.text(index), view.body);
}

const CLAUDE_CODE = "claude_code.";

/** Claude Code names its events in full in their bodies alone: `event.name` of `claude_code.api_request` is `api_request`. */
function qualified(name: string | undefined, body: LogView["body"]): string | undefined {
  if (name === undefined || body.count === 0 || body.b[0] !== CLAUDE_CODE.length + name.length) return name;
  const whole = body.text(0);
  return whole === CLAUDE_CODE + name ? whole : name;
}

/**
 * A log record has no id: its own bytes, its origin, and its place among equal records of the request make one,
 * so that a resend finds the row and two equal records of one request both stay.
 */
function recordId(view: LogView, origin: Origins, seen: Map<string, number>): string {
  const content = hash("sha256", view.arena.request.subarray(view.start, view.end), "hex");
  const base = `${origin.resource.row.id}${origin.scope?.id ?? ""}${content}`;
  const place = seen.get(base) ?? 0;
  seen.set(base, place + 1);
  return hash("sha256", `${base}:${place}`, "hex").slice(0, 32);
}

interface LogContext {
  readonly builder: RequestBuilder;
  readonly origin: Origins;
  readonly notes: IngestNotes;
  readonly id: string;
  /** JSON to store in the place of the body. */
  readonly body: string | undefined;
}

/** When the event happened, else when it was observed; undefined when the record does not say: then its arrival stands in, and a resend is found by its id. */
function eventTime(view: LogView): Halves | undefined {
  if (isSet(view.time)) return view.time;
  return isSet(view.observedTime) ? view.observedTime : undefined;
}

const isSet = (time: Halves): boolean => (time.lo | time.hi) !== 0;

/** Writes the row of table log_records (field order of LOG_RECORDS.columns). Its time is the event's, else when it was observed, else when it came in. */
function encodeLogRow(out: ByteWriter, view: LogView, context: LogContext): void {
  const { builder, origin, notes, id, body } = context;
  out.u16(LOG_RECORDS.columns.length);
  copyInt4(out, builder.projectId);
  const time = eventTime(view);
  let nano = 0;
  if (time === undefined) {
    notes.timing("event", "0");
    copyMillis(out, builder.receivedAtMs);
  } else nano = copyTime(out, time);
  copyUuid(out, id);
  copyInt2(out, nano);
  if (isSet(view.observedTime)) {
    const observedNano = copyTime(out, view.observedTime);
    copyInt2(out, observedNano);
  } else {
    copyNull(out);
    copyNull(out);
  }
  hexId(out, view, { offset: view.traceIdOffset, size: view.traceIdSize, expected: 16, path: "trace_id", notes });
  hexId(out, view, { offset: view.spanIdOffset, size: view.spanIdSize, expected: 8, path: "span_id", notes });
  if (view.severityNumber === 0) copyNull(out);
  else copyInt4(out, view.severityNumber);
  optionalText(out, view, { offset: view.severityTextOffset, size: view.severityTextSize, path: "severity_text", notes });
  encodeEventName(out, view, notes);
  copyString(out, origin.resource.serviceName);
  if (body === undefined) encodeBody(out, view, notes);
  else copyJson(out, toJsonb(body));
  encodeAttributes(out, view.attributes, notes);
  copyUuid(out, origin.resource.row.id);
  if (origin.scope === undefined) copyNull(out);
  else copyUuid(out, origin.scope.id);
  optionalCount(out, view.flags);
  optionalCount(out, view.droppedAttributesCount);
  if (view.body.redacted || view.attributes.redacted) notes.redacted();
  if (view.sent.count > 0) noteSent(notes, { request: view.arena.request, sent: view.sent, names: LOG_FIELDS });
  noteOrigin(notes, origin.resource.row);
  noteOrigin(notes, origin.scope);
  const noted = notes.toJson();
  if (noted === undefined) copyNull(out);
  else copyJson(out, noted);
  copyMillis(out, builder.receivedAtMs);
}

/** A log record may stand alone: an id that names nothing is NULL, never a reason to refuse it. */
function hexId(out: ByteWriter, view: LogView, { notes, ...id }: IdSlice & Pick<LogContext, "notes">): void {
  const { request } = view.arena;
  if (id.size !== id.expected || isZero(request, id.offset, id.size)) {
    noteWrongId(notes, request, id);
    copyNull(out);
    return;
  }
  out.u32(id.size * 2);
  out.hex(request, id.offset, id.offset + id.size);
}

/** The event's name: the field of its own (proto 1.5), else the attribute that older SDKs send. */
function encodeEventName(out: ByteWriter, view: LogView, notes: IngestNotes): void {
  if (view.eventNameSize > 0) {
    optionalText(out, view, { offset: view.eventNameOffset, size: view.eventNameSize, path: "event_name", notes });
    return;
  }
  const index = view.attributes.find(EVENT_NAME_KEY);
  optionalString(out, index < 0 ? undefined : view.attributes.text(index));
}

function encodeBody(out: ByteWriter, view: LogView, notes: IngestNotes): void {
  if (view.body.count === 0) {
    copyNull(out);
    return;
  }
  const at = beginJson(out);
  const misfits = view.body.misfits.get(0) ?? 0;
  notes.mended("body", writeJsonValue(out, view.body, 0) | (misfits << MISFIT_SHIFT));
  endField(out, at);
}

import { isUtf8 } from "node:buffer";
import { MENDED_NUL, MENDED_UTF8 } from "../otlp/json-string.ts";
import type { SliceList } from "../otlp/span-view.ts";
import type { IngestNotes } from "./ingest-notes.ts";

/** Columns, or members of an event or link, by the field numbers of the message that they come from. */
type FieldNames = Readonly<Record<number, string>>;

export const SPAN_FIELDS: FieldNames = {
  1: "trace_id",
  2: "span_id",
  4: "parent_span_id",
  7: "start_time",
  8: "end_time",
  10: "dropped_attributes_count",
  12: "dropped_events_count",
  14: "dropped_links_count",
  16: "flags",
};
export const EVENT_FIELDS: FieldNames = { 1: "time_unix_nano", 4: "dropped_attributes_count" };
export const LINK_FIELDS: FieldNames = { 1: "trace_id", 2: "span_id", 5: "dropped_attributes_count", 6: "flags" };
export const LOG_FIELDS: FieldNames = {
  1: "time",
  7: "dropped_attributes_count",
  8: "flags",
  9: "trace_id",
  10: "span_id",
  11: "observed_time",
};

interface Marks {
  readonly request: Buffer;
  readonly sent: SliceList;
  readonly names: FieldNames;
  /** In front of the names. */
  readonly path?: string;
}

/** Notes what the JSON transcoder says of a message (otlp/sent-marks.ts). There are no marks in what came as it should. */
export function noteSent(notes: IngestNotes, { request, sent, names, path = "" }: Marks): void {
  for (let i = 0; i < sent.count; i++) {
    const start = sent.starts[i]!;
    const end = sent.ends[i]!;
    const name = end > start ? names[request[start]!] : undefined;
    if (name === undefined) continue;
    if (name.endsWith("_id")) notes.base64Id(path + name);
    else notes.unusable(path + name, request.toString("utf8", start + 1, end));
  }
}

const PRINTABLE = /^[\x20-\x7e]+$/;

/** An id as its sender knows it: the text of OTLP/JSON without the byte that keeps it from being an id (otlp/json-bytes.ts), or hexadecimal digits. */
function sentId(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString("latin1", start, bytes[end - 1] === 0 ? end - 1 : end);
  return PRINTABLE.test(text) ? text : bytes.toString("hex", start, end);
}

export interface IdSlice {
  readonly offset: number;
  readonly size: number;
  /** Bytes of such an id. */
  readonly expected: number;
  readonly path: string;
}

/** Notes an id that need not be there and is none for its length. None at all, or one of zeros alone, says that there is nothing. */
export function noteWrongId(notes: IngestNotes, request: Buffer, { offset, size, expected, path }: IdSlice): void {
  if (size > 0 && size !== expected) notes.unusable(path, sentId(request, offset, offset + size));
}

/** What `copyText` and `writeJsonString` mend in such a text. */
export function mendingsOf(bytes: Buffer): number {
  return (isUtf8(bytes) ? 0 : MENDED_UTF8) | (bytes.includes(0) ? MENDED_NUL : 0);
}

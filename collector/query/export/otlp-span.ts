import { MOVED, MOVED_INPUT, MOVED_INPUT_TEXT, messagesOfText, STRUCTURED_SHIFT } from "../../rows/content-moved.ts";
import { type ExactJson, NumberText, parseExact } from "./json-numbers.ts";
import { anyValue, type KeyValue, keyValues, type NotedTypes } from "./otlp-value.ts";

/** Columns of table spans that make a span of OTLP. */
export const OTLP_SPAN_COLUMNS = [
  ..."trace_id span_id start_time start_nano end_time end_nano parent_span_id name kind status_code status_message attributes".split(" "),
  ..."resource_id scope_id events links trace_state flags".split(" "),
  ..."dropped_attributes_count dropped_events_count dropped_links_count content_moved ingest_notes".split(" "),
] as readonly string[];

/** A stored span by column; numbers, times and JSON as text. */
export type StoredSpan = Readonly<Record<string, string | null>>;

/** The columns of a generation row that hold what its span no longer holds. */
export type MovedContent = Readonly<Partial<Record<(typeof MOVED)[number]["column"], string | null>>>;

type JsonObject = Readonly<Record<string, ExactJson>>;
const object = (text: string | null | undefined): JsonObject => (text == null ? {} : (parseExact(text) as JsonObject));
const list = (text: string | null | undefined): readonly JsonObject[] => (text == null ? [] : (parseExact(text) as readonly JsonObject[]));

interface IngestNotes {
  readonly types?: NotedTypes;
  readonly time?: Readonly<Record<string, string>>;
}

/** A stored span as OTLP/JSON has it (ids in hexadecimal, times as text), with the content that its generation row holds. */
export function otlpSpan(span: StoredSpan, content: MovedContent | undefined): object {
  const notes = span["ingest_notes"] == null ? {} : (JSON.parse(span["ingest_notes"]) as IngestNotes);
  const types = notes.types ?? {};
  return withoutEmpty({
    traceId: span["trace_id"],
    spanId: span["span_id"],
    parentSpanId: span["parent_span_id"],
    traceState: span["trace_state"],
    flags: count(span["flags"]),
    name: span["name"],
    kind: count(span["kind"]),
    startTimeUnixNano: notes.time?.["start"] ?? unixNano(span["start_time"], span["start_nano"]),
    endTimeUnixNano: unixNano(span["end_time"], span["end_nano"]),
    attributes: [...keyValues(object(span["attributes"]), types, "attributes."), ...movedAttributes(span["content_moved"], content)],
    droppedAttributesCount: count(span["dropped_attributes_count"]),
    events: list(span["events"]).map((event, i) => otlpEvent(event, types, `events.${i}.attributes.`)),
    droppedEventsCount: count(span["dropped_events_count"]),
    links: list(span["links"]).map((link, i) => otlpLink(link, types, `links.${i}.attributes.`)),
    droppedLinksCount: count(span["dropped_links_count"]),
    status: withoutEmpty({ code: count(span["status_code"]), message: span["status_message"] }),
  });
}

function movedAttributes(moved: string | null | undefined, content: MovedContent | undefined): KeyValue[] {
  const bits = Number(moved ?? 0);
  return MOVED.flatMap(({ bit, attribute, column }) => {
    const text = content?.[column];
    if ((bits & bit) === 0 || text == null) return [];
    const structured = (bits & (bit << STRUCTURED_SHIFT)) !== 0;
    const asMessages = bit === MOVED_INPUT && (bits & MOVED_INPUT_TEXT) !== 0;
    return [{ key: attribute, value: anyValue(structured ? parseExact(text) : asMessages ? messagesOfText(text) : text) }];
  });
}

const otlpEvent = (event: JsonObject, types: NotedTypes, path: string): object =>
  withoutEmpty({
    name: event["name"],
    timeUnixNano: event["time_unix_nano"],
    attributes: keyValues((event["attributes"] ?? {}) as JsonObject, types, path),
    droppedAttributesCount: numberOf(event["dropped_attributes_count"]),
  });

const otlpLink = (link: JsonObject, types: NotedTypes, path: string): object =>
  withoutEmpty({
    traceId: link["trace_id"],
    spanId: link["span_id"],
    traceState: link["trace_state"],
    flags: numberOf(link["flags"]),
    attributes: keyValues((link["attributes"] ?? {}) as JsonObject, types, path),
    droppedAttributesCount: numberOf(link["dropped_attributes_count"]),
  });

/** A resource or scope row as OTLP has it. */
export const otlpOrigin = (row: StoredSpan | undefined): object =>
  withoutEmpty({
    name: row?.["name"],
    version: row?.["version"],
    attributes: keyValues(object(row?.["attributes"])),
    droppedAttributesCount: count(row?.["dropped_attributes_count"]),
  });

/** The schema URL of a resource or scope row, where it has one. */
export const schemaUrl = (row: StoredSpan | undefined): object => (row?.["schema_url"] == null ? {} : { schemaUrl: row["schema_url"] });

const ISO = /^(\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/;

/** Unix nanoseconds of `2026-11-21T08:00:00.123456Z` and the nanoseconds below it; undefined for a time that no calendar of ours has. */
function unixNano(time: string | null | undefined, nano: string | null | undefined): string | undefined {
  const [, seconds, micros = ""] = ISO.exec(time ?? "") ?? [];
  if (seconds === undefined) return undefined;
  // Years beyond 9999 are written with a sign in JavaScript.
  const millis = Date.parse(`${seconds.replace(/^(\d{5,6})-/, (_, year: string) => `+${year.padStart(6, "0")}-`)}Z`);
  return Number.isNaN(millis)
    ? undefined
    : String(BigInt(millis) * 1_000_000n + BigInt(micros.padEnd(6, "0")) * 1_000n + BigInt(nano ?? "0"));
}

const count = (text: string | null | undefined): number | undefined => (text == null ? undefined : Number(text));
const numberOf = (value: ExactJson | undefined): number | undefined => (value instanceof NumberText ? Number(value.text) : undefined);

/** Without what protobuf's JSON leaves out, too: nothing, zero, and empty lists and objects. */
function withoutEmpty(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isEmpty = (value: unknown): boolean =>
    value == null || value === 0 || value === "" || (Array.isArray(value) && value.length === 0) || isEmptyObject(value);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

const isEmptyObject = (value: unknown): boolean => typeof value === "object" && value !== null && Object.keys(value).length === 0;

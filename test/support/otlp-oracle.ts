import { createNotes, hex, type Notes } from "./otlp-oracle-notes.ts";
import { partTypes } from "./otlp-oracle-types.ts";
import {
  type AnyValue,
  type Attributes,
  attributesOf,
  BrokenItem,
  BYTES,
  jsonObjectOf,
  jsonOf,
  mixesKinds,
  NON_FINITE,
  textOf,
  unsignedOf,
  wasEmptied,
  withStandingBody,
} from "./otlp-oracle-values.ts";

/**
 * What the rows of a request must be, from a decode by protobufjs and the rules of the tables, without any code of the collector.
 * jsonb columns are JSON text; timestamps are microseconds since 1970.
 */
export type Expected = Record<string, unknown>;

/** A resource or scope, as the row that items refer to. */
export interface ExpectedOrigin {
  readonly name: string | null;
  readonly version: string | null;
  readonly schemaUrl: string | null;
  readonly droppedAttributesCount: number | null;
  readonly attributes: string;
}

export interface ExpectedItem {
  /** Undefined where the item is refused. */
  readonly row: Expected | undefined;
  /** Why it is refused. */
  readonly refusal: string | undefined;
  readonly resource: ExpectedOrigin | undefined;
  readonly scope: ExpectedOrigin | undefined;
  /** For what is derived from them. */
  readonly attributes: Attributes;
  readonly span: DecodedSpan | undefined;
  readonly environment: string | undefined;
  /** protobufjs itself reads a value of the item otherwise than protobuf defines: nothing to compare with. */
  readonly unsound: boolean;
}

interface Origin {
  readonly attributes?: readonly Uint8Array[];
  readonly droppedAttributesCount?: number;
  readonly name?: Uint8Array;
  readonly version?: Uint8Array;
}

type Long = { readonly low: number; readonly high: number };

interface DecodedEvent {
  readonly sent?: readonly Uint8Array[];
  readonly timeUnixNano?: Long;
  readonly name?: Uint8Array;
  readonly attributes?: readonly Uint8Array[];
  readonly droppedAttributesCount?: number;
}

interface DecodedLink {
  readonly sent?: readonly Uint8Array[];
  readonly traceId?: Uint8Array;
  readonly spanId?: Uint8Array;
  readonly traceState?: Uint8Array;
  readonly attributes?: readonly Uint8Array[];
  readonly droppedAttributesCount?: number;
  readonly flags?: number;
}

export interface DecodedSpan {
  readonly sent?: readonly Uint8Array[];
  readonly traceId?: Uint8Array;
  readonly spanId?: Uint8Array;
  readonly parentSpanId?: Uint8Array;
  readonly traceState?: Uint8Array;
  readonly name?: Uint8Array;
  readonly kind?: number;
  readonly startTimeUnixNano?: Long;
  readonly endTimeUnixNano?: Long;
  readonly attributes?: readonly Uint8Array[];
  readonly events?: readonly DecodedEvent[];
  readonly links?: readonly DecodedLink[];
  readonly status?: { readonly message?: Uint8Array; readonly code?: number } | null;
  readonly flags?: number;
  readonly droppedAttributesCount?: number;
  readonly droppedEventsCount?: number;
  readonly droppedLinksCount?: number;
}

interface DecodedLog {
  readonly sent?: readonly Uint8Array[];
  readonly timeUnixNano?: Long;
  readonly observedTimeUnixNano?: Long;
  readonly severityNumber?: number;
  readonly severityText?: Uint8Array;
  readonly body?: AnyValue | null;
  readonly attributes?: readonly Uint8Array[];
  readonly droppedAttributesCount?: number;
  readonly flags?: number;
  readonly traceId?: Uint8Array;
  readonly spanId?: Uint8Array;
  readonly eventName?: Uint8Array;
}

/** Arrival of everything, in milliseconds, and the project it belongs to. */
export interface Arrival {
  readonly projectId: number;
  readonly receivedAtMs: number;
}

/** Rows of the spans of a request in their order. Throws where protobufjs cannot read what is around the spans. */
export const expectedSpans = (request: Uint8Array, arrival: Arrival): ExpectedItem[] =>
  itemsOf(request, TRACES).map((item) => expectedItem(item, arrival, spanRow));

/** The same for log records. */
export const expectedLogs = (request: Uint8Array, arrival: Arrival): ExpectedItem[] =>
  itemsOf(request, LOGS).map((item) => expectedItem(item, arrival, logRow));

const TRACES = { type: "TracesData", groups: "resourceSpans", scopes: "scopeSpans", items: "spans" } as const;
const LOGS = { type: "LogsData", groups: "resourceLogs", scopes: "scopeLogs", items: "logRecords" } as const;

interface Group {
  readonly resource?: Origin | null;
  readonly scope?: Origin | null;
  readonly schemaUrl?: Uint8Array;
  readonly [list: string]: unknown;
}

interface EncodedItem {
  readonly bytes: Uint8Array;
  readonly resource: LazyOrigin;
  readonly scope: LazyOrigin | undefined;
}

/** An origin whose values may be broken within: then it is its items that cannot be stored. */
interface LazyOrigin {
  /** Says on an item what was mended of it. */
  note(notes: Notes): void;
  read(): { readonly origin: ExpectedOrigin; readonly attributes: Attributes };
}

function itemsOf(request: Uint8Array, names: typeof TRACES | typeof LOGS): EncodedItem[] {
  const decoded = partTypes.lookupType(names.type).decode(request) as unknown as Group;
  return ((decoded[names.groups] ?? []) as Group[]).flatMap((group) => {
    const resource = originOf("resource", group.resource, group.schemaUrl);
    return ((group[names.scopes] ?? []) as Group[]).flatMap((below) => {
      const named = Boolean(below.scope) || (below.schemaUrl?.length ?? 0) > 0;
      const scope = named ? originOf("scope", below.scope, below.schemaUrl) : undefined;
      if (!named) originOf("scope", below.scope, below.schemaUrl);
      return ((below[names.items] ?? []) as Uint8Array[]).map((bytes) => ({ bytes, resource, scope }));
    });
  });
}

function originOf(kind: "resource" | "scope", origin: Origin | null | undefined, schemaUrl: Uint8Array | undefined): LazyOrigin {
  let attributes: Attributes | undefined;
  let broken = "";
  try {
    attributes = attributesOf(origin?.attributes);
  } catch (error) {
    if (!(error instanceof BrokenItem)) throw error;
    broken = error.message;
  }
  return {
    note(notes) {
      for (const { key, value } of attributes?.list ?? []) {
        const path = kind === "resource" && key.text === "service.name" ? "service_name" : `${kind}.attributes.${key.text}`;
        notes.add(path, (key.flags | jsonOf(value).flags) & ~TYPES_ALONE);
      }
      notes.add(`${kind}.name`, textOf(origin?.name).flags);
      notes.add(`${kind}.version`, textOf(origin?.version).flags);
      notes.add(`${kind}.schema_url`, textOf(schemaUrl).flags);
    },
    read() {
      if (attributes === undefined) throw new BrokenItem(broken);
      return {
        attributes,
        origin: {
          name: textOf(origin?.name).text || null,
          version: textOf(origin?.version).text || null,
          schemaUrl: textOf(schemaUrl).text || null,
          droppedAttributesCount: origin?.droppedAttributesCount || null,
          attributes: jsonObjectOf(attributes),
        },
      };
    },
  };
}

/** Bytes and special numbers: of a resource or scope that is not said. */
const TYPES_ALONE = BYTES | NON_FINITE;
const NO_ATTRIBUTES: Attributes = { list: [], duplicates: 0, redacted: false };
const refused = (refusal: string): ExpectedItem => ({
  row: undefined,
  refusal,
  resource: undefined,
  scope: undefined,
  attributes: NO_ATTRIBUTES,
  span: undefined,
  environment: undefined,
  unsound: false,
});

type NoteOrigins = (notes: Notes) => void;
type RowOf = (
  bytes: Uint8Array,
  arrival: Arrival,
  noteOrigins: NoteOrigins,
) => Omit<ExpectedItem, "resource" | "scope" | "environment" | "refusal"> | undefined;

function expectedItem(item: EncodedItem, arrival: Arrival, rowOf: RowOf): ExpectedItem {
  try {
    const made = rowOf(item.bytes, arrival, (notes) => {
      item.resource.note(notes);
      item.scope?.note(notes);
    });
    if (made?.row === undefined) return refused("its ids name no span");
    const resource = item.resource.read();
    const scope = item.scope?.read();
    const unsound = made.unsound || [resource, scope].some((each) => each?.attributes.list.some(({ value }) => mixesKinds(value)));
    return {
      ...made,
      row: { ...made.row, service_name: serviceName(resource.attributes) },
      refusal: undefined,
      resource: resource.origin,
      scope: scope?.origin,
      environment: environmentOf(resource.attributes),
      unsound,
    };
  } catch (error) {
    if (error instanceof BrokenItem) return refused(error.message);
    throw error;
  }
}

/** What protobufjs throws over an item means that the item is refused, alone. */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new BrokenItem(String(error));
  }
}

const itemAttributes = (encoded: readonly Uint8Array[] | undefined): Attributes => reading(() => attributesOf(encoded));

const attributeOf = ({ list }: Attributes, name: string): AnyValue | undefined => list.find(({ key }) => key.text === name)?.value;

function serviceName(attributes: Attributes): string {
  const value = attributeOf(attributes, "service.name");
  if (value === undefined) return "unknown_service";
  if (value.kind !== "stringValue") return "unknown_service:not_text";
  return textOf(value.stringValue).text || "unknown_service:empty";
}

function environmentOf(attributes: Attributes): string | undefined {
  for (const name of ["deployment.environment.name", "deployment.environment"]) {
    const value = attributeOf(attributes, name);
    if (value?.kind === "stringValue" && (value.stringValue?.length ?? 0) > 0) return textOf(value.stringValue).text;
  }
  return undefined;
}

const names = (bytes: Uint8Array | undefined, size: number): boolean => bytes?.length === size && bytes.some((byte) => byte !== 0);
function smallint(column: string, value: number | undefined, notes: Notes): number {
  if (value === undefined || (value >= -32768 && value <= 32767)) return value ?? 0;
  notes.unusable(column, String(value));
  return 0;
}

/** Nanoseconds since 1970 as a timestamp and what is below its microsecond. */
const timeOf = (nanos: bigint): { time: bigint; nano: number } => ({ time: nanos / 1000n, nano: Number(nanos % 1000n) });

function optional(column: string, bytes: Uint8Array | undefined, notes: Notes): string | null {
  if (bytes === undefined || bytes.length === 0) return null;
  const { text, flags } = textOf(bytes);
  notes.add(column, flags);
  return text;
}

const SPAN_COLUMNS = {
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

function spanRow(bytes: Uint8Array, arrival: Arrival, noteOrigins: NoteOrigins): ReturnType<RowOf> {
  const span = reading(() => partTypes.lookupType("Span").decode(bytes)) as unknown as DecodedSpan;
  if (!names(span.traceId, 16) || !names(span.spanId, 8)) return undefined;
  const notes = createNotes();
  const attributes = itemAttributes(span.attributes);
  const times = timesOf(span, arrival, notes);
  notes.wrongId("parent_span_id", span.parentSpanId, 8);
  const name = textOf(span.name);
  notes.add("name", name.flags);
  const row: Expected = {
    project_id: arrival.projectId,
    trace_id: hex(span.traceId),
    span_id: hex(span.spanId),
    ...times,
    parent_span_id: names(span.parentSpanId, 8) ? hex(span.parentSpanId) : null,
    name: name.text,
    kind: smallint("kind", span.kind, notes),
    status_code: smallint("status_code", span.status?.code, notes),
    status_message: optional("status_message", span.status?.message, notes),
    attributes: jsonObjectOf(attributes),
  };
  noteAttributes(attributes, "attributes", notes);
  if (attributes.duplicates > 0) notes.more["duplicate_keys"] = attributes.duplicates;
  const events = (span.events ?? []).map((event, i) => eventJson(event, i, notes));
  const links = (span.links ?? []).map((link, i) => linkJson(link, i, notes));
  row["events"] = events.length > 0 ? `[${events.map(({ text }) => text).join(",")}]` : null;
  row["links"] = links.length > 0 ? `[${links.map(({ text }) => text).join(",")}]` : null;
  row["trace_state"] = optional("trace_state", span.traceState, notes);
  row["flags"] = span.flags || null;
  row["dropped_attributes_count"] = span.droppedAttributesCount || null;
  row["dropped_events_count"] = span.droppedEventsCount || null;
  row["dropped_links_count"] = span.droppedLinksCount || null;
  notes.marks(span.sent, SPAN_COLUMNS);
  noteOrigins(notes);
  row["ingest_notes"] = notes.toJson();
  row["received_at"] = BigInt(arrival.receivedAtMs) * 1000n;
  const unsound = [attributes, ...events.map((each) => each.attributes), ...links.map((each) => each.attributes)].some(({ list }) =>
    list.some(({ value }) => mixesKinds(value)),
  );
  return { row, attributes, span, unsound };
}

function timesOf(span: DecodedSpan, { receivedAtMs }: Arrival, notes: Notes): Expected {
  const start = unsignedOf(span.startTimeUnixNano);
  const end = unsignedOf(span.endTimeUnixNano);
  const time: Record<string, string> = {};
  if (start === 0n) time["start"] = "0";
  const known = start !== 0n && end !== 0n;
  const duration = end - start;
  if (known && duration < 0n) time["negative_duration"] = String(duration);
  if (Object.keys(time).length > 0) notes.more["time"] = time;
  const began = timeOf(start);
  const ended = timeOf(end);
  const tooLong = duration > 2n ** 63n - 1n;
  return {
    start_time: start === 0n ? BigInt(receivedAtMs) * 1000n : began.time,
    start_nano: began.nano,
    end_time: end === 0n ? null : ended.time,
    end_nano: end === 0n ? null : ended.nano,
    duration_ns: !known || tooLong ? null : duration < 0n ? 0n : duration,
  };
}

function noteAttributes({ list }: Attributes, path: string, notes: Notes): void {
  for (const { key, value } of list) notes.add(`${path}.${key.text}`, key.flags | jsonOf(value).flags);
}

function eventJson(event: DecodedEvent, index: number, notes: Notes): { text: string; attributes: Attributes } {
  const attributes = itemAttributes(event.attributes);
  const name = textOf(event.name);
  notes.add(`events.${index}.name`, name.flags);
  notes.marks(event.sent, { 1: "time_unix_nano", 4: "dropped_attributes_count" }, `events.${index}.`);
  noteAttributes(attributes, `events.${index}.attributes`, notes);
  const text = `{"name":${JSON.stringify(name.text)},"time_unix_nano":"${unsignedOf(event.timeUnixNano)}","attributes":${jsonObjectOf(attributes)}${droppedJson(event)}}`;
  return { text, attributes };
}

function linkJson(link: DecodedLink, index: number, notes: Notes): { text: string; attributes: Attributes } {
  const attributes = itemAttributes(link.attributes);
  const state = textOf(link.traceState);
  notes.wrongId(`links.${index}.trace_id`, link.traceId, 16);
  notes.wrongId(`links.${index}.span_id`, link.spanId, 8);
  notes.marks(link.sent, { 1: "trace_id", 2: "span_id", 5: "dropped_attributes_count", 6: "flags" }, `links.${index}.`);
  notes.add(`links.${index}.trace_state`, state.flags);
  noteAttributes(attributes, `links.${index}.attributes`, notes);
  const traceState = state.text === "" ? "" : `"trace_state":${JSON.stringify(state.text)},`;
  const flags = link.flags ? `"flags":${link.flags},` : "";
  const text = `{"trace_id":${idJson(link.traceId, 16)},"span_id":${idJson(link.spanId, 8)},${traceState}${flags}"attributes":${jsonObjectOf(attributes)}${droppedJson(link)}}`;
  return { text, attributes };
}

const idJson = (bytes: Uint8Array | undefined, size: number): string => (bytes?.length === size ? `"${hex(bytes)}"` : "null");

const droppedJson = ({ droppedAttributesCount: count }: { readonly droppedAttributesCount?: number }): string =>
  count ? `,"dropped_attributes_count":${count}` : "";

const LOG_COLUMNS = { 1: "time", 7: "dropped_attributes_count", 8: "flags", 9: "trace_id", 10: "span_id", 11: "observed_time" };

function logRow(bytes: Uint8Array, arrival: Arrival, noteOrigins: NoteOrigins): ReturnType<RowOf> {
  const log = reading(() => decodeLog(bytes)) as unknown as DecodedLog;
  const notes = createNotes();
  const attributes = itemAttributes(log.attributes);
  const observed = unsignedOf(log.observedTimeUnixNano);
  const at = unsignedOf(log.timeUnixNano) || observed;
  notes.wrongId("trace_id", log.traceId, 16);
  notes.wrongId("span_id", log.spanId, 8);
  const row: Expected = {
    project_id: arrival.projectId,
    time: at === 0n ? BigInt(arrival.receivedAtMs) * 1000n : timeOf(at).time,
    time_nano: timeOf(at).nano,
    observed_time: observed === 0n ? null : timeOf(observed).time,
    observed_nano: observed === 0n ? null : timeOf(observed).nano,
    trace_id: names(log.traceId, 16) ? hex(log.traceId) : null,
    span_id: names(log.spanId, 8) ? hex(log.spanId) : null,
    severity_number: log.severityNumber || null,
    severity_text: optional("severity_text", log.severityText, notes),
    event_name: optional("event_name", log.eventName, notes) ?? namedByAttribute(attributes),
    attributes: jsonObjectOf(attributes),
    flags: log.flags || null,
    dropped_attributes_count: log.droppedAttributesCount || null,
    received_at: BigInt(arrival.receivedAtMs) * 1000n,
  };
  if (at === 0n) notes.more["time"] = { event: "0" };
  const body = log.body ? jsonOf(log.body) : undefined;
  notes.add("body", body?.flags ?? 0);
  row["body"] = body?.text ?? null;
  noteAttributes(attributes, "attributes", notes);
  if (attributes.duplicates > 0) notes.more["duplicate_keys"] = attributes.duplicates;
  if (wasEmptied(log.body) || attributes.redacted) notes.more["redacted"] = true;
  notes.marks(log.sent, LOG_COLUMNS);
  noteOrigins(notes);
  row["ingest_notes"] = notes.toJson();
  const unsound = mixesKinds(log.body) || attributes.list.some(({ value }) => mixesKinds(value));
  return { row, attributes, span: undefined, unsound };
}

function decodeLog(bytes: Uint8Array): object {
  const type = partTypes.lookupType("LogRecord");
  try {
    return type.decode(bytes);
  } catch {
    return type.decode(withStandingBody(bytes));
  }
}

/** J21: older SDKs name an event by an attribute. */
function namedByAttribute(attributes: Attributes): string | null {
  const value = attributeOf(attributes, "event.name");
  return value?.kind === "stringValue" ? textOf(value.stringValue).text || null : null;
}

/** Columns of a table that the oracle does not speak of are a fault of the oracle; these are compared in another way. */
export const COMPARED_APART: ReadonlySet<string> = new Set(["id", "resource_id", "scope_id", "content_moved", "service_name"]);

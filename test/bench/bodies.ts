import { randomFillSync } from "node:crypto";
import { JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { announcementsOf, type FinishedSpan, generationsIn, type LoadKind, spansOf, TEMPLATE_START_SECONDS } from "./payloads.ts";

/** How a request is written on the wire. */
export type Form = "protobuf" | "gzip" | "json";
type Encoding = "protobuf" | "json";

/** One request, encoded by the official serializers, with the places of its ids and times: each copy of it is a request of its own. */
export interface Template {
  readonly encoding: Encoding;
  readonly body: Buffer;
  readonly spans: number;
  readonly generations: number;
  readonly ids: readonly IdSlot[];
  readonly times: readonly TimeSlot[];
  /** Number of different ids, those of the announcement included. */
  readonly serials: number;
  /** The request that announces the calls of this one and goes before it; its slots share the serials. */
  readonly announcement?: Template;
}

/** An id in the body; slots with the same `serial` hold the same id. */
interface IdSlot {
  readonly at: number;
  readonly bytes: 8 | 16;
  readonly serial: number;
}

interface TimeSlot {
  readonly at: number;
  /** Nanoseconds after the template's own start. */
  readonly offsetNanos: number;
}

const TEMPLATE_START = BigInt(TEMPLATE_START_SECONDS) * 1_000_000_000n;
const TIME_DIGITS = 19;
const ID_BYTES = 16;

export interface TemplateOptions {
  readonly kind: LoadKind;
  readonly encoding: Encoding;
  readonly spans: number;
  readonly seed: number;
}

export function createTemplate({ kind, encoding, spans: count, seed }: TemplateOptions): Template {
  const spans = spansOf(kind, count, seed);
  const serials = new Map<string, number>();
  const own = serialize(spans, encoding, serials);
  const generations = generationsIn(kind, count);
  if (kind !== "pending") return { ...own, generations, serials: serials.size };
  const announcement = serialize(announcementsOf(spans, seed), encoding, serials);
  return { ...own, generations, serials: serials.size, announcement: { ...announcement, generations: 0, serials: serials.size } };
}

function serialize(spans: readonly FinishedSpan[], encoding: Encoding, serials: Map<string, number>) {
  const serialized = (encoding === "json" ? JsonTraceSerializer : ProtobufTraceSerializer).serializeRequest([...spans]);
  if (serialized === undefined) throw new Error("the serializer gave nothing");
  const body = Buffer.from(serialized);
  return { encoding, body, spans: spans.length, ...findSlots({ body, spans, encoding, serials }) };
}

interface SlotSearch {
  readonly body: Buffer;
  readonly spans: readonly FinishedSpan[];
  readonly encoding: Encoding;
  readonly serials: Map<string, number>;
}

/** Follows the order in which both serializers write a span: trace id, span id, parent, start, end, times of events. */
function findSlots({ body, spans, encoding, serials }: SlotSearch): { ids: IdSlot[]; times: TimeSlot[] } {
  const ids: IdSlot[] = [];
  const times: TimeSlot[] = [];
  let cursor = 0;
  const find = (value: Buffer): number => {
    const at = body.indexOf(value, cursor);
    if (at === -1) throw new Error("the serializer wrote an id or a time in another place than expected");
    cursor = at + value.length;
    return at;
  };
  const findId = (hex: string): void => {
    const serial = serials.get(hex) ?? serials.size;
    serials.set(hex, serial);
    ids.push({ at: find(encoding === "json" ? Buffer.from(hex) : Buffer.from(hex, "hex")), bytes: hex.length === 32 ? 16 : 8, serial });
  };
  const findTime = ([seconds, nanos]: readonly [number, number]): void => {
    const offset = (seconds - TEMPLATE_START_SECONDS) * 1e9 + nanos;
    times.push({ at: find(timeBytes(TEMPLATE_START + BigInt(offset), encoding)), offsetNanos: offset });
  };
  for (const span of spans) {
    findId(span.spanContext().traceId);
    findId(span.spanContext().spanId);
    if (span.parentSpanContext !== undefined) findId(span.parentSpanContext.spanId);
    findTime(span.startTime);
    findTime(span.endTime);
    for (const event of span.events) findTime(event.time);
  }
  return { ids, times };
}

function timeBytes(nanos: bigint, encoding: Encoding): Buffer {
  if (encoding === "json") return Buffer.from(nanos.toString());
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(nanos);
  return bytes;
}

/** A copy with random ids that starts at `startNanos` (since 1970), after the copy of what announces it, where there is such a thing. */
export function freshCopies(template: Template, startNanos: bigint): Buffer[] {
  const random = randomFillSync(Buffer.allocUnsafe(ID_BYTES * template.serials));
  const bodies = template.announcement === undefined ? [template] : [template.announcement, template];
  return bodies.map((each) => copyWith(random, each, startNanos));
}

export const freshCopy = (template: Template, startNanos: bigint): Buffer => freshCopies(template, startNanos).at(-1)!;

function copyWith(random: Buffer, template: Template, startNanos: bigint): Buffer {
  const body = Buffer.from(template.body);
  const hex = template.encoding === "json" ? random.toString("hex") : "";
  for (const { at, bytes, serial } of template.ids) {
    const from = serial * ID_BYTES;
    if (template.encoding === "json") body.write(hex.slice(from * 2, (from + bytes) * 2), at, "latin1");
    else random.copy(body, at, from, from + bytes);
  }
  for (const { at, offsetNanos } of template.times) {
    const time = startNanos + BigInt(offsetNanos);
    if (template.encoding === "json") body.write(time.toString().padStart(TIME_DIGITS, "0"), at, "latin1");
    else body.writeBigUInt64LE(time, at);
  }
  return body;
}

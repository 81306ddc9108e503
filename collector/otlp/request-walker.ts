import { DecodeError } from "./decode-error.ts";
import type { OriginView } from "./span-view.ts";
import { WIRE_LENGTH, WIRE_VARINT, WireReader } from "./wire.ts";

/** The tag of a field as it stands before its value. */
export const key = (field: number, wire: number): number => (field << 3) | wire;

/** What the walk needs from a view of either signal. */
interface ItemView {
  readonly arena: { request: Buffer; readonly side: { clear(): void } };
  readonly resource: OriginView;
  readonly scope: OriginView;
  start: number;
  end: number;
}

/** `broken`: the item's own message is no protobuf, while its bounds are sound. `pause`: only empty containers so far, a chance to do something else. */
export type WalkResult = "item" | "broken" | "pause" | "end";

/** Empty containers between two pauses: a few milliseconds of walking. Telemetry has none; 60 MB can have millions of them. */
const EMPTY_PER_PAUSE = 10_000;

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
    for (let entered = 0; entered < EMPTY_PER_PAUSE; entered++) {
      const found = this.nextItem();
      if (found !== "end") return found;
      if (!this.nextScope() && !this.nextResource()) return "end";
    }
    return "pause";
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

/** Takes one KeyValue into the holder's attributes. */
export function addAttribute(holder: { readonly attributes: { addKeyValue(start: number, end: number): void } }, reader: WireReader): void {
  const size = reader.length();
  holder.attributes.addKeyValue(reader.pos, reader.pos + size);
  reader.pos += size;
}

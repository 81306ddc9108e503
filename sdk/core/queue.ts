import { type AttributeValue, INVALID_SPAN_CONTEXT } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { type DeferredText, isDeferred, type RecordAttributes } from "./deferred-text.ts";
import { OwnSpan, unwrittenAttributes, withAttributes } from "./record.ts";

/** One span that waits to be sent, or is being sent. */
export interface Entry {
  /** Once it is gone, one that says nothing: whoever still holds the entry keeps no content alive. */
  span: ReadableSpan;
  /** Estimate of what it holds in memory and on the wire. */
  bytes: number;
  state: "queued" | "sending" | "gone";
  /** Content was taken off already. */
  bare: boolean;
  /** Taken back while it was being sent: it is not sent again. */
  withdrawn: boolean;
  /** Told once, when it is known what became of it. */
  settled?: ((outcome: Outcome) => void) | undefined;
}

/** What became of a record. */
export type Outcome = "accepted" | "dropped";

export interface QueueLimits {
  readonly queueBytes: number;
  readonly queueRecords: number;
}

/** What had to be given up since the start. */
export interface Losses {
  readonly contents: number;
  readonly records: number;
}

/**
 * What waits to be sent, oldest first, bounded by bytes and by number. When it is full, the oldest records lose their content; when none has content
 * left, the oldest records go.
 */
export interface Queue {
  readonly length: number;
  readonly bytes: number;
  readonly losses: Losses;
  push(span: ReadableSpan, settled?: (outcome: Outcome) => void): Entry;
  /** Takes an entry out that was not sent yet; false when it is too late. One that is being sent just now goes when it is put back. */
  cancel(entry: Entry): boolean;
  /** The oldest entries up to these bounds, at least one if there is any. They count as bytes of the queue until they are settled or put back. */
  take(maxRecords: number, maxBytes: number): Entry[];
  /** Entries that could not be sent, to the front again. */
  putBack(entries: readonly Entry[]): void;
  settle(entries: readonly Entry[], outcome: Outcome): void;
  /** Takes the content off an entry; false where it has none. */
  makeBare(entry: Entry): boolean;
}

const NOTHING: ReadableSpan = new OwnSpan(
  { name: "", context: INVALID_SPAN_CONTEXT, parent: undefined, startMicros: 0, endMicros: 0, attributes: {} },
  { resource: emptyResource(), instrumentationScope: { name: "" } },
);

/** Whether an attribute holds content: what is given up first. */
export type IsContent = (name: string, value: AttributeValue | DeferredText | undefined) => boolean;

/** `onLoss` is told of each content or record that was given up because the queue is full. */
export function createQueue(limits: QueueLimits, isContent: IsContent, onLoss: (kind: keyof Losses) => void): Queue {
  /** Undefined is what has left: the array is shortened later. */
  let entries: (Entry | undefined)[] = [];
  let head = 0;
  /** Everything before it is bare or gone. */
  let bareBefore = 0;
  let queued = 0;
  let bytes = 0;
  const losses = { contents: 0, records: 0 };

  const finish = (entry: Entry, outcome: Outcome): void => {
    if (entry.state === "gone") return;
    if (entry.state === "queued") queued--;
    entry.state = "gone";
    bytes -= entry.bytes;
    entry.span = NOTHING;
    const { settled } = entry;
    entry.settled = undefined;
    settled?.(outcome);
  };

  function makeBare(entry: Entry): boolean {
    const attributes = unwrittenAttributes(entry.span);
    const kept = Object.entries(attributes).filter(([name, value]) => !isContent(name, value));
    const dropped = Object.keys(attributes).length - kept.length;
    entry.bare = true;
    if (dropped === 0) return false;
    entry.span = withAttributes(entry.span, Object.fromEntries(kept), dropped);
    const size = sizeOf(entry.span);
    bytes -= entry.bytes - size;
    entry.bytes = size;
    losses.contents++;
    return true;
  }

  /** Gives up content, then records, until the bounds hold; the newest entry stays as long as it fits alone. */
  function shrink(): void {
    for (bareBefore = Math.max(bareBefore, head); bytes > limits.queueBytes && bareBefore < entries.length; bareBefore++) {
      const entry = entries[bareBefore];
      if (entry?.state === "queued" && !entry.bare && makeBare(entry)) onLoss("contents");
    }
    for (; (bytes > limits.queueBytes || queued > limits.queueRecords) && head < entries.length; head++) {
      const entry = entries[head];
      entries[head] = undefined;
      if (entry?.state !== "queued") continue;
      finish(entry, "dropped");
      losses.records++;
      onLoss("records");
    }
  }

  /** Forgets what lies before the head once that is most of the array. */
  function compact(): void {
    if (head < 1024 || head * 2 < entries.length) return;
    entries = entries.slice(head);
    bareBefore = Math.max(0, bareBefore - head);
    head = 0;
  }

  return {
    makeBare,
    get length() {
      return queued;
    },
    get bytes() {
      return bytes;
    },
    losses,
    push(span, settled) {
      const entry: Entry = { span, bytes: sizeOf(span), state: "queued", bare: false, withdrawn: false, settled };
      entries.push(entry);
      queued++;
      bytes += entry.bytes;
      if (bytes > limits.queueBytes || queued > limits.queueRecords) shrink();
      return entry;
    },
    cancel(entry) {
      entry.withdrawn = true;
      if (entry.state !== "queued") return false;
      finish(entry, "dropped");
      return true;
    },
    take(maxRecords, maxBytes) {
      const taken: Entry[] = [];
      let size = 0;
      for (; head < entries.length && taken.length < maxRecords; head++) {
        const entry = entries[head];
        if (entry?.state === "queued" && taken.length > 0 && size + entry.bytes > maxBytes) break;
        entries[head] = undefined;
        if (entry?.state !== "queued") continue;
        size += entry.bytes;
        entry.state = "sending";
        queued--;
        taken.push(entry);
      }
      compact();
      return taken;
    },
    putBack(returned) {
      const still = returned.filter((entry) => entry.state === "sending" && !entry.withdrawn);
      for (const entry of still) entry.state = "queued";
      for (const entry of returned) if (entry.withdrawn) finish(entry, "dropped");
      queued += still.length;
      entries = [...still, ...entries.slice(head)];
      head = 0;
      bareBefore = 0;
      if (bytes > limits.queueBytes || queued > limits.queueRecords) shrink();
    },
    settle(settledEntries, outcome) {
      for (const entry of settledEntries) finish(entry, outcome);
    },
  };
}

/** Bytes of a span besides its attributes. */
const SPAN_BYTES = 400;
const ATTRIBUTE_BYTES = 32;
/** Shorter texts are not worth counting exactly. */
const SHORT = 64;

/** Estimate of what a span takes, in bytes of UTF-8. */
export function sizeOf(span: ReadableSpan): number {
  let bytes = SPAN_BYTES;
  if (span instanceof OwnSpan) {
    const { shared, attributes } = span.facts;
    bytes += attributesSize(attributes) + (shared === undefined ? 0 : shared.sizeBytes(attributesSize));
  } else bytes += attributesSize(span.attributes);
  for (const event of span.events) bytes += SPAN_BYTES + attributesSize(event.attributes ?? {});
  return bytes + span.links.length * SPAN_BYTES + (span.status.message?.length ?? 0);
}

function attributesSize(attributes: RecordAttributes): number {
  let bytes = 0;
  for (const name in attributes) bytes += ATTRIBUTE_BYTES + name.length + valueSize(attributes[name]);
  return bytes;
}

function valueSize(value: AttributeValue | DeferredText | undefined): number {
  if (isDeferred(value)) return value.sizeBytes();
  if (typeof value === "string") return value.length <= SHORT ? value.length : Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + 8 + valueSize(each), 0);
  if (typeof value === "object" && value !== null)
    return Object.values(value).reduce((sum: number, each) => sum + ATTRIBUTE_BYTES + valueSize(each), 0);
  return 8;
}

import type { Signal } from "../base/signal.ts";
import { WIRE_LENGTH, WireReader } from "./wire.ts";

const key = (field: number): number => (field << 3) | WIRE_LENGTH;

/** Metric.{gauge, sum, histogram, exponential_histogram, summary}: the fields that hold data points, each as its own field 1. */
const POINT_HOLDERS: ReadonlySet<number> = new Set([key(5), key(7), key(9), key(10), key(11)]);

/** Spans, log records or data points in an export request, which all have them in field 2 of field 2 of field 1. Throws DecodeError where the bytes are no protobuf. */
export function countItems(request: Buffer, signal: Signal): number {
  const reader = new WireReader(request);
  const inItem = signal === "metrics" ? () => countInMetric(reader) : () => 1;
  return within(reader, key(1), () => within(reader, key(2), () => within(reader, key(2), inItem)));
}

function countInMetric(reader: WireReader): number {
  let points = 0;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (POINT_HOLDERS.has(tag)) points += inside(reader, () => within(reader, key(1), () => 1));
    else reader.skip(tag);
  }
  return points;
}

/** Sum of `count` over the submessages with this tag, up to the reader's end. */
function within(reader: WireReader, wanted: number, count: () => number): number {
  let sum = 0;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === wanted) sum += inside(reader, count);
    else reader.skip(tag);
  }
  return sum;
}

/** Runs `count` on the submessage that comes next and leaves the reader behind it. */
function inside(reader: WireReader, count: () => number): number {
  const outer = reader.end;
  const end = reader.length() + reader.pos;
  reader.end = end;
  const counted = count();
  reader.pos = end;
  reader.end = outer;
  return counted;
}

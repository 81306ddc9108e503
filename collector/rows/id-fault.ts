import type { SpanView } from "../otlp/span-view.ts";
import { isZero } from "./row-key.ts";

/** A metric has its name where a span has its trace id, and nothing where a span has its times. Source: OpenTelemetry, "Instrument name syntax". */
const METRIC_NAME = /^[a-z][\w./-]{0,254}$/i;
const HEXADECIMAL = /^[0-9a-f]+$/i;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PRINTABLE = /^[\x20-\x7e]+$/;

/** Where the bytes of an id stand, and how many it must have. */
interface IdSlice {
  readonly name: "trace_id" | "span_id";
  readonly offset: number;
  readonly size: number;
  readonly expected: number;
}

/**
 * What is wrong with an id of a wrong length, and what it may be instead. An id of OTLP/JSON that is none came over as its text, with a byte behind it where it
 * would fit by chance.
 */
function lengthFault({ arena, startTime }: SpanView, { name, offset, size, expected }: IdSlice): string {
  const text = arena.request.toString("latin1", offset, offset + Math.min(size, 256)).replace(/\0$/, "");
  const must = `${name} must be ${expected} bytes`;
  if (UUID.test(text)) return `${must}: this looks like a UUID with dashes; send its 32 hexadecimal digits`;
  if (text.length === expected * 2 && HEXADECIMAL.test(text)) {
    return `${must}, got ${size}: this looks like hexadecimal text; protobuf takes the bytes it stands for`;
  }
  const hasTime = (startTime.lo | startTime.hi) !== 0;
  if (!hasTime && name === "trace_id" && METRIC_NAME.test(text))
    return `${must}, got ${size}: this looks like metrics; send those to /v1/metrics`;
  if (!PRINTABLE.test(text)) return `${must}, got ${size}`;
  return `${must} (in JSON ${expected * 2} hexadecimal digits), got a text of ${text.length} characters`;
}

/** Why a span cannot be stored under its ids, or undefined (W3C Trace Context; otlp-rules J15). Says what the sender probably did. */
export function idFault(view: SpanView): string | undefined {
  const { request } = view.arena;
  const { traceIdSize, spanIdSize } = view;
  if (traceIdSize === 0 && spanIdSize === 0 && view.nameSize === 0) {
    return "no trace_id and span_id: this looks like logs or metrics; send those to /v1/logs or /v1/metrics";
  }
  if (traceIdSize !== 16) return lengthFault(view, { name: "trace_id", offset: view.traceIdOffset, size: traceIdSize, expected: 16 });
  if (spanIdSize !== 8) return lengthFault(view, { name: "span_id", offset: view.spanIdOffset, size: spanIdSize, expected: 8 });
  if (isZero(request, view.traceIdOffset, 16)) return "trace_id must not be all zero";
  if (isZero(request, view.spanIdOffset, 8)) return "span_id must not be all zero";
  return undefined;
}

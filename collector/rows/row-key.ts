import type { ByteWriter } from "../base/byte-writer.ts";
import type { Halves } from "../otlp/span-view.ts";
import { copyInt4, copyMillis, copyTime } from "./copy-row.ts";

/** What identifies a span's rows. `start` is undefined when the span has no usable start time: `receivedAtMs` stands in. */
export interface SpanKey {
  readonly projectId: number;
  readonly request: Buffer;
  readonly traceIdOffset: number;
  readonly spanIdOffset: number;
  readonly start: Halves | undefined;
  readonly receivedAtMs: number;
}

/** Writes the four key fields of spans and generation_logs; returns the nanoseconds of the start below its microsecond. */
export function copySpanKey(out: ByteWriter, key: SpanKey): number {
  copyInt4(out, key.projectId);
  out.u32(32);
  out.hex(key.request, key.traceIdOffset, key.traceIdOffset + 16);
  out.u32(16);
  out.hex(key.request, key.spanIdOffset, key.spanIdOffset + 8);
  if (key.start !== undefined) return copyTime(out, key.start);
  copyMillis(out, key.receivedAtMs);
  return 0;
}

/** When a span began, in Unix milliseconds; when it arrived, where it does not say. */
export const startMillisOf = ({ startTime: { lo, hi } }: { readonly startTime: Halves }, receivedAtMs: number): number =>
  (lo | hi) === 0 ? receivedAtMs : ((hi >>> 0) * 4294967296 + (lo >>> 0)) / 1e6;

/** True for a parent id that names a span: eight bytes, not all zero. */
export function namesSpan(bytes: Buffer, offset: number, size: number): boolean {
  return size === 8 && !isZero(bytes, offset, size);
}

export function isZero(bytes: Buffer, offset: number, size: number): boolean {
  for (let i = offset; i < offset + size; i++) if (bytes[i] !== 0) return false;
  return true;
}

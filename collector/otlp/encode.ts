import { ByteWriter } from "../base/byte-writer.ts";
import type { Encoding, Signal } from "../base/signal.ts";
import { writeVarint32 } from "./proto-writer.ts";

/** JSON name of the count of rejected items in each signal's partial success (…_service.proto). */
const REJECTED_FIELD: Readonly<Record<Signal, string>> = {
  traces: "rejectedSpans",
  logs: "rejectedLogRecords",
  metrics: "rejectedDataPoints",
};

/** Export…ServiceResponse with partial_success unset: `{}`, or no bytes at all (otlp-rules H11). */
export const encodeSuccess = (encoding: Encoding): Buffer => (encoding === "json" ? Buffer.from("{}") : Buffer.alloc(0));

/** Export…ServiceResponse with partial_success (field 1): 1 rejected count (int64, in JSON as text), 2 error_message. */
export function encodePartial(signal: Signal, encoding: Encoding, rejected: number, message: string): Buffer {
  if (encoding === "json") {
    return Buffer.from(JSON.stringify({ partialSuccess: { [REJECTED_FIELD[signal]]: String(rejected), errorMessage: message } }));
  }
  const inner = new ByteWriter();
  if (rejected !== 0) numberField(inner, 1, rejected);
  textField(inner, 2, message);
  const outer = new ByteWriter();
  bytesField(outer, 1, inner.view());
  return outer.view();
}

/** google.rpc.Status: 1 code, 2 message; details stay empty. */
export function encodeStatus(encoding: Encoding, code: number, message: string): Buffer {
  if (encoding === "json") return Buffer.from(JSON.stringify({ code, message }));
  return statusWriter(code, message).view();
}

const RETRY_INFO_TYPE = "type.googleapis.com/google.rpc.RetryInfo";

/** google.rpc.Status with one of its details (field 3, an Any): RetryInfo {1 retry_delay: Duration {1 seconds}}. Protobuf only. */
export function encodeRetryStatus(code: number, message: string, retryAfterSeconds: number): Buffer {
  const retryDelay = new ByteWriter();
  numberField(retryDelay, 1, retryAfterSeconds);
  const retryInfo = new ByteWriter();
  bytesField(retryInfo, 1, retryDelay.view());
  const detail = new ByteWriter();
  textField(detail, 1, RETRY_INFO_TYPE);
  bytesField(detail, 2, retryInfo.view());
  const out = statusWriter(code, message);
  bytesField(out, 3, detail.view());
  return out.view();
}

function statusWriter(code: number, message: string): ByteWriter {
  const out = new ByteWriter();
  numberField(out, 1, code);
  textField(out, 2, message);
  return out;
}

function numberField(out: ByteWriter, field: number, value: number): void {
  out.reserve(16);
  writeVarint32(out, field << 3);
  writeVarint32(out, value);
}

const textField = (out: ByteWriter, field: number, text: string): void => bytesField(out, field, Buffer.from(text, "utf8"));

function bytesField(out: ByteWriter, field: number, bytes: Buffer): void {
  out.reserve(bytes.length + 16);
  writeVarint32(out, (field << 3) | 2);
  writeVarint32(out, bytes.length);
  out.bytes(bytes, 0, bytes.length);
}

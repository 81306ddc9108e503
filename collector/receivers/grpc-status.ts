import { Metadata, type StatusObject } from "@grpc/grpc-js";
import type { Rejected, Retryable } from "../base/outcome.ts";
import { encodeRetryStatus } from "../otlp/encode.ts";
import { outcomeStatus } from "./outcome-status.ts";

/** Status texts travel in the trailers, percent-encoded; some clients take no more than 8 KiB of those. */
const MAX_STATUS_CHARS = 500;

/** How a call ends without a response message. RetryInfo goes along when sending the data again can help (otlp-rules G7). */
export function statusOf(outcome: Rejected | Retryable): StatusObject {
  const { grpc: code, retryAfterSeconds } = outcomeStatus(outcome);
  const details = outcome.message.slice(0, MAX_STATUS_CHARS).toWellFormed();
  const metadata = new Metadata();
  if (retryAfterSeconds !== undefined) metadata.set("grpc-status-details-bin", encodeRetryStatus(code, details, retryAfterSeconds));
  return { code, details, metadata };
}

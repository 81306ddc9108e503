import { MAX_MESSAGE_CHARS } from "../base/limits.ts";
import type { Outcome } from "../base/outcome.ts";
import type { Encoding, Signal } from "../base/signal.ts";
import { encodePartial, encodeSuccess } from "../otlp/encode.ts";

/** The Export…ServiceResponse of a request that was taken; both protocols answer with the same bytes. */
export function exportResponse(outcome: Extract<Outcome, { kind: "accepted" | "partial" }>, signal: Signal, encoding: Encoding): Buffer {
  if (outcome.kind === "partial") return encodePartial(signal, encoding, outcome.rejected, short(outcome.message));
  return outcome.warning === undefined ? encodeSuccess(encoding) : encodePartial(signal, encoding, 0, short(outcome.warning));
}

/** A message as long as an answer may carry. */
export const short = (message: string): string =>
  message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS)}…` : message;

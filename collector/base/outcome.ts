/**
 * What became of one export request. Every step of the pipeline speaks in these four, and one table per protocol
 * (receivers/otlp-http.ts, receivers/otlp-grpc.ts) turns them into status codes: nothing else decides an answer.
 */
export type Outcome =
  /** Everything is committed. `warning` is shown to the sender without asking it to act (OTLP: rejected = 0 with a message). */
  | { readonly kind: "accepted"; readonly warning?: string }
  /** The good part is committed; `rejected` items never will be. The sender must not retry (OTLP partial success). */
  | { readonly kind: "partial"; readonly rejected: number; readonly message: string }
  /** Nothing of this request may be assumed stored; the same request may succeed later. */
  | { readonly kind: "retryable"; readonly reason: RetryReason; readonly message: string; readonly retryAfterSeconds: number }
  /** The request itself is wrong; sending it again cannot help. */
  | { readonly kind: "rejected"; readonly reason: RejectReason; readonly message: string };

/** `overload` answers 429, the others 503: see otlp-rules H18 and H19. */
export type RetryReason = "overload" | "database" | "deadline" | "stopping" | "internal";

export type RejectReason = "undecodable" | "too_large" | "unauthenticated" | "forbidden" | "unsupported_type";

export type Retryable = Extract<Outcome, { kind: "retryable" }>;
export type Rejected = Extract<Outcome, { kind: "rejected" }>;

/** A JavaScript exporter gives up after about 8 s in all, so a longer wait would lose its batch (otlp-rules E11). */
export const MAX_RETRY_AFTER_SECONDS = 3;

export const accepted = (warning?: string): Outcome => (warning === undefined ? { kind: "accepted" } : { kind: "accepted", warning });

export const partial = (rejected: number, message: string): Outcome => ({ kind: "partial", rejected, message });

export const retryable = (reason: RetryReason, message: string, retryAfterSeconds = 1): Retryable => ({
  kind: "retryable",
  reason,
  message,
  retryAfterSeconds: Math.min(retryAfterSeconds, MAX_RETRY_AFTER_SECONDS),
});

export const rejected = (reason: RejectReason, message: string): Rejected => ({ kind: "rejected", reason, message });

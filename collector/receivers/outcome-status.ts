import type { Outcome, RejectReason } from "../base/outcome.ts";

/** Canonical gRPC status codes, as far as they are answered. */
export const GRPC = {
  ok: 0,
  invalidArgument: 3,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export type GrpcCode = (typeof GRPC)[keyof typeof GRPC];

/** How both protocols answer one outcome. */
export interface OutcomeStatus {
  readonly http: number;
  /** google.rpc.Status.code in an HTTP error body. */
  readonly code: GrpcCode;
  /**
   * The status of a gRPC call. Never RESOURCE_EXHAUSTED for something temporary: it may be retried only when RetryInfo comes with it
   * (otlp-rules G6), and some clients do not look.
   */
  readonly grpc: GrpcCode;
  /** Seconds for Retry-After (HTTP) or RetryInfo (gRPC); absent when a retry cannot help. */
  readonly retryAfterSeconds?: number;
}

/**
 * The one table from outcomes to answers. Clients retry exactly 429, 502, 503 and 504, and the gRPC codes of otlp-rules G6;
 * everything temporary must therefore land there and nothing permanent may.
 */
export function outcomeStatus(outcome: Outcome): OutcomeStatus {
  switch (outcome.kind) {
    case "accepted":
    case "partial":
      return { http: 200, code: GRPC.ok, grpc: GRPC.ok };
    case "retryable": {
      const retryAfterSeconds = Math.max(1, Math.ceil(outcome.retryAfterSeconds));
      const [http, code] = outcome.reason === "overload" ? [429, GRPC.resourceExhausted] : [503, GRPC.unavailable];
      return { http, code, grpc: GRPC.unavailable, retryAfterSeconds };
    }
    case "rejected":
      return REJECTIONS[outcome.reason];
  }
}

const refusal = (http: number, code: GrpcCode): OutcomeStatus => ({ http, code, grpc: code });

const REJECTIONS: Readonly<Record<RejectReason, OutcomeStatus>> = {
  undecodable: refusal(400, GRPC.invalidArgument),
  unauthenticated: refusal(401, GRPC.unauthenticated),
  forbidden: refusal(403, GRPC.permissionDenied),
  too_large: refusal(413, GRPC.resourceExhausted),
  unsupported_type: refusal(415, GRPC.unimplemented),
};

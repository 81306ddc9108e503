import type { Outcome } from "../base/outcome.ts";

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

/** How both protocols answer one outcome. */
export interface OutcomeStatus {
  readonly http: number;
  readonly grpc: (typeof GRPC)[keyof typeof GRPC];
  /** Seconds for Retry-After (HTTP) or RetryInfo (gRPC, which makes RESOURCE_EXHAUSTED retryable); absent when a retry cannot help. */
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
      return { http: 200, grpc: GRPC.ok };
    case "retryable": {
      const retryAfterSeconds = Math.max(1, Math.ceil(outcome.retryAfterSeconds));
      if (outcome.reason === "overload") return { http: 429, grpc: GRPC.resourceExhausted, retryAfterSeconds };
      return { http: 503, grpc: GRPC.unavailable, retryAfterSeconds };
    }
    case "rejected":
      return REJECTIONS[outcome.reason];
  }
}

const REJECTIONS = {
  undecodable: { http: 400, grpc: GRPC.invalidArgument },
  unauthenticated: { http: 401, grpc: GRPC.unauthenticated },
  forbidden: { http: 403, grpc: GRPC.permissionDenied },
  too_large: { http: 413, grpc: GRPC.resourceExhausted },
  unsupported_type: { http: 415, grpc: GRPC.unimplemented },
} as const;

import type { RejectReason, RetryReason } from "../base/outcome.ts";
import { RequestError, type RequestErrorCode } from "../base/request-error.ts";

/** The body of every answer that is none: `code` for programs, `message` for people. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly faults?: readonly string[] };
}

/** The one table of statuses. */
const STATUS = {
  bad_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 413,
  unsupported_type: 415,
  query_timeout: 503,
  unavailable: 503,
  overload: 429,
  internal: 500,
} as const satisfies Record<RequestErrorCode | "unauthenticated" | "method_not_allowed" | "overload" | "internal", number>;

export type ErrorCode = keyof typeof STATUS;
export type ErrorStatus = (typeof STATUS)[ErrorCode];

export const statusOf = (code: ErrorCode): ErrorStatus => STATUS[code];

/** What came out of the key check, by the code that people are told. */
export function codeOfRefusal(reason: RetryReason | RejectReason): ErrorCode {
  if (reason === "unauthenticated" || reason === "forbidden" || reason === "overload") return reason;
  return "unavailable";
}

export const errorBody = (code: string, message: string, faults: readonly string[] = []): ErrorBody => ({
  error: faults.length === 0 ? { code, message } : { code, message, faults },
});

/** What was thrown as it may be told: nothing of an unexpected error leaves the program. */
export function explainError(error: unknown): { readonly status: ErrorStatus; readonly body: ErrorBody } {
  if (error instanceof RequestError) return { status: statusOf(error.code), body: errorBody(error.code, error.message, error.faults) };
  return { status: 500, body: errorBody("internal", "something went wrong here; the collector's log says what") };
}

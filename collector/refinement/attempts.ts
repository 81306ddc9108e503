import * as A from "../../sdk/attributes.ts";
import type { CallFacts, ChildSpan } from "./facts.ts";

/** One try of a call, as a row of generation_attempts without its key. */
export interface Attempt {
  readonly number: number;
  readonly provider: string | undefined;
  readonly model: string | undefined;
  readonly startedAt: string | undefined;
  readonly durationMillis: number | undefined;
  readonly success: boolean;
  readonly httpStatus: number | undefined;
  readonly errorType: string | undefined;
  readonly errorMessage: string | undefined;
  /** What one try of an image was asked and answered, as JSON text. */
  readonly request?: string | undefined;
  readonly response?: string | undefined;
}

/** Failed calls this close before one of the same parent are tries of it. */
const FALLBACK_WITHIN_MS = 60_000;

/**
 * The tries of one call: as our own records tell, else one per HTTP request below it, else the failed calls beside it that it stands in for
 * (a fallback to another model). Undefined where nothing tells of more than the call itself.
 */
export function attemptsOf(
  call: CallFacts,
  children: readonly ChildSpan[],
  siblings: readonly CallFacts[],
): readonly Attempt[] | undefined {
  const own = recordedAttempts(children, call);
  if (own.length > 0) return own;
  const http = inOrder(children).filter(isHttpRequest);
  if (http.length > 0) return numbered(http.map((span) => fromHttp(span, call)));
  const failed = failedBefore(call, siblings);
  return failed.length === 0 ? undefined : numbered([...failed, call].map(fromCall));
}

/** The tries that our own records below a call or an image tell of. */
export const recordedAttempts = (children: readonly ChildSpan[], of: Pick<CallFacts, "provider" | "model">): Attempt[] =>
  numbered(
    inOrder(children)
      .filter(({ attributes }) => attributes[A.GENSPAN_RECORD] === "attempt")
      .map((span) => fromRecord(span, of)),
  );

const inOrder = (spans: readonly ChildSpan[]): ChildSpan[] =>
  spans.toSorted((a, b) => a.startMillis - b.startMillis || (a.spanId < b.spanId ? -1 : 1));

const numbered = (attempts: readonly Attempt[]): Attempt[] => {
  const sorted = attempts.toSorted((a, b) => a.number - b.number);
  return sorted.map((attempt, i) => ({ ...attempt, number: i + 1 }));
};

export const isHttpRequest = ({ attributes }: Pick<ChildSpan, "attributes">): boolean =>
  attributes["http.request.method"] !== undefined || attributes["http.method"] !== undefined;

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const whole = (value: unknown): number | undefined => {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
};

function fromRecord(span: ChildSpan, call: Pick<CallFacts, "provider" | "model">): Attempt {
  const { attributes } = span;
  const outcome = text(attributes[A.GENSPAN_ATTEMPT_OUTCOME]);
  const success = outcome === undefined ? !span.failed : outcome === "success";
  return {
    number: whole(attributes[A.GENSPAN_ATTEMPT_NUMBER]) ?? Number.MAX_SAFE_INTEGER,
    provider: text(attributes[A.GEN_AI_PROVIDER_NAME]) ?? call.provider,
    model: text(attributes[A.GEN_AI_REQUEST_MODEL]) ?? call.model,
    startedAt: span.startTime,
    durationMillis: span.durationMillis,
    success,
    httpStatus: statusCode(attributes[A.GENSPAN_ATTEMPT_HTTP_STATUS]) ?? httpStatus(attributes),
    errorType: success ? undefined : (text(attributes[A.ERROR_TYPE]) ?? outcome),
    errorMessage: success ? undefined : (span.statusMessage ?? text(attributes[A.GENSPAN_ATTEMPT_REASON])),
    request: text(attributes[A.GENSPAN_IMAGE_REQUEST]),
    response: text(attributes[A.GENSPAN_IMAGE_RESPONSE]),
  };
}

const httpStatus = (attributes: ChildSpan["attributes"]): number | undefined =>
  statusCode(attributes[A.HTTP_RESPONSE_STATUS_CODE] ?? attributes["http.status_code"]);

/** HTTP has three digits; anything else is some other number. */
function statusCode(value: unknown): number | undefined {
  const code = whole(value);
  return code !== undefined && code >= 100 && code <= 999 ? code : undefined;
}

function fromHttp(span: ChildSpan, call: CallFacts): Attempt {
  const status = httpStatus(span.attributes);
  const success = status === undefined ? !span.failed : status < 400;
  return {
    number: Number.MAX_SAFE_INTEGER,
    provider: call.provider,
    model: call.model,
    startedAt: span.startTime,
    durationMillis: span.durationMillis,
    success,
    httpStatus: status,
    errorType: success ? undefined : (text(span.attributes[A.ERROR_TYPE]) ?? (status === undefined ? undefined : String(status))),
    errorMessage: success ? undefined : span.statusMessage,
  };
}

/** The unbroken row of failed calls of the same parent and kind right before this one. */
function failedBefore(call: CallFacts, siblings: readonly CallFacts[]): CallFacts[] {
  if (call.parentSpanId === undefined) return [];
  const earlier = siblings
    .filter((other) => other !== call && other.parentSpanId === call.parentSpanId && other.operation === call.operation)
    .filter((other) => (other.endMillis ?? other.startMillis) <= call.startMillis)
    .toSorted((a, b) => b.startMillis - a.startMillis);
  const failed: CallFacts[] = [];
  let before = call.startMillis;
  for (const other of earlier) {
    const isTry = other.status === "failed" || other.status === "timeout";
    if (!isTry || before - (other.endMillis ?? other.startMillis) > FALLBACK_WITHIN_MS) break;
    failed.unshift(other);
    before = other.startMillis;
  }
  return failed;
}

function fromCall(call: CallFacts, index: number): Attempt {
  const success = call.status === "success";
  return {
    number: index + 1,
    provider: call.provider,
    model: call.model,
    startedAt: call.startTime,
    durationMillis: call.endMillis === undefined ? undefined : call.endMillis - call.startMillis,
    success,
    httpStatus: undefined,
    errorType: success ? undefined : call.errorType,
    errorMessage: success ? undefined : call.errorMessage,
  };
}

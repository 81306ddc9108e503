import * as A from "../../sdk/attributes.ts";
import { type CallFacts, type ChildSpan, callKind } from "./facts.ts";
import type { FoldedCall } from "./fold.ts";
import { hasAnswer, httpStatusOf, httpTries } from "./http-tries.ts";

/** One try of a call, as a row of generation_attempts without its key. What is not known of it is undefined. */
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
/** A count of more tries than this makes no rows: they would say nothing but their number. */
const MAX_TRIES = 100;

/**
 * The tries of one call: as our own records tell, else the failed calls beside it that it stands in for (a fallback to another model), then one per request
 * over HTTP below it, or as many as it says that it was sent again. Their number is the call's number of attempts: a try of which nothing but its number is
 * known has a row, too. Undefined where nothing tells of more than the call itself. `siblings` are all counted calls of the trace.
 */
export function attemptsOf(
  folded: FoldedCall,
  children: readonly ChildSpan[],
  siblings: readonly FoldedCall[],
): readonly Attempt[] | undefined {
  const { call } = folded;
  const own = recordedAttempts(children, call);
  if (own.length > 0) return withUnknown(own, call);
  const tries = sentTries(folded, children);
  const before = failedBefore(folded, siblings).map(fromCall);
  if (before.length === 0) return tries;
  const then = tries ?? [fromCall(call, 0)];
  return [...before, ...then].map((attempt, i) => ({ ...attempt, number: i + 1 }));
}

/** The tries that our own records below a call or an image tell of, numbered as they say where they all do. */
export function recordedAttempts(children: readonly ChildSpan[], of: Pick<CallFacts, "provider" | "model">): Attempt[] {
  const records = inOrder(children).filter(({ attributes }) => attributes[A.GENSPAN_RECORD] === "attempt");
  const attempts = records.map((span) => fromRecord(span, of)).toSorted((a, b) => a.number - b.number);
  const isTold = attempts.every(({ number }, i) => number > (attempts[i - 1]?.number ?? 0) && number <= MAX_TRIES);
  return isTold ? attempts : attempts.map((attempt, i) => ({ ...attempt, number: i + 1 }));
}

const inOrder = (spans: readonly ChildSpan[]): ChildSpan[] =>
  spans.toSorted((a, b) => a.startMillis - b.startMillis || (a.spanId < b.spanId ? -1 : 1));

/** Requests over HTTP below a call, and those that it tells of beside them. */
function sentTries({ call, twins }: FoldedCall, children: readonly ChildSpan[]): Attempt[] | undefined {
  const all = [call, ...twins];
  const places = all.flatMap(({ server }) => (server?.place === undefined ? [] : [server.place]));
  const requests = httpTries(children, { operation: call.operation, places });
  const numbers = ordinals(requests);
  const told = Math.max(0, ...all.map(({ toldTries }) => toldTries ?? 0).filter((count) => count <= MAX_TRIES));
  if (requests.length === 0) return told > 1 ? withUnknown([{ ...lastTry(all), number: told }], call) : undefined;
  // Of tries that only the call tells of, those that are seen are the latest: clients record the request that brought the answer.
  const unseen = Math.max(0, told - numbers.at(-1)!);
  return withUnknown(
    requests.map((span, i) => ({ ...fromHttp(span, call), number: numbers[i]! + unseen })),
    call,
  );
}

/**
 * Which try each request is: http.request.resend_count says how often it was sent before (conventions of HTTP). A count that does not grow begins anew: the
 * application tried again.
 */
function ordinals(requests: readonly ChildSpan[]): number[] {
  const numbers: number[] = [];
  let begunAfter = 0;
  let resentBefore = -1;
  for (const { attributes } of requests) {
    const last = numbers.at(-1) ?? 0;
    const resent = resendsOf(attributes);
    if (resent <= resentBefore) begunAfter = last;
    resentBefore = resent;
    numbers.push(Math.max(last, begunAfter + resent) + 1);
  }
  return numbers;
}

function resendsOf(attributes: ChildSpan["attributes"]): number {
  const count = whole(attributes[A.HTTP_REQUEST_RESEND_COUNT]);
  return count !== undefined && count > 0 && count < MAX_TRIES ? count : 0;
}

/** With a row for each number that is missing: a try that another followed brought no answer, and nothing else is known of it. */
function withUnknown(attempts: readonly Attempt[], { provider, model }: CallFacts): Attempt[] {
  const known = new Map(attempts.map((attempt) => [attempt.number, attempt]));
  const count = attempts.at(-1)?.number ?? 0;
  return Array.from({ length: count }, (_, i) => known.get(i + 1) ?? { ...NOTHING_KNOWN, provider, model, number: i + 1 });
}

const NOTHING_KNOWN = {
  startedAt: undefined,
  durationMillis: undefined,
  success: false,
  httpStatus: undefined,
  errorType: undefined,
  errorMessage: undefined,
} as const;

/** The last try of a call that was sent again and again: how the call ended. When it began is not known. */
function lastTry([call, ...twins]: readonly CallFacts[]): Attempt {
  const httpStatus = [call!, ...twins].map(({ server }) => server?.httpStatus).find((status) => status !== undefined);
  return { ...fromCall(call!, 0), startedAt: undefined, durationMillis: undefined, httpStatus };
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const whole = (value: unknown): number | undefined => {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
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
    httpStatus: httpStatusOf({ "http.response.status_code": attributes[A.GENSPAN_ATTEMPT_HTTP_STATUS] }) ?? httpStatusOf(attributes),
    errorType: success ? undefined : (text(attributes[A.ERROR_TYPE]) ?? outcome),
    errorMessage: success ? undefined : (span.statusMessage ?? text(attributes[A.GENSPAN_ATTEMPT_REASON])),
    request: text(attributes[A.GENSPAN_IMAGE_REQUEST]),
    response: text(attributes[A.GENSPAN_IMAGE_RESPONSE]),
  };
}

function fromHttp(span: ChildSpan, call: CallFacts): Omit<Attempt, "number"> {
  const status = httpStatusOf(span.attributes);
  const success = hasAnswer(span);
  return {
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
function failedBefore(folded: FoldedCall, siblings: readonly FoldedCall[]): CallFacts[] {
  const { call } = folded;
  const parents = parentsOf(folded);
  if (parents.size === 0) return [];
  const earlier = siblings
    .filter((other) => other.call !== call && callKind(other.call.operation) === callKind(call.operation) && isBeside(other, parents))
    .map((other) => other.call)
    .filter((other) => (other.endMillis ?? other.startMillis) <= call.startMillis)
    .toSorted((a, b) => b.startMillis - a.startMillis || (a.spanId < b.spanId ? -1 : 1));
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

/** The spans around a call, whoever tells of it; its own tellings are not around it. */
function parentsOf({ call, twins }: FoldedCall): ReadonlySet<string> {
  const all = [call, ...twins];
  const own = new Set(all.map(({ spanId }) => spanId));
  return new Set(all.flatMap(({ parentSpanId }) => (parentSpanId === undefined || own.has(parentSpanId) ? [] : [parentSpanId])));
}

const isBeside = (other: FoldedCall, parents: ReadonlySet<string>): boolean => [...parentsOf(other)].some((parent) => parents.has(parent));

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

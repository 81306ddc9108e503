import type { Attributes } from "@opentelemetry/api";
import type { TimedEvent } from "@opentelemetry/sdk-trace";
import * as A from "../attributes.ts";
import { hrTime, nowMicros } from "../core/clock.ts";
import type { Content } from "../core/content.ts";
import { safeText } from "../core/safe-json.ts";
import { known, numberAt, textAt, textOf } from "./shape.ts";

/** What is recorded of an error. */
export interface Failure {
  /** `error.type`: the provider's code, else the error's class; few different values. */
  readonly type: string;
  readonly message: string | undefined;
  /** The message whatever the content policy says: for copies that the application keeps, never sent. */
  readonly ownMessage: string | undefined;
  readonly traceback: string | undefined;
  /** HTTP status of the provider's answer. */
  readonly httpStatus: number | undefined;
}

/** An error that cannot even be looked at. */
export const UNREADABLE: Failure = {
  type: "_OTHER",
  message: undefined,
  ownMessage: undefined,
  traceback: undefined,
  httpStatus: undefined,
};

export const TIMEOUT = "timeout";
export const CANCELLED = "cancelled";

/** The conventions' word for an error of no known kind. */
const OTHER = "_OTHER";
const MAX_TYPE_LENGTH = 128;

/** Names that say that somebody stopped the call. */
const ABORTS: ReadonlySet<string> = new Set(["AbortError", "APIUserAbortError"]);
const TIMEOUTS = /time[\s_-]?d?[\s_-]?out/i;

/** Reads anything that can be thrown. May throw where the error's getters do: callers run within a guard. */
export function readFailure(error: unknown, content: Content): Failure {
  const name = textAt(error, "name");
  const message = typeof error === "string" ? error : (textAt(error, "message") ?? (isPlain(error) ? safeText(error) : undefined));
  return {
    type: typeOf(error, name).slice(0, MAX_TYPE_LENGTH),
    message: content.text(message, "error"),
    ownMessage: message,
    traceback: content.text(textAt(error, "stack"), "error"),
    httpStatus: numberAt(error, "status") ?? numberAt(error, "statusCode") ?? numberAt(error, "response", "status"),
  };
}

const isPlain = (error: unknown): boolean => error !== undefined && error !== null && !(error instanceof Error);

function typeOf(error: unknown, name: string | undefined): string {
  const ofClass = className(error, name);
  if (ofClass !== undefined && ABORTS.has(ofClass)) return CANCELLED;
  const code = textAt(error, "code");
  if (TIMEOUTS.test(ofClass ?? "") || TIMEOUTS.test(code ?? "")) return TIMEOUT;
  // Anthropic's errors hold the body of the answer, whose own type is `error`.
  return (
    code ??
    textAt(error, "error", "error", "type") ??
    textAt(error, "error", "type") ??
    textAt(error, "type") ??
    ofClass ??
    textAt(error, "status") ??
    OTHER
  );
}

/** Errors of provider libraries often have the name `Error` and a class of their own. */
const className = (error: unknown, name: string | undefined): string | undefined =>
  error instanceof Error && (name === undefined || name === "Error") ? textOf(error.constructor?.name) : name;

/** The standard event of an exception; undefined for a failure without any text. */
export function exceptionEvent({ type, message, traceback }: Failure): TimedEvent[] {
  if (message === undefined && traceback === undefined) return [];
  const attributes: Attributes = known({
    [A.EXCEPTION_TYPE]: type,
    [A.EXCEPTION_MESSAGE]: message,
    [A.EXCEPTION_STACKTRACE]: traceback,
  });
  return [{ name: A.EVENT_EXCEPTION, time: hrTime(nowMicros()), attributes }];
}

import * as A from "../attributes.ts";
import { microsOf, nowMicros } from "../core/clock.ts";
import type { Current } from "../core/current.ts";
import type { RecordAttributes } from "../core/deferred-text.ts";
import type { OpenRecord } from "../core/recorder.ts";
import type { Attempts } from "./attempts.ts";
import { exceptionEvent, type Failure, readFailure, TIMEOUT, UNREADABLE } from "./failure.ts";
import { putResult } from "./result-attributes.ts";
import { textOf } from "./shape.ts";
import type { FailInfo, GenerationResult, GenerationStart } from "./types.ts";

/** What an item remembers of each of its generations. */
export interface GenerationSummary {
  readonly id: string;
  readonly start: GenerationStart;
  readonly status: "pending" | "success" | "failed" | "timeout";
  readonly result: GenerationResult | undefined;
  readonly errorMessage: string | undefined;
  readonly durationMillis: number | undefined;
}

/** The end of one generation: the first of its calls counts, and none throws. */
export interface Ending {
  firstToken(at: unknown): void;
  succeed(result: GenerationResult | undefined): void;
  /** `type` overrides what the error says of its kind. */
  fail(error: unknown, type: string | undefined, info: FailInfo): void;
}

export interface EndingOf {
  readonly start: GenerationStart;
  /** Undefined where neither the start nor the model's name tells it. */
  readonly provider: string | undefined;
  readonly record: OpenRecord;
  /** The tries that were made; undefined where none was. */
  readonly attempts: () => Attempts | undefined;
  readonly now: Current;
  readonly onEnd: ((summary: GenerationSummary) => void) | undefined;
}

const ENDING = "ending a generation";
const NOTHING = { result: undefined, type: undefined };

interface Ended {
  readonly result: GenerationResult | undefined;
  readonly failure: Failure | undefined;
}

export const createEnding = (of: EndingOf): Ending => new OneEnding(of);

/** A class, since every generation has one. */
class OneEnding implements Ending {
  readonly #of: EndingOf;
  #firstMicros: number | undefined;

  constructor(of: EndingOf) {
    this.#of = of;
  }

  firstToken(at: unknown): void {
    const { record, now } = this.#of;
    const given = now.recorder.problems.guard("reading a time", () => microsOf(at), undefined);
    this.#firstMicros ??= Math.max(given ?? nowMicros(), record.startMicros);
  }

  succeed(result: GenerationResult | undefined): void {
    const error =
      result === undefined ? undefined : this.#of.now.recorder.problems.guard("reading an answer", () => result?.error, undefined);
    if (error !== undefined && error !== null) this.fail(error, undefined, { result: result ?? {} });
    else this.#succeed(result);
  }

  #succeed(result: GenerationResult | undefined): void {
    try {
      this.#end({ result, failure: undefined });
    } catch (error) {
      this.#of.now.recorder.problems.failed(ENDING, error);
    }
  }

  fail(error: unknown, type: string | undefined, info: FailInfo): void {
    const { content, recorder } = this.#of.now;
    const { problems } = recorder;
    try {
      const failure = problems.guard("reading an error", () => readFailure(error, content), UNREADABLE);
      const told = problems.guard(
        "reading what is known of a failure",
        () => ({ result: info?.result, type: textOf(info?.errorType) }),
        NOTHING,
      );
      this.#end({ result: told.result, failure: { ...failure, type: told.type ?? type ?? failure.type } });
    } catch (fault) {
      problems.failed(ENDING, fault);
    }
  }

  #end(ended: Ended): void {
    const { record, attempts, onEnd } = this.#of;
    if (record.ended) return;
    const { failure } = ended;
    attempts()?.close(failure);
    const fill = (into: RecordAttributes): void => this.#fill(into, ended);
    if (failure === undefined) record.end({ fill });
    else record.end({ fill, error: { message: failure.message }, events: exceptionEvent(failure) });
    onEnd?.(summarize(this.#of, ended));
  }

  #fill(into: RecordAttributes, ended: Ended): void {
    try {
      putEnd(into, ended, this.#of);
    } catch (error) {
      this.#of.now.recorder.problems.failed("reading what a generation ended with", error);
    }
    if (this.#firstMicros !== undefined) {
      into[A.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = (this.#firstMicros - this.#of.record.startMicros) / 1e6;
    }
    if (ended.failure !== undefined) into[A.ERROR_TYPE] = ended.failure.type;
  }
}

function putEnd(into: RecordAttributes, { result }: Ended, { attempts, provider, now }: EndingOf): void {
  const fallback = attempts()?.fallbackModel();
  if (result === undefined && fallback === undefined) return;
  putResult(into, result ?? {}, now);
  if (fallback !== undefined) into[A.GEN_AI_RESPONSE_MODEL] ??= fallback;
  const told =
    provider === undefined ? now.recorder.problems.guard("reading a provider", () => textOf(result?.provider), undefined) : undefined;
  if (told !== undefined) into[A.GEN_AI_PROVIDER_NAME] = told;
}

const summarize = ({ start, record }: EndingOf, { result, failure }: Ended): GenerationSummary => ({
  id: record.refText,
  start,
  status: failure === undefined ? "success" : failure.type === TIMEOUT ? "timeout" : "failed",
  result,
  errorMessage: failure?.ownMessage,
  durationMillis: (nowMicros() - record.startMicros) / 1000,
});

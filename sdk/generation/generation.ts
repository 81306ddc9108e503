import { type Attributes, SpanKind } from "@opentelemetry/api";
import * as A from "../attributes.ts";
import { microsOf, nowMicros } from "../core/clock.ts";
import { type Current, current } from "../core/current.ts";
import type { OpenRecord, Parent } from "../core/recorder.ts";
import { safeJson } from "../core/safe-json.ts";
import { createAttempts } from "./attempts.ts";
import { CANCELLED, exceptionEvent, type Failure, readFailure, TIMEOUT } from "./failure.ts";
import { providerOfModel } from "./provider-names.ts";
import { resultAttributes } from "./result-attributes.ts";
import { DEFAULT_OPERATION, entityAttributes, qualityAttributes, startAttributes } from "./start-attributes.ts";
import { type StreamEnd, watchedIterator } from "./streams.ts";
import type { FailInfo, Generation, GenerationRef, GenerationResult, GenerationStart } from "./types.ts";

/** What an item remembers of each of its generations. */
export interface GenerationSummary {
  readonly id: string;
  readonly start: GenerationStart;
  readonly status: "pending" | "success" | "failed" | "timeout";
  readonly result: GenerationResult | undefined;
  readonly errorMessage: string | undefined;
  readonly durationMillis: number | undefined;
}

/** What the SDK's own wrappers of a generation add. */
export interface GenerationExtras {
  /** On the record besides those of the start. */
  readonly attributes?: Attributes;
  /** Told when the generation ends. */
  readonly onEnd?: (summary: GenerationSummary) => void;
}

/**
 * Begins a generation and returns its handle; for calls that one function does not enclose. Leaving the scope of a `using` declaration without an end cancels it.
 *
 * ```ts
 * using generation = startGeneration({ model: "gpt-5-nano", prompt: { name: "riddle", version: "3", text } });
 * const answer = await generation.run(() => callTheModel(text));
 * generation.succeed({ text: answer.text, usage: { input: answer.tokensIn, output: answer.tokensOut } });
 * await store({ riddle: answer.text, generationId: generation.id });
 * ```
 */
export const startGeneration = (start: GenerationStart): Generation => openGeneration(start);

/** {@link startGeneration} with what the SDK's own wrappers add. */
export function openGeneration(start: GenerationStart, extras: GenerationExtras = {}): Generation {
  const now = current();
  const { recorder } = now;
  const facts = recorder.problems.guard("reading what a generation starts with", () => factsOf(start), NO_FACTS);
  const attributes = recorder.enabled ? startAttributes(start, now) : {};
  if (extras.attributes !== undefined) Object.assign(attributes, extras.attributes);
  const record = recorder.start({
    name: facts.name,
    kind: SpanKind.CLIENT,
    parent: facts.parent,
    attributes,
  });
  if (now.settings.pending !== "off") record.announce();
  return createHandle({ start, facts, record, now, onEnd: extras.onEnd });
}

/** What the handle itself needs of a start, read once. */
interface StartFacts {
  readonly name: string;
  readonly model: string;
  readonly provider: string | undefined;
  readonly parent: Parent | undefined;
  readonly metadata: GenerationStart["metadata"];
}

const NO_FACTS: StartFacts = { name: DEFAULT_OPERATION, model: "", provider: undefined, parent: undefined, metadata: undefined };

function factsOf(start: GenerationStart): StartFacts {
  const { name, operation = DEFAULT_OPERATION, model, provider, parent, metadata } = start;
  return {
    name: String(name ?? `${operation} ${model}`),
    model: String(model),
    provider: provider ?? providerOfModel(String(model)),
    parent,
    metadata,
  };
}

const streaming = new WeakSet<Generation>();

/** Whether a stream is being read for it, whose end will be its end. */
export const isStreaming = (generation: Generation): boolean => streaming.has(generation);

interface HandleParts {
  readonly start: GenerationStart;
  readonly facts: StartFacts;
  readonly record: OpenRecord;
  readonly now: Current;
  readonly onEnd: ((summary: GenerationSummary) => void) | undefined;
}

function createHandle(parts: HandleParts): Generation {
  const { facts, record, now } = parts;
  const { problems } = now.recorder;
  const attempts = createAttempts({ parent: record, model: facts.model, provider: facts.provider, now });
  let { metadata } = facts;
  let firstMicros: number | undefined;
  const safely = (step: string, work: () => void): void => problems.guard(step, work, undefined);

  function end(result: GenerationResult | undefined, failure: Failure | undefined): void {
    if (record.ended) return;
    attempts.close(failure);
    const attributes = problems.guard("reading what a generation ended with", () => endAttributes(result, failure), {});
    record.end({
      attributes,
      ...(failure === undefined ? {} : { error: { message: failure.message }, events: exceptionEvent(failure) }),
    });
    parts.onEnd?.(summarize(parts, { result, failure }));
  }

  function endAttributes(result: GenerationResult | undefined, failure: Failure | undefined): Attributes {
    const fallback = attempts.fallbackModel();
    const told = result === undefined && fallback === undefined ? undefined : { ...fallbackResult(fallback), ...result };
    return {
      ...(told === undefined ? {} : resultAttributes(told, now.content)),
      ...(told?.provider === undefined || facts.provider !== undefined ? {} : { [A.GEN_AI_PROVIDER_NAME]: told.provider }),
      ...(firstMicros === undefined ? {} : { [A.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK]: (firstMicros - record.startMicros) / 1e6 }),
      ...(failure === undefined ? {} : { [A.ERROR_TYPE]: failure.type }),
    };
  }

  const failWith = (error: unknown, type: string | undefined, info: FailInfo): void =>
    safely("ending a generation", () => {
      const failure = problems.guard("reading an error", () => readFailure(error, now.content), UNREADABLE);
      end(info.result, { ...failure, type: info.errorType ?? type ?? failure.type });
    });

  function endStream(how: StreamEnd, result: GenerationResult | undefined): void {
    const info = result === undefined ? {} : { result };
    if (how.kind === "failed") handle.fail(how.error, info);
    else if (how.kind === "stopped") handle.cancel("the stream was not read to its end", info);
    else handle.succeed(result);
  }

  /** Before the end the record itself says it; afterwards a record of its own does. */
  function tell(attributes: Attributes): void {
    if (record.ended) now.recorder.update(record.refText, attributes);
    else record.setAttributes(attributes);
  }

  const handle: Generation = {
    ref: refOf(record),
    id: record.refText,
    get recorded() {
      return record.announced();
    },
    get ended() {
      return record.ended;
    },
    run: (work) => record.run(work),
    async attempt(info, work) {
      const attempt = handle.startAttempt(info);
      try {
        const result = await attempt.run(() => work(attempt));
        attempt.succeed();
        return result;
      } catch (error) {
        attempt.fail(error);
        throw error;
      }
    },
    startAttempt: (info) => attempts.start(info ?? {}),
    addAttempt: (done) => safely("recording an attempt", () => attempts.add(done)),
    stream: (source, read) => {
      streaming.add(handle);
      record.setAttributes({ [A.GEN_AI_REQUEST_STREAM]: true });
      const watch = {
        reader: problems.guard("reading a stream", () => read?.stream(), undefined),
        onFirst: () => handle.firstToken(),
        onEnd: endStream,
        guard: (step: () => void) => safely("reading a stream", step),
      };
      return { [Symbol.asyncIterator]: () => watchedIterator(source, watch) };
    },
    firstToken: (at) => {
      firstMicros ??= Math.max(microsOf(at) ?? nowMicros(), record.startMicros);
    },
    succeed: (result) => safely("ending a generation", () => end(result, undefined)),
    fail: (error, info = {}) => failWith(error, undefined, info),
    timeout: (error, info = {}) => failWith(error ?? "the call ran out of time", TIMEOUT, info),
    cancel: (reason, info = {}) => failWith(reason ?? "the call was cancelled", CANCELLED, info),
    link: (entity) => safely("linking", () => tell(entityAttributes(entity))),
    review: (quality) => safely("reviewing", () => tell(qualityAttributes(quality))),
    annotate: (more) =>
      safely("annotating", () => {
        metadata = { ...metadata, ...more };
        const text = now.content.text(safeJson(record.ended ? more : metadata), "metadata");
        if (text !== undefined) tell({ [A.GENSPAN_METADATA]: text });
      }),
    [Symbol.dispose]: () => handle.cancel("abandoned: its scope was left without an end"),
  };
  return handle;
}

const UNREADABLE: Failure = { type: "_OTHER", message: undefined, traceback: undefined, httpStatus: undefined };

const fallbackResult = (model: string | undefined): GenerationResult => (model === undefined ? {} : { responseModel: model });

const refOf = ({ ref, refText }: OpenRecord): GenerationRef => ({ ...ref, toString: () => refText });

interface Ended {
  readonly result: GenerationResult | undefined;
  readonly failure: Failure | undefined;
}

const summarize = ({ start, record }: HandleParts, { result, failure }: Ended): GenerationSummary => ({
  id: record.refText,
  start,
  status: failure === undefined ? "success" : failure.type === TIMEOUT ? "timeout" : "failed",
  result,
  errorMessage: failure?.message,
  durationMillis: (nowMicros() - record.startMicros) / 1000,
});

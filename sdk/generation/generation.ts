import { type Attributes, SpanKind } from "@opentelemetry/api";
import * as A from "../attributes.ts";
import { type Current, current } from "../core/current.ts";
import type { Problems } from "../core/problems.ts";
import type { OpenRecord, Parent, RecordOutcome } from "../core/recorder.ts";
import { safeJson } from "../core/safe-json.ts";
import { type Attempts, createAttempts } from "./attempts.ts";
import { createEnding, type Ending, type GenerationSummary } from "./ending.ts";
import { CANCELLED, TIMEOUT } from "./failure.ts";
import { providerOfModel } from "./provider-names.ts";
import { DEFAULT_OPERATION, entityAttributes, qualityAttributes, startAttributes } from "./start-attributes.ts";
import { type StreamEnd, watchedIterator } from "./streams.ts";
import type { Attempt, Generation, GenerationRef, GenerationResult, GenerationStart, Reader } from "./types.ts";

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
  const { start, facts, record, now, onEnd } = parts;
  let made: Attempts | undefined;
  /** Most calls have none. */
  const attempts = (): Attempts => {
    made ??= createAttempts({ parent: record, model: facts.model, provider: facts.provider, now });
    return made;
  };
  const ending = createEnding({ start, provider: facts.provider, record, attempts: () => made, now, onEnd });
  return new Handle(parts, ending, attempts);
}

/** Its methods are its own, so that they may be taken off it; its getters are the class's (see OpenRecord). */
class Handle implements Generation {
  readonly ref: GenerationRef;
  readonly id: string;
  readonly run: Generation["run"];
  readonly attempt: Generation["attempt"];
  readonly startAttempt: Generation["startAttempt"];
  readonly addAttempt: Generation["addAttempt"];
  readonly stream: Generation["stream"];
  readonly firstToken: Generation["firstToken"];
  readonly succeed: Generation["succeed"];
  readonly fail: Generation["fail"];
  readonly timeout: Generation["timeout"];
  readonly cancel: Generation["cancel"];
  readonly link: Generation["link"];
  readonly review: Generation["review"];
  readonly annotate: Generation["annotate"];
  readonly #record: OpenRecord;

  constructor({ facts, record, now }: HandleParts, ending: Ending, attempts: () => Attempts) {
    const { problems } = now.recorder;
    const words = createWords(record, facts.metadata, now);
    this.#record = record;
    this.ref = createRef(record);
    this.id = record.refText;
    this.run = (work) => record.run(work);
    this.attempt = (info, work) => attemptWith(attempts().start(info ?? {}), work);
    this.startAttempt = (info) => attempts().start(info ?? {});
    this.addAttempt = (done) => problems.guard("recording an attempt", () => attempts().add(done), undefined);
    this.stream = (source, read) => {
      streaming.add(this);
      record.setAttributes({ [A.GEN_AI_REQUEST_STREAM]: true });
      return watchedStream(source, read, { ending, problems });
    };
    this.firstToken = ending.firstToken;
    this.succeed = ending.succeed;
    this.fail = (error, info = {}) => ending.fail(error, undefined, info);
    this.timeout = (error = "the call ran out of time", info = {}) => ending.fail(error, TIMEOUT, info);
    this.cancel = (reason = "the call was cancelled", info = {}) => ending.fail(reason, CANCELLED, info);
    this.link = words.link;
    this.review = words.review;
    this.annotate = words.annotate;
  }

  get recorded(): Promise<RecordOutcome> {
    return this.#record.announced();
  }

  get ended(): boolean {
    return this.#record.ended;
  }

  [Symbol.dispose](): void {
    this.cancel("abandoned: its scope was left without an end");
  }
}

/** Its text is the reference that applications keep. */
const createRef = ({ ref, refText }: OpenRecord): GenerationRef => ({ traceId: ref.traceId, spanId: ref.spanId, toString: () => refText });

function watchedStream<C>(
  source: AsyncIterable<C>,
  read: Pick<Reader, "stream"> | undefined,
  { ending, problems }: { readonly ending: Ending; readonly problems: Problems },
): AsyncIterable<C> {
  const watch = {
    reader: problems.guard("reading a stream", () => read?.stream(), undefined),
    onFirst: () => ending.firstToken(undefined),
    onEnd: (how: StreamEnd, result: GenerationResult | undefined) => endStream(ending, how, result),
    guard: (step: () => void) => problems.guard("reading a stream", step, undefined),
  };
  return { [Symbol.asyncIterator]: () => watchedIterator(source, watch) };
}

async function attemptWith<R>(attempt: Attempt, work: (attempt: Attempt) => R | Promise<R>): Promise<R> {
  try {
    const result = await attempt.run(() => work(attempt));
    attempt.succeed();
    return result;
  } catch (error) {
    attempt.fail(error);
    throw error;
  }
}

function endStream(ending: Ending, how: StreamEnd, result: GenerationResult | undefined): void {
  const info = result === undefined ? {} : { result };
  if (how.kind === "failed") ending.fail(how.error, undefined, info);
  else if (how.kind === "stopped") ending.fail("the stream was not read to its end", CANCELLED, info);
  else ending.succeed(result);
}

/** Before the end the record itself says them; afterwards records of their own do. */
function createWords(
  record: OpenRecord,
  known: GenerationStart["metadata"],
  now: Current,
): Pick<Generation, "link" | "review" | "annotate"> {
  let metadata = known;
  const tell = (step: string, attributesOf: () => Attributes): void =>
    now.recorder.problems.guard(
      step,
      () => {
        const attributes = attributesOf();
        if (!record.ended) record.setAttributes(attributes);
        else if (Object.keys(attributes).length > 0) now.recorder.update(record.refText, attributes);
      },
      undefined,
    );
  return {
    link: (entity) => tell("linking", () => entityAttributes(entity)),
    review: (quality) => tell("reviewing", () => qualityAttributes(quality)),
    annotate: (more) =>
      tell("annotating", () => {
        metadata = { ...metadata, ...more };
        const text = now.content.text(safeJson(record.ended ? more : metadata), "metadata");
        return text === undefined ? {} : { [A.GENSPAN_METADATA]: text };
      }),
  };
}

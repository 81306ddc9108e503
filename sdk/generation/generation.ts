import { type Attributes, SpanKind } from "@opentelemetry/api";
import * as A from "../attributes.ts";
import { type Current, current } from "../core/current.ts";
import type { Problems } from "../core/problems.ts";
import type { OpenRecord, Parent, RecordOutcome } from "../core/recorder.ts";
import { safeJson } from "../core/safe-json.ts";
import { readAny } from "../readers/any.ts";
import { type Attempts, createAttempts } from "./attempts.ts";
import { createEnding, type Ending, type GenerationSummary } from "./ending.ts";
import { CANCELLED, TIMEOUT } from "./failure.ts";
import { providerOfModel } from "./provider-names.ts";
import { DEFAULT_OPERATION, entityAttributes, qualityAttributes, startAttributes } from "./start-attributes.ts";
import { createStreamObserver, type StreamEnd, type StreamObserver, watchedIterator } from "./streams.ts";
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
  if (facts.model === "") recorder.problems.report("configuration", "a generation was started without the name of its model");
  if (extras.attributes !== undefined) Object.assign(attributes, extras.attributes);
  const record = recorder.start({
    name: facts.name,
    kind: SpanKind.CLIENT,
    parent: facts.parent,
    attributes,
  });
  if (now.settings.pending !== "off") record.announce();
  return new Handle({ start, facts, record, now, onEnd: extras.onEnd });
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
  const named = model === undefined || model === null ? "" : String(model);
  return {
    name: String(name ?? `${operation} ${named}`.trim()),
    model: named,
    provider: provider ?? providerOfModel(named),
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

/** Its methods are made when they are asked for, so that they may be taken off it and cost nothing where they are not used: a generation needs one or two of them. */
class Handle implements Generation {
  readonly id: string;
  readonly #facts: StartFacts;
  readonly #record: OpenRecord;
  readonly #now: Current;
  readonly #ending: Ending;
  #ref: GenerationRef | undefined;
  /** Most calls have none. */
  #attempts: Attempts | undefined;
  #words: Words | undefined;

  constructor({ start, facts, record, now, onEnd }: HandleParts) {
    this.id = record.refText;
    this.#facts = facts;
    this.#record = record;
    this.#now = now;
    this.#ending = createEnding({ start, provider: facts.provider, record, attempts: () => this.#attempts, now, onEnd });
  }

  get ref(): GenerationRef {
    this.#ref ??= createRef(this.#record);
    return this.#ref;
  }

  get recorded(): Promise<RecordOutcome> {
    return this.#record.announced();
  }

  get ended(): boolean {
    return this.#record.ended;
  }

  get run(): Generation["run"] {
    return (work) => this.#record.run(work);
  }

  get attempt(): Generation["attempt"] {
    return (info, work) => attemptWith(this.#tries().start(info ?? {}), work);
  }

  get startAttempt(): Generation["startAttempt"] {
    return (info) => this.#tries().start(info ?? {});
  }

  get addAttempt(): Generation["addAttempt"] {
    return (done) => this.#now.recorder.problems.guard("recording an attempt", () => this.#tries().add(done), undefined);
  }

  get stream(): Generation["stream"] {
    return (source, read = readAny) => {
      const observer = this.observe(read);
      return { [Symbol.asyncIterator]: () => watchedIterator(() => source[Symbol.asyncIterator](), observer) };
    };
  }

  /** Not one of the interface's: for {@link observeStream}. */
  observe(read: Partial<Reader>): StreamObserver {
    streaming.add(this);
    this.#record.setAttributes({ [A.GEN_AI_REQUEST_STREAM]: true });
    return streamObserver(read, { ending: this.#ending, problems: this.#now.recorder.problems });
  }

  get firstToken(): Generation["firstToken"] {
    return (at) => this.#ending.firstToken(at);
  }

  get succeed(): Generation["succeed"] {
    return (result) => this.#ending.succeed(result);
  }

  get fail(): Generation["fail"] {
    return (error, info = {}) => this.#ending.fail(error, undefined, info);
  }

  get timeout(): Generation["timeout"] {
    return (error = "the call ran out of time", info = {}) => this.#ending.fail(error, TIMEOUT, info);
  }

  get cancel(): Generation["cancel"] {
    return (reason = "the call was cancelled", info = {}) => this.#ending.fail(reason, CANCELLED, info);
  }

  get link(): Generation["link"] {
    return (entity) => this.#say().link(entity);
  }

  get review(): Generation["review"] {
    return (quality) => this.#say().review(quality);
  }

  get annotate(): Generation["annotate"] {
    return (metadata) => this.#say().annotate(metadata);
  }

  [Symbol.dispose](): void {
    this.cancel("abandoned: its scope was left without an end");
  }

  #tries(): Attempts {
    const { model, provider } = this.#facts;
    this.#attempts ??= createAttempts({ parent: this.#record, model, provider, now: this.#now });
    return this.#attempts;
  }

  #say(): Words {
    this.#words ??= createWords(this.#record, this.#facts.metadata, this.#now);
    return this.#words;
  }
}

/** Its text is the reference that applications keep. */
const createRef = ({ ref, refText }: OpenRecord): GenerationRef => ({ traceId: ref.traceId, spanId: ref.spanId, toString: () => refText });

/** What ends a generation when the stream that it is shown ends. */
export const observeStream = (generation: Generation, read: Reader): StreamObserver | undefined =>
  generation instanceof Handle ? generation.observe(read) : undefined;

function streamObserver(
  read: Partial<Reader>,
  { ending, problems }: { readonly ending: Ending; readonly problems: Problems },
): StreamObserver {
  return createStreamObserver({
    reader: problems.guard("reading a stream", () => read.stream?.(), undefined),
    whole: (answer) => read.response?.(answer),
    onFirst: () => ending.firstToken(undefined),
    onEnd: (how: StreamEnd, result: GenerationResult | undefined) => endStream(ending, how, result),
    guard: (step: () => void) => problems.guard("reading a stream", step, undefined),
  });
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

type Words = Pick<Generation, "link" | "review" | "annotate">;

/** Before the end the record itself says them; afterwards records of their own do. */
function createWords(record: OpenRecord, known: GenerationStart["metadata"], now: Current): Words {
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

import type { Attributes } from "@opentelemetry/api";
import type { Parent, RecordOutcome } from "../core/recorder.ts";

/** A value that JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** What the model is asked to do, by the names of the semantic conventions; own names are allowed. */
export type GenAiOperation = "chat" | "text_completion" | "generate_content" | "embeddings" | (string & {});

/** A thing of the application's own that a generation belongs to, such as a row of its database. */
export interface EntityRef {
  readonly type: string;
  readonly id: string | number;
  /** How it belongs: draft, translation … */
  readonly relation?: string;
}

/** A judgement of something generated. */
export interface Quality {
  readonly status?: "pending_review" | "approved" | "rejected" | (string & {});
  readonly issues?: readonly string[];
  readonly score?: number;
  /** Who or what judged. */
  readonly by?: string;
}

/** One message of a conversation: of OpenAI, Anthropic, Gemini, the Vercel AI SDK, or `{role, parts}` of the semantic conventions. */
export type ChatMessage = object;

/** Settings of a call. */
export interface ModelParams {
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly seed?: number;
  readonly stop?: string | readonly string[];
  /** In the provider's own words: low, high … */
  readonly reasoningEffort?: string;
  /** How many answers are asked for. */
  readonly choices?: number;
  /** What is asked for: text, json, image, speech. */
  readonly outputType?: string;
}

/** Where the prompt came from, and its text when it is one. */
export interface PromptInfo {
  /** Name of the template. */
  readonly name?: string;
  /** Version of the template. */
  readonly version?: string;
  /** Names of the modules that it was put together from. */
  readonly modules?: readonly string[];
  /** The text exactly as it is sent, where it is one text and no list of messages. */
  readonly text?: string;
  /** What was filled into the template. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** What is known of a generation before the model is called. */
export interface GenerationStart {
  readonly model: string;
  /** By the names of the semantic conventions: openai, anthropic, gcp.gemini, aws.bedrock … Told from well-known model names where it is not given. */
  readonly provider?: string;
  /** Default chat. */
  readonly operation?: GenAiOperation;
  /** Name of the span; default `{operation} {model}`, as the conventions ask. */
  readonly name?: string;
  readonly prompt?: PromptInfo;
  readonly messages?: readonly ChatMessage[];
  readonly system?: string;
  /** Tool definitions as they are sent. */
  readonly tools?: readonly object[];
  readonly params?: ModelParams;
  /** Whether the answer is streamed. */
  readonly stream?: boolean;
  readonly entity?: EntityRef;
  readonly conversationId?: string;
  readonly userId?: string;
  /** Under which record or span it is made; default the active one. */
  readonly parent?: Parent;
  /** Facts of the application's own. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** More attributes. */
  readonly attributes?: Attributes;
}

/** Token counts. `input` includes cached tokens and `output` includes reasoning, as the conventions count; the two flags say where a provider counts otherwise. */
export interface Usage {
  readonly input?: number;
  readonly output?: number;
  readonly total?: number;
  readonly reasoning?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  /** False where `output` leaves reasoning out. Default true. */
  readonly reasoningInOutput?: boolean;
  /** False where `input` leaves cached tokens out. Default true. */
  readonly cacheInInput?: boolean;
}

/** What came of a call. */
export interface GenerationResult {
  /** The answer, where it is one text. */
  readonly text?: string;
  /** The answer as messages, one for each choice. */
  readonly messages?: readonly ChatMessage[];
  readonly reasoning?: string;
  readonly finishReason?: string;
  readonly finishReasons?: readonly string[];
  readonly responseId?: string;
  readonly responseModel?: string;
  /** When the provider made the answer, in seconds since the epoch. */
  readonly createdAt?: number;
  readonly usage?: Usage;
  /** What the call cost, where the application knows. */
  readonly cost?: { readonly amount: number; readonly currency?: string };
  /** What the answer says went wrong: with it the generation ends as failed, as `fail` does with an error. */
  readonly error?: unknown;
  /** Counts where the application did not name the provider and the model's name does not tell it. */
  readonly provider?: string;
}

/** What a failure leaves behind besides its error. */
export interface FailInfo {
  /** What had come until then. */
  readonly result?: GenerationResult;
  /** Overrides the kind that is read from the error; low cardinality. */
  readonly errorType?: string;
}

/** One try of a generation before or while it is made. */
export interface AttemptInfo {
  /** Default: the generation's. */
  readonly model?: string;
  readonly provider?: string;
  /** Wait before this try. */
  readonly delayMillis?: number;
  /** Why it is made: retry, fallback … */
  readonly reason?: string;
}

/** One try that is over. */
export interface AttemptRecord extends AttemptInfo {
  readonly success: boolean;
  readonly durationMillis?: number;
  /** When it began, in milliseconds since the epoch; default `durationMillis` ago. */
  readonly startedAt?: number | Date;
  readonly httpStatus?: number;
  /** An error object or a message. */
  readonly error?: unknown;
}

/** A try under way; the first of its ends counts. */
export interface Attempt {
  /** 1 for the first. */
  readonly number: number;
  run<R>(work: () => R): R;
  succeed(end?: { readonly httpStatus?: number }): void;
  fail(error: unknown, end?: { readonly httpStatus?: number }): void;
}

/** The two ids of a record. Its text form is what an application stores. */
export interface GenerationRef {
  readonly traceId: string;
  readonly spanId: string;
  /** `traceId-spanId`. */
  toString(): string;
}

/** What reads an answer: a function of the application, or one of `read`. */
export type ResponseReader<T> = Reader | ((response: T) => GenerationResult | undefined);

/** Reads the answers of one provider, whole or chunk by chunk, by their structure. */
export interface Reader {
  response(response: unknown): GenerationResult;
  stream(): StreamReader;
}

/** Puts the chunks of one stream together. */
export interface StreamReader {
  chunk(chunk: unknown): void;
  /** What has come so far. */
  result(): GenerationResult;
}

/** One call of a model, from its start to its end. No method throws. */
export interface Generation extends Disposable {
  readonly ref: GenerationRef;
  /** Text of the reference, `traceId-spanId`: to be stored beside what was generated. */
  readonly id: string;
  /** What became of the record sent before the end: accepted, queued, dropped or off. Never rejects. */
  readonly recorded: Promise<RecordOutcome>;
  readonly ended: boolean;
  /** Runs `work` with this generation active, so that HTTP requests and spans made in it are its children. */
  run<R>(work: () => R): R;
  /** Makes one try and records it; what `work` throws is rethrown untouched. */
  attempt<R>(info: AttemptInfo, work: (attempt: Attempt) => R | Promise<R>): Promise<R>;
  startAttempt(info?: AttemptInfo): Attempt;
  /** Records a try that is over. */
  addAttempt(done: AttemptRecord): void;
  /**
   * The same chunks, read on their way; without `read` the known providers' are known by their structure. However the reading ends (to the end, `break`, an error, an abort), the generation ends with what had come.
   */
  stream<C>(source: AsyncIterable<C>, read?: Pick<Reader, "stream">): AsyncIterable<C>;
  /** The first piece of the answer came now, or at this time in milliseconds since the epoch. */
  firstToken(at?: number | Date): void;
  /** Of the four ends the first one counts. */
  succeed(result?: GenerationResult): void;
  fail(error: unknown, info?: FailInfo): void;
  timeout(error?: unknown, info?: FailInfo): void;
  cancel(reason?: string, info?: FailInfo): void;
  /** Ties it to a thing of the application's own; before or after the end. */
  link(entity: EntityRef): void;
  review(quality: Quality): void;
  annotate(metadata: Readonly<Record<string, unknown>>): void;
}

import { current } from "../core/current.ts";
import type { Parent } from "../core/recorder.ts";
import { safeText } from "../core/safe-json.ts";
import { readFailure } from "../generation/failure.ts";
import { known } from "../generation/shape.ts";
import type { ApiOptions } from "../rest/api-client.ts";
import { deleteAllImageTraces, deleteImageTrace, getImageTrace, type ImageTraceQuery, listImageTraces } from "./image-queries.ts";
import { type ImageRecord, startImageRecord } from "./image-record.ts";
import type { ImageAttemptInput, ImageRequest, ImageTrace, ImageTraceRequest, ImageTraceResponse } from "./image-trace.ts";
import { plainObject } from "./json-content.ts";

/** Options of {@link ImageTracer}. */
export interface ImageTracerOptions {
  /** What the id given to the tracer is the id of. Default `lesson`. */
  readonly entityType?: string;
  /** Under which record or span the trace is made; default the active one. */
  readonly parent?: Parent;
}

/** What {@link ImageTracer.attempt} is told of a try before it is made. */
export interface ImageAttemptStart {
  readonly model: string;
  readonly prompt: string;
  readonly provider?: string;
  readonly request?: ImageRequest;
}

/**
 * Traces one request for images: what was asked for, which models were tried in which order, what came of it. Nothing of it throws or rejects; only the static
 * methods, which ask the collector, may reject (with ApiError).
 *
 * ```ts
 * const tracer = new ImageTracer("lesson-123");
 * await tracer.startTrace({ numberOfImages: 1, prompts: [{ prompt: "A cat playing with yarn" }] });
 * const picture = await tracer.attempt({ model: "sdxl", prompt: "A cat playing with yarn" }, () => draw("sdxl"));
 * await tracer.completeTrace({ generatedImagesCount: 1, imageUrls: [await upload(picture)] });
 * ```
 */
export class ImageTracer implements AsyncDisposable {
  readonly #lessonId: string;
  readonly #options: ImageTracerOptions;
  #record: ImageRecord | undefined;

  /** `lessonId` is the id of the lesson, or of whatever `entityType` says, that the images are for. */
  constructor(lessonId: string, options: ImageTracerOptions = {}) {
    this.#lessonId = lessonId;
    this.#options = options;
  }

  /** Text that finds the record again (for `linkGeneration`, `reviewRecord`); undefined before `startTrace`. */
  get ref(): string | undefined {
    return this.#record?.open.refText;
  }

  /**
   * Begins the trace and returns its id. With `pending: "await"` it waits until the collector has the announcement. A trace that is still open fails as
   * abandoned.
   */
  async startTrace(request: ImageTraceRequest): Promise<string> {
    const now = current();
    const started = now.recorder.problems.guard("startTrace", () => this.#start(request), undefined);
    if (started === undefined) return "";
    if (now.settings.pending === "await") await started.open.announced();
    return started.id;
  }

  #start(request: ImageTraceRequest): ImageRecord {
    const now = current();
    this.#record?.fail(ABANDONED);
    const { lessonId, ...rest } = plainObject(request);
    const { entityType = "lesson", parent } = this.#options;
    const record = startImageRecord(
      { request: rest, entityType, entityId: safeText(lessonId ?? this.#lessonId) ?? "unknown", parent },
      now,
    );
    if (now.settings.pending !== "off") record.open.announce();
    this.#record = record;
    return record;
  }

  /** Tells of one try of a model that is over. Ignored before `startTrace` and after the end. */
  addImageGenerationAttempt(attempt: ImageAttemptInput): void {
    current().recorder.problems.guard("addImageGenerationAttempt", () => this.#record?.attempt(attempt), undefined);
  }

  /**
   * Makes one try and tells of it: how long it took, whether it failed, and what picture came of it where the result is one or `pictureOf` finds it. The
   * result, or the error, of `call` comes through unchanged.
   */
  async attempt<R>(
    attempt: ImageAttemptStart,
    call: () => R | Promise<R>,
    pictureOf: (result: R) => Uint8Array | undefined = bytesOf,
  ): Promise<R> {
    const { problems } = current().recorder;
    const startedAt = performance.now();
    const told = (outcome: Pick<ImageAttemptInput, "success" | "error" | "errorType" | "httpStatus" | "image">): void => {
      const duration_ms = performance.now() - startedAt;
      problems.guard("attempt", () => this.#record?.attempt({ ...attempt, ...outcome, duration_ms }), undefined);
    };
    const open = this.#record?.open;
    const made = async (): Promise<R> => call();
    try {
      const result = await (open === undefined ? made() : open.run(made));
      const image = problems.guard("finding the picture", () => pictureOf(result), undefined);
      told({ success: true, ...(image === undefined ? {} : { image }) });
      return result;
    } catch (error) {
      told({ success: false, error: messageOf(error), ...kindOf(error) });
      throw error;
    }
  }

  /** Ends the trace well. `modelUsed` is the model whose pictures were taken; default the last that succeeded. */
  async completeTrace(response: ImageTraceResponse, modelUsed?: string): Promise<void> {
    current().recorder.problems.guard("completeTrace", () => this.#record?.complete(response, modelUsed), undefined);
  }

  /** Ends the trace as failed. */
  async failTrace(error: string | Error): Promise<void> {
    current().recorder.problems.guard("failTrace", () => this.#record?.fail(messageOf(error)), undefined);
  }

  /** A trace that goes out of scope unfinished has failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.failTrace(ABANDONED);
  }

  /** Traces that the collector has, the newest first. */
  static list(query: ImageTraceQuery = {}, api: ApiOptions = {}): Promise<{ traces: ImageTrace[] }> {
    return listImageTraces(query, api);
  }

  /** One trace that the collector has, or null. */
  static get(id: string, api: ApiOptions = {}): Promise<ImageTrace | null> {
    return getImageTrace(id, api);
  }

  /** Deletes one trace; whether there was one. */
  static delete(id: string, api: ApiOptions = {}): Promise<boolean> {
    return deleteImageTrace(id, api);
  }

  /** Deletes all traces; how many there were. */
  static deleteAll(api: ApiOptions = {}): Promise<number> {
    return deleteAllImageTraces(api);
  }
}

const ABANDONED = "abandoned: the trace was neither completed nor failed";

const bytesOf = (result: unknown): Uint8Array | undefined => (result instanceof Uint8Array ? result : undefined);

/** What kind of error it was, as failed generations tell it. */
function kindOf(error: unknown): Pick<ImageAttemptInput, "errorType" | "httpStatus"> {
  const { content, recorder } = current();
  const failure = recorder.problems.guard("reading an error", () => readFailure(error, content), undefined);
  return known({ errorType: failure?.type, httpStatus: failure?.httpStatus });
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "unknown error";
  }
}

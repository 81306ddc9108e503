/** Where a request for images stands. */
export type ImageTraceStatus = "started" | "completed" | "failed";

/** One picture that is asked for. Further keys of the application's own are kept. */
export interface ImagePrompt {
  readonly prompt: string;
  readonly [key: string]: unknown;
}

/** What is asked for as a whole: kept as `request_data`. */
export interface ImageTraceRequest {
  /** The lesson, or other thing, that it is for; else the one that the tracer was made for. */
  readonly lessonId?: string;
  readonly numberOfImages?: number;
  readonly prompts?: readonly ImagePrompt[];
  readonly [key: string]: unknown;
}

/** What came of it: kept as `response_data`. */
export interface ImageTraceResponse {
  readonly generatedImagesCount?: number;
  readonly uploadedImagesCount?: number;
  readonly imageUrls?: readonly string[];
  readonly [key: string]: unknown;
}

/** What one model was asked. */
export interface ImageRequest {
  readonly prompt?: string;
  readonly model?: string;
  /** Parameters: negative_prompt, guidance_scale, size … */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** What one model answered. */
export interface ImageResponse {
  readonly success: boolean;
  /** Size of the picture in bytes. */
  readonly dataSize?: number;
  readonly error?: string;
  readonly [key: string]: unknown;
}

/** One try of a model, as the application tells it when the try is over. */
export interface ImageAttemptInput {
  readonly model: string;
  /** Exactly what was sent. */
  readonly prompt: string;
  readonly provider?: string;
  readonly request?: ImageRequest;
  readonly response?: ImageResponse;
  /** How long it took. Without it, it began when the try before it ended. */
  readonly duration_ms?: number;
  readonly success: boolean;
  readonly error?: string;
  /** What kind of error, in few different words: rate_limit, timeout … Default the HTTP status. */
  readonly errorType?: string;
  /** When it began, as an ISO 8601 time. */
  readonly timestamp?: string;
  /** HTTP status of the provider's answer. */
  readonly httpStatus?: number;
  /** The picture. Its size, type and SHA-256 are recorded, its bytes never. */
  readonly image?: Uint8Array;
}

/** One try of a model, as a trace keeps it. */
export interface ImageGenerationAttempt {
  readonly model: string;
  readonly prompt: string;
  readonly request: ImageRequest;
  readonly response?: ImageResponse;
  readonly duration_ms: number;
  readonly success: boolean;
  readonly error?: string;
  readonly timestamp: string;
}

/** A trace as the collector gives it. */
export interface ImageTrace {
  readonly id: string;
  readonly lesson_id: string;
  readonly request_data: unknown;
  readonly response_data?: unknown;
  readonly models_tried?: readonly string[];
  readonly model_used?: string;
  readonly total_duration_ms?: number;
  readonly image_generation_attempts: readonly ImageGenerationAttempt[];
  readonly error_message?: string;
  readonly status: ImageTraceStatus;
  readonly created_at: string;
  readonly completed_at?: string;
}

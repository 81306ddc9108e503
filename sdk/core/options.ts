import type { Instrumentation } from "@opentelemetry/instrumentation";
import type { SpanProcessor } from "@opentelemetry/sdk-trace";
import type { ContentPlace, ContentPolicy } from "./content-policy.ts";

/** Bounds of what the SDK keeps and sends. Sizes are in bytes of UTF-8. */
export interface TracingLimits {
  /** Bytes that wait to be sent, at most; above, the oldest content goes first, then the oldest records. Default 32 MiB. */
  readonly queueBytes: number;
  /** Records that wait to be sent, at most. Default 20,000. */
  readonly queueRecords: number;
  /** Bytes of one request, at most (one larger record goes alone). Default 768 KiB, so that writing it out never holds the event loop for long. */
  readonly exportBytes: number;
  /** Records of one request, at most. Default 64. */
  readonly exportRecords: number;
  /** Bytes of one attribute value, at most; a longer one is cut and marked. Default 4 MiB. */
  readonly attributeBytes: number;
  /** Attempts kept of one generation or image, at most. Default 100. */
  readonly attemptsPerRecord: number;
}

/** What went wrong inside the SDK. It never reaches the application in another way than through `onProblem` and `stats()`. */
export interface TracingProblem {
  /** What kind: export-failed, rejected, partial-success, content-dropped, records-dropped, internal-error, configuration. */
  readonly kind: ProblemKind;
  /** One sentence, without prompts, keys or addresses. */
  readonly message: string;
  /** How many of the same kind came since the last report of it, this one included. */
  readonly count: number;
}

/** The kinds of {@link TracingProblem}. */
export type ProblemKind =
  | "configuration"
  | "content-dropped"
  | "export-failed"
  | "internal-error"
  | "partial-success"
  | "records-dropped"
  | "rejected";

/** Another OTLP destination that gets everything too, over a queue of its own: its troubles delay nobody else. */
export interface ForwardTarget {
  /** Base URL; `/v1/traces` is appended. */
  readonly endpoint: string;
  readonly headers?: Headers;
  readonly protocol?: Protocol;
  readonly compression?: Compression;
}

/** Headers of each request, or a function that gives them anew for each (for tokens that expire). */
export type Headers = Readonly<Record<string, string>> | (() => Promise<Record<string, string>>);
/** How records are written: JSON costs less CPU here, protobuf about 7 % fewer bytes. */
export type Protocol = "http/json" | "http/protobuf";
/** Compression of requests. */
export type Compression = "gzip" | "none";
/**
 * When a record of a call that begins is sent before its end: `background` after a short delay and without waiting, `await` before the call goes
 * on, `off` never.
 */
export type PendingMode = "background" | "await" | "off";

/** Options of {@link startTracing}. All are optional; the standard `OTEL_*` variables fill what is not given. */
export interface TracingOptions {
  /** `service.name`. Else OTEL_SERVICE_NAME. */
  readonly serviceName?: string;
  /** `service.version`. */
  readonly serviceVersion?: string;
  /** `deployment.environment.name`. */
  readonly environment?: string;
  /** More attributes of the resource. */
  readonly resourceAttributes?: Readonly<Record<string, string | number | boolean>>;
  /** Base URL of the collector; `/v1/traces` is appended. Else OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT, else http://localhost:4318. */
  readonly endpoint?: string;
  /** Key of the collector, sent as `Authorization: Bearer`. Else GENSPAN_API_KEY. */
  readonly apiKey?: string;
  /** Headers of each request, over those of OTEL_EXPORTER_OTLP_[TRACES_]HEADERS. A function is called at the start, too, for a process that ends before its first request. */
  readonly headers?: Headers;
  /** Default http/json; else OTEL_EXPORTER_OTLP_[TRACES_]PROTOCOL. */
  readonly protocol?: Protocol;
  /** Default none; else OTEL_EXPORTER_OTLP_[TRACES_]COMPRESSION. */
  readonly compression?: Compression;
  /** How long one request may take. Default 10,000; else OTEL_EXPORTER_OTLP_[TRACES_]TIMEOUT. */
  readonly timeoutMillis?: number;
  /** What of prompts and answers is recorded; what makes no sense, null too, keeps all of it back. Default full; else OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT. */
  readonly content?: ContentPolicy;
  /** Sees each text before it is recorded and returns what to record instead. When it throws, the text is left out. */
  readonly redact?: (text: string, place: ContentPlace) => string;
  /** Default background. */
  readonly pending?: PendingMode;
  /** A call that ends sooner than this after its start is never announced. Default 50. */
  readonly pendingDelayMillis?: number;
  /** With `pending: "await"`: how long a call waits for its announcement at most. Default 2,000. */
  readonly pendingWaitMillis?: number;
  readonly limits?: Partial<TracingLimits>;
  /** More destinations. */
  readonly forward?: readonly ForwardTarget[];
  /** OpenTelemetry instrumentations to start with; only where no other OpenTelemetry set-up owns the process. */
  readonly instrumentations?: readonly (Instrumentation | Instrumentation[])[];
  /** More span processors for the spans of instrumentations; only where no other set-up owns the process. */
  readonly spanProcessors?: readonly SpanProcessor[];
  /** Whether what is queued is sent when the process ends (natural end, process.exit, SIGTERM, SIGINT, uncaught error). Default true. */
  readonly exitHooks?: boolean;
  /** How long the end of the process may be held up for that. Default 2,000. */
  readonly exitTimeoutMillis?: number;
  /** Told of problems, at most once a second for each kind. Without it they go to OpenTelemetry's diagnostic logger (OTEL_LOG_LEVEL). */
  readonly onProblem?: (problem: TracingProblem) => void;
}

export const DEFAULT_LIMITS: TracingLimits = {
  queueBytes: 32 * 1024 * 1024,
  queueRecords: 20_000,
  exportBytes: 768 * 1024,
  exportRecords: 64,
  attributeBytes: 4 * 1024 * 1024,
  attemptsPerRecord: 100,
};

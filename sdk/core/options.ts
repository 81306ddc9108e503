import { parseKeyPairsIntoRecord } from "@opentelemetry/core";
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
  /** Headers of each request, over those of OTEL_EXPORTER_OTLP_[TRACES_]HEADERS. */
  readonly headers?: Headers;
  /** Default http/json; else OTEL_EXPORTER_OTLP_[TRACES_]PROTOCOL. */
  readonly protocol?: Protocol;
  /** Default none; else OTEL_EXPORTER_OTLP_[TRACES_]COMPRESSION. */
  readonly compression?: Compression;
  /** How long one request may take. Default 10,000; else OTEL_EXPORTER_OTLP_[TRACES_]TIMEOUT. */
  readonly timeoutMillis?: number;
  /** What of prompts and answers is recorded. Default full; else OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT. */
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

/** Options with the environment and the defaults filled in. */
export interface Settings {
  readonly enabled: boolean;
  readonly target: Target;
  readonly forward: readonly Target[];
  readonly serviceName: string | undefined;
  readonly resourceAttributes: Readonly<Record<string, string | number | boolean>>;
  readonly content: ContentPolicy;
  readonly redact: ((text: string, place: ContentPlace) => string) | undefined;
  readonly pending: PendingMode;
  readonly pendingDelayMillis: number;
  readonly pendingWaitMillis: number;
  readonly exitHooks: boolean;
  readonly exitTimeoutMillis: number;
  readonly limits: TracingLimits;
}

/** Where records are sent. What is undefined, the exporter takes from the standard variables or its own defaults. */
export interface Target {
  readonly url: string;
  readonly headers: Headers;
  readonly protocol: Protocol;
  readonly compression: Compression | undefined;
  readonly timeoutMillis: number | undefined;
}

/** Variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_LIMITS: TracingLimits = {
  queueBytes: 32 * 1024 * 1024,
  queueRecords: 20_000,
  exportBytes: 768 * 1024,
  exportRecords: 64,
  attributeBytes: 4 * 1024 * 1024,
  attemptsPerRecord: 100,
};

/** Settings that make no sense; its message is one sentence without addresses or keys. */
export class SettingsError extends Error {}

/** Fills in the environment (by default the process's own) and the defaults. What makes no sense counts as not given. */
export function resolveOptions(options: TracingOptions = {}, environment: Environment = process.env): Settings {
  const variable: Variable = (name) => environment[name]?.trim() || undefined;
  const otlp = (name: string): string | undefined =>
    variable(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? variable(`OTEL_EXPORTER_OTLP_${name}`);
  return {
    enabled: variable("OTEL_SDK_DISABLED")?.toLowerCase() !== "true",
    target: {
      url: endpointUrl(options.endpoint, variable),
      headers: joinHeaders(headersFromEnvironment(options.apiKey, variable), options.headers),
      protocol: options.protocol ?? (otlp("PROTOCOL") === "http/protobuf" ? "http/protobuf" : "http/json"),
      compression: options.compression,
      timeoutMillis: positive(options.timeoutMillis),
    },
    forward: (options.forward ?? []).map(forwardTarget),
    serviceName: options.serviceName ?? variable("OTEL_SERVICE_NAME"),
    resourceAttributes: resourceAttributes(options),
    content: options.content ?? contentFromEnvironment(variable("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT")),
    redact: options.redact,
    pending: options.pending ?? "background",
    pendingDelayMillis: positive(options.pendingDelayMillis) ?? 50,
    pendingWaitMillis: positive(options.pendingWaitMillis) ?? 2_000,
    exitHooks: options.exitHooks ?? true,
    exitTimeoutMillis: positive(options.exitTimeoutMillis) ?? 2_000,
    limits: resolveLimits(options.limits, variable("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT")),
  };
}

const positive = (value: number | undefined): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined;

function resolveLimits(given: Partial<TracingLimits> = {}, valueLength: string | undefined): TracingLimits {
  const attributeBytes = positive(valueLength === undefined ? undefined : Number(valueLength));
  const valid = Object.entries(given).filter(([, value]) => positive(value) !== undefined);
  return { ...DEFAULT_LIMITS, ...(attributeBytes === undefined ? {} : { attributeBytes }), ...Object.fromEntries(valid) };
}

/** The URL of the traces signal under a base URL; one that is already that stays. */
export function tracesUrl(endpoint: string): string {
  const base = endpoint.replace(/\/+$/, "");
  return base.endsWith("/v1/traces") ? base : `${base}/v1/traces`;
}

type Variable = (name: string) => string | undefined;

/** The option, else the variable of the signal (taken as it is), else the general one, else the port on which collectors listen. */
function endpointUrl(endpoint: string | undefined, variable: Variable): string {
  if (endpoint !== undefined) return tracesUrl(endpoint);
  return (
    variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") ??
    `${(variable("OTEL_EXPORTER_OTLP_ENDPOINT") ?? "http://localhost:4318").replace(/\/+$/, "")}/v1/traces`
  );
}

function headersFromEnvironment(apiKey: string | undefined, variable: Variable): Record<string, string> {
  const key = apiKey ?? variable("GENSPAN_API_KEY");
  return {
    ...parseKeyPairsIntoRecord(variable("OTEL_EXPORTER_OTLP_HEADERS")),
    ...parseKeyPairsIntoRecord(variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS")),
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
}

function joinHeaders(base: Record<string, string>, headers: Headers | undefined): Headers {
  if (typeof headers !== "function") return { ...base, ...headers };
  return async () => ({ ...base, ...(await headers()) });
}

const forwardTarget = ({ endpoint, headers, protocol, compression }: ForwardTarget): Target => ({
  url: tracesUrl(endpoint),
  headers: headers ?? {},
  protocol: protocol ?? "http/json",
  compression,
  timeoutMillis: undefined,
});

function resourceAttributes({ serviceVersion, environment, resourceAttributes: more }: TracingOptions): Settings["resourceAttributes"] {
  return {
    ...(serviceVersion === undefined ? {} : { "service.version": serviceVersion }),
    ...(environment === undefined ? {} : { "deployment.environment.name": environment }),
    ...more,
  };
}

/** The variable is a boolean in most instrumentations, and says where content goes in newer ones. */
function contentFromEnvironment(value: string | undefined): ContentPolicy {
  if (value === undefined) return "full";
  return /^(true|1|yes|on|span_only|span_and_event)$/i.test(value) ? "full" : "metadata";
}

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";
import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode, suppressTracing } from "@opentelemetry/core";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { CompressionAlgorithm, type OTLPExporterError } from "@opentelemetry/otlp-exporter-base";
import { JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { isHeader } from "./option-reader.ts";
import { probe } from "./probe.ts";
import { nameOf } from "./problems.ts";
import { OwnSpan } from "./record.ts";
import { createRecordExporter } from "./record-exporter.ts";
import { createRecordWriter } from "./record-json.ts";
import type { Target } from "./settings.ts";
import { createPause } from "./waiting.ts";

/** How one request ended, by what has to follow from it. */
export type SendResult =
  | { readonly kind: "accepted"; readonly partial?: PartialSuccess }
  /** Try again; not before `afterMillis` where the collector said so. */
  | { readonly kind: "retry"; readonly afterMillis?: number; readonly reason: string }
  /** Send less at once. */
  | { readonly kind: "too-large" }
  /** Never to be tried again. */
  | { readonly kind: "refused"; readonly reason: string };

/** The collector stored the rest. */
export interface PartialSuccess {
  readonly rejectedSpans: number;
}

/** Sends spans to one destination through the official exporter. Never rejects. */
export interface Sender {
  send(spans: readonly ReadableSpan[]): Promise<SendResult>;
  /** The headers of the last request. Before the first, those of the target: made at the start where a function makes them, none until it has answered. */
  headers(): Readonly<Record<string, string>>;
  shutdown(): Promise<void>;
}

const HTTP_TOO_LARGE = 413;
const HTTP_REQUEST_TIMEOUT = 408;

/** `userAgent` is this sender's alone: by it the answers to its requests are known. */
export function createSender(target: Target, userAgent: string): Sender {
  let headers = typeof target.headers === "function" ? {} : target.headers;
  let requested = false;
  if (typeof target.headers === "function") void makeFirstHeaders(target.headers);
  const exporters = createExporters({ ...target, headers: async () => ({ ...headers }) }, userAgent);
  const serializer = target.protocol === "http/protobuf" ? ProtobufTraceSerializer : JsonTraceSerializer;
  const quiet = suppressTracing(ROOT_CONTEXT);

  /** A process that ends before its first request has no time to make them. */
  async function makeFirstHeaders(make: () => Promise<Record<string, string>>): Promise<void> {
    const made = await madeHeaders(make).catch(() => undefined);
    if (!requested && made !== undefined) headers = made;
  }

  let answered = false;
  async function request(spans: readonly ReadableSpan[]): Promise<SendResult> {
    let start: StartExport;
    try {
      if (typeof target.headers === "function") headers = await madeHeaders(target.headers);
      requested = true;
    } catch (error) {
      return { kind: "retry", reason: `the function that makes the headers failed (${nameOf(error)})` };
    }
    try {
      start = await exporters.prepare(spans);
    } catch {
      return unwritable(spans);
    }
    return new Promise((resolve) => {
      const answers = watchAnswers(userAgent);
      const done = (result: SendResult): void => {
        answered = answers.status() !== undefined;
        answers.stop();
        resolve(result);
      };
      try {
        context.with(quiet, () => start((result) => done(interpret(result, answers, serializer))));
      } catch {
        // Nothing was sent: the records could not be written out.
        done(unwritable(spans));
      }
    });
  }

  return {
    async send(spans) {
      const fault = answered ? undefined : await probe(target.url);
      return fault === undefined ? request(spans) : { kind: "retry", reason: unreachable(fault) };
    },
    headers: () => headers,
    shutdown: () => exporters.shutdown().catch(() => {}),
  };
}

/** How long an application may take for the headers of one request. */
const HEADERS_MS = 10_000;

/** What the application's function makes, as far as a request can carry it. One that never answers must not hold everything up for ever. */
async function madeHeaders(make: () => Promise<Record<string, string>>): Promise<Record<string, string>> {
  const late = createPause();
  const made = await Promise.race([make(), late.wait(HEADERS_MS, true).then(() => undefined)]);
  late.end();
  if (made === undefined) throw new RangeError("it did not answer in time");
  return Object.fromEntries(Object.entries(made).filter(([name, value]) => isHeader(name, value)));
}

const unwritable = (spans: readonly ReadableSpan[]): SendResult =>
  spans.length > 1 ? { kind: "too-large" } : { kind: "refused", reason: "a record could not be written out" };

/** Starts a request that is ready to leave. */
type StartExport = (done: (result: ExportResult) => void) => void;

interface Exporters {
  prepare(spans: readonly ReadableSpan[]): Promise<StartExport>;
  shutdown(): Promise<void>;
}

/** Requests with records of our own are written as JSON by ourselves, in slices; the official exporter takes those of other makers' spans alone, and protobuf. */
function createExporters({ url, headers, protocol, compression, timeoutMillis }: Target, userAgent: string): Exporters {
  const config = {
    userAgent,
    url,
    headers: typeof headers === "function" ? headers : { ...headers },
    ...(compression === undefined ? {} : { compression: compression === "gzip" ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE }),
    ...(timeoutMillis === undefined ? {} : { timeoutMillis }),
  };
  const isJson = protocol === "http/json";
  const official = isJson ? new JsonExporter(config) : new ProtobufExporter(config);
  const own = createRecordExporter(config);
  const writer = createRecordWriter();
  return {
    async prepare(spans) {
      const records = spans.filter((span) => span instanceof OwnSpan);
      if (!isJson || records.length === 0) return (done) => official.export([...spans], done);
      const others = records.length === spans.length ? [] : spans.filter((span) => !(span instanceof OwnSpan));
      const body = await writer.write(records, others);
      return (done) => own.export({ body, records: spans.length }, done);
    },
    async shutdown() {
      await Promise.all([official.shutdown(), own.shutdown()]);
    },
  };
}

/** The last answer to this sender's requests. */
interface Answers {
  readonly status: () => number | undefined;
  readonly retryAfter: () => string | undefined;
  readonly body: () => Uint8Array;
  stop(): void;
}

const ANSWERED = "http.client.response.finish";
const MAX_BODY_BYTES = 64 * 1024;

/** The exporter keeps Retry-After and partial_success to itself; Node's own diagnostics channel shows each answer. */
function watchAnswers(userAgent: string): Answers {
  let answer: IncomingMessage | undefined;
  let chunks: Buffer[] = [];
  const onAnswer = (message: unknown): void => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    if (!String(request.getHeader("user-agent")).startsWith(`${userAgent} `)) return;
    answer = response;
    chunks = [];
    let size = 0;
    response.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    });
  };
  subscribe(ANSWERED, onAnswer);
  return {
    status: () => answer?.statusCode,
    retryAfter: () => answer?.headers["retry-after"],
    body: () => Buffer.concat(chunks),
    stop: () => unsubscribe(ANSWERED, onAnswer),
  };
}

interface ResponseReader {
  deserializeResponse(body: Uint8Array): { partialSuccess?: { rejectedSpans?: unknown } };
}

function interpret({ code, error }: ExportResult, answers: Answers, reader: ResponseReader): SendResult {
  if (code === ExportResultCode.SUCCESS) {
    const partial = partialSuccess(answers.body(), reader);
    return partial === undefined ? { kind: "accepted" } : { kind: "accepted", partial };
  }
  const status = (error as Partial<OTLPExporterError> | undefined)?.code;
  if (typeof status === "number" && status !== HTTP_REQUEST_TIMEOUT) {
    return status === HTTP_TOO_LARGE ? { kind: "too-large" } : { kind: "refused", reason: `the collector answered ${status}` };
  }
  const answered = answers.status();
  const afterMillis = parseRetryAfter(answers.retryAfter(), Date.now());
  const reason =
    answered === undefined ? unreachable((error as { code?: unknown } | undefined)?.code) : `the collector answered ${answered}`;
  return afterMillis === undefined ? { kind: "retry", reason } : { kind: "retry", afterMillis, reason };
}

const unreachable = (code: unknown): string => `the collector could not be reached${typeof code === "string" ? ` (${code})` : ""}`;

function partialSuccess(body: Uint8Array, reader: ResponseReader): PartialSuccess | undefined {
  if (body.length === 0) return undefined;
  try {
    const rejected = Number(reader.deserializeResponse(body).partialSuccess?.rejectedSpans ?? 0);
    return rejected > 0 ? { rejectedSpans: rejected } : undefined;
  } catch {
    return undefined;
  }
}

/** An hour: a longer wait would be a mistake of the one who says it. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Retry-After as seconds or as a date (RFC 9110, 10.2.3), in milliseconds from `nowMillis`. */
export function parseRetryAfter(value: string | undefined, nowMillis: number): number | undefined {
  if (value === undefined || value.trim() === "") return undefined;
  const seconds = Number(value);
  const millis = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - nowMillis;
  return Number.isNaN(millis) ? undefined : Math.min(Math.max(0, millis), MAX_RETRY_AFTER_MS);
}

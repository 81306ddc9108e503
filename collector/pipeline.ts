import { sharedBuffers } from "./base/buffer-pool.ts";
import { YIELD_AFTER_MS } from "./base/limits.ts";
import type { Metrics } from "./base/metrics.ts";
import { accepted, type Outcome, partial, rejected, retryable } from "./base/outcome.ts";
import type { IncomingRequest, Signal } from "./base/signal.ts";
import type { WorkLimit } from "./base/work-limit.ts";
import type { PriceBook } from "./model/price.ts";
import { countItems } from "./otlp/count-items.ts";
import { DecodeError } from "./otlp/decode-error.ts";
import { transcodeJson, transcodeJsonInSteps } from "./otlp/decode-json.ts";
import type { LogView, SpanView } from "./otlp/span-view.ts";
import type { Redactor } from "./processors/redaction.ts";
import { createLogEncoder, type LogEncoder } from "./rows/encode-logs.ts";
import { createTraceEncoder, type TraceEncoder } from "./rows/encode-traces.ts";
import type { EncodedRequest, ItemRefusal, WriteResult } from "./rows/encoded-request.ts";
import { createRequestBuilder, type RequestBuilder } from "./rows/request-builder.ts";

/** The way of a request: decode → processors → dialects and rows → the exporter, which answers after COMMIT. */
export interface Pipeline {
  /** Never rejects: every end is an outcome. */
  consume(request: IncomingRequest): Promise<Outcome>;
}

/** An item by where its ids stand in the request. */
export type ErasableItem = Pick<SpanView & LogView, "arena" | "traceIdOffset" | "traceIdSize" | "spanIdOffset" | "spanIdSize">;

/** Changes a decoded item in place, before anything is made of it. */
export type SpanProcessor = (view: SpanView) => void;
export type LogProcessor = (view: LogView) => void;

export interface PipelineOptions {
  /** Writes rows durably; undefined for a signal without a pipeline. */
  readonly write: (request: EncodedRequest) => Promise<WriteResult>;
  /** Says no before any work is done on a request (memory limiter, stopping). */
  readonly admit: () => Outcome | undefined;
  /** Signals that have a pipeline; the others are answered truthfully and not stored. */
  readonly signals: ReadonlySet<Signal>;
  readonly spanProcessors: readonly SpanProcessor[];
  readonly logProcessors: readonly LogProcessor[];
  /** The prices by which a project's calls are charged; the shipped ones where nothing else is given. */
  readonly prices?: (projectId: number) => PriceBook;
  /** Makes what must not be stored unreadable, in the request's bytes: everything that is kept of it comes after. */
  readonly redact?: Redactor;
  /** Says which items of a project were erased for good: a late retry of one counts as a duplicate. Undefined where nothing was. */
  readonly erased?: (projectId: number) => ((item: ErasableItem) => boolean) | undefined;
  /** Told of every request whose rows are committed, before its answer. */
  readonly committed?: (request: EncodedRequest) => void;
  /** Bounds the requests between their decoding and their commit, by the bytes of their bodies; all may be at it at once where it is not given. */
  readonly work?: WorkLimit;
  readonly metrics: Metrics;
}

/** A refused item's reason appears in the answer for the first few only: the answer stays short whatever the request. */
const REASONS_IN_ANSWER = 3;

/** Encoders are reused: what they allocate grows to the largest request once. */
const MAX_IDLE_ENCODERS = 8;

/** What both encoders offer to the loop below. */
type ItemEncoder = Pick<TraceEncoder | LogEncoder, "notes" | "open" | "next" | "encode"> & { readonly view: ErasableItem };

export function createPipeline(options: PipelineOptions): Pipeline {
  const { metrics, work } = options;
  const counts = { traces: itemCounts(metrics, "traces"), logs: itemCounts(metrics, "logs"), metrics: itemCounts(metrics, "metrics") };
  const traces = createPool(() => {
    const encoder = createTraceEncoder(options.prices);
    return {
      encoder: encoder as ItemEncoder,
      process: () => {
        for (const change of options.spanProcessors) change(encoder.view);
      },
    };
  });
  const logs = createPool(() => {
    const encoder = createLogEncoder(options.prices);
    return {
      encoder: encoder as ItemEncoder,
      process: () => {
        for (const change of options.logProcessors) change(encoder.view);
      },
    };
  });

  async function encode(request: IncomingRequest, raw: Buffer): Promise<EncodedRequest> {
    const { signal, projectId, receivedAtMs } = request;
    const builder = createRequestBuilder({ signal, projectId, raw, receivedAtMs });
    const pool = signal === "logs" ? logs : traces;
    const worker = pool.take();
    try {
      await encodeItems(worker, builder, options.erased?.(projectId));
      countMended(worker.encoder, metrics);
      return builder.finish();
    } finally {
      pool.giveBack(worker);
    }
  }

  async function consumeNow(request: IncomingRequest): Promise<Outcome> {
    try {
      const raw = request.encoding === "json" ? await toProtobuf(request) : request.body;
      if (!options.signals.has(request.signal)) return withoutPipeline(request.signal, raw, metrics);
      const unsafe = await redact(options, raw, request.signal);
      if (unsafe !== undefined) return unsafe;
      const encoded = await encode(request, raw);
      const count = counts[request.signal];
      count.received.inc(encoded.received);
      if (encoded.received === 0) return accepted();
      const result = await options.write(encoded).catch((error: unknown) => {
        count.refused.inc(encoded.received);
        throw error;
      });
      if (result.kind === "committed") options.committed?.(encoded);
      return answer(encoded, result, { metrics, count });
    } catch (error) {
      if (error instanceof DecodeError) return rejected("undecodable", error.message);
      throw error;
    }
  }

  return {
    async consume(request) {
      const refusal = options.admit();
      if (refusal !== undefined || work === undefined) return refusal ?? consumeNow(request);
      const bytes = request.body.length;
      if (!work.take(bytes) && !(await work.wait(bytes))) return retryable("overload", "too much data is being worked on; send it again");
      try {
        return await consumeNow(request);
      } finally {
        work.give(bytes);
      }
    },
  };
}

/** Nothing is stored of a request that could not be looked through. */
async function redact({ redact, metrics }: PipelineOptions, raw: Buffer, signal: Signal): Promise<Outcome | undefined> {
  if (redact === undefined) return undefined;
  try {
    const counts = raw.length <= REDACTED_AT_ONCE_BYTES ? redact(raw, signal) : await inTurns(redact.inSteps(raw, signal), YIELD_AFTER_MS);
    for (const [kind, count] of counts) metrics.sanitized.inc({ reason: `redacted_${kind}` }, count);
    return undefined;
  } catch {
    return retryable("internal", "the data could not be looked through for secrets, and is not stored");
  }
}

/** Larger bodies are looked through with pauses: what is made to be slow takes a microsecond for each byte. */
const REDACTED_AT_ONCE_BYTES = 16 * 1024;

/** JSON bodies above it are read in steps: a few milliseconds each, so that one large body does not keep everybody waiting. */
const JSON_AT_ONCE_BYTES = 2 * 1024 * 1024;

async function toProtobuf({ body, signal }: IncomingRequest): Promise<Buffer> {
  const raw = body.length <= JSON_AT_ONCE_BYTES ? transcodeJson(body, signal) : await inTurns(transcodeJsonInSteps(body, signal));
  sharedBuffers.give(body);
  return raw;
}

/** Does work that is cut into steps, and gives way to other requests after each, or when `afterMillis` have passed. */
async function inTurns<T>(steps: Generator<unknown, T>, afterMillis = 0): Promise<T> {
  for (let since = performance.now(); ; ) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - since < afterMillis) continue;
    await turn();
    since = performance.now();
  }
}

/** Lets other requests be served. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface ItemWorker {
  readonly encoder: ItemEncoder;
  readonly process: () => void;
}

/** Encodes item by item and gives way to other requests every few milliseconds. */
async function encodeItems(
  { encoder, process }: ItemWorker,
  builder: RequestBuilder,
  erased: ((item: ErasableItem) => boolean) | undefined,
): Promise<void> {
  encoder.open(builder);
  let since = performance.now();
  for (let i = 1, step = encoder.next(); step !== "end"; i++, step = encoder.next()) {
    if (step === "item" && erased?.(encoder.view) !== true) {
      process();
      encoder.encode();
    }
    if ((step === "pause" || i % 32 === 0) && performance.now() - since > YIELD_AFTER_MS) {
      await turn();
      since = performance.now();
    }
  }
}

function countMended(encoder: ItemEncoder, metrics: Metrics): void {
  for (const [reason, count] of encoder.notes.counts) metrics.sanitized.inc({ reason }, count);
  encoder.notes.counts.clear();
}

/** The series of one signal that every request counts in, looked up once: their labels would be hashed for each request otherwise. */
const itemCounts = ({ received, items }: Metrics, signal: Signal) => ({
  received: received.series({ signal }),
  stored: items.series({ signal, outcome: "stored" }),
  duplicate: items.series({ signal, outcome: "duplicate" }),
  rejected: items.series({ signal, outcome: "rejected" }),
  refused: items.series({ signal, outcome: "refused" }),
});

interface Counting {
  readonly metrics: Metrics;
  readonly count: ReturnType<typeof itemCounts>;
}

/** Counts what became of the items and says it in the protocol's terms. */
function answer(encoded: EncodedRequest, result: WriteResult, { metrics, count }: Counting): Outcome {
  const { signal } = encoded;
  if (result.kind === "failed") {
    count.refused.inc(encoded.received);
    return retryable(result.reason, result.message);
  }
  count.stored.inc(result.stored);
  count.duplicate.inc(result.duplicates);
  count.rejected.inc(result.refused.length);
  const malformed = encoded.refusedItems.length;
  if (malformed > 0) metrics.rejectedItems.inc({ signal, reason: "malformed" }, malformed);
  if (result.refused.length > malformed) metrics.rejectedItems.inc({ signal, reason: "database" }, result.refused.length - malformed);
  if (result.conflicting > 0) metrics.conflicting.inc({ signal }, result.conflicting);
  if (result.refused.length === 0) return accepted();
  return partial(result.refused.length, refusalMessage(signal, result.refused));
}

function refusalMessage(signal: Signal, refused: readonly ItemRefusal[]): string {
  const reasons = [...new Set(refused.map((refusal) => refusal.reason))];
  const shown = reasons.slice(0, REASONS_IN_ANSWER).join("; ");
  const more = reasons.length > REASONS_IN_ANSWER ? `; and ${reasons.length - REASONS_IN_ANSWER} other reasons` : "";
  const items = signal === "traces" ? "spans" : "log records";
  return `${refused.length} ${items} refused: ${shown}${more}. They are kept in table ingest_rejected.`;
}

/** A signal that no pipeline takes is refused in the open: partial success, so that the sender does not send it again. */
function withoutPipeline(signal: Signal, raw: Buffer, metrics: Metrics): Outcome {
  const count = countItems(raw, signal);
  if (count === 0) return accepted();
  metrics.received.inc({ signal }, count);
  metrics.items.inc({ signal, outcome: "rejected" }, count);
  metrics.rejectedItems.inc({ signal, reason: "no_pipeline" }, count);
  const advice = signal === "metrics" ? "genspan has no use for them" : `or add a ${signal} pipeline to the configuration`;
  return partial(count, `no pipeline takes ${signal}: they are not stored; turn their export off, ${advice}`);
}

function createPool<T>(create: () => T) {
  const idle: T[] = [];
  return {
    take: (): T => idle.pop() ?? create(),
    giveBack(item: T): void {
      if (idle.length < MAX_IDLE_ENCODERS) idle.push(item);
    },
  };
}

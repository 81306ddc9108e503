import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { retryable } from "../base/outcome.ts";
import type { WorkLimit } from "../base/work-limit.ts";
import type { Config, Pipeline as PipelineConfig } from "../config/index.ts";
import { factsIn, hasContentBody, isContentName, mayBeContent } from "../dialects/content-names.ts";
import { createDebugExporter } from "../exporters/debug.ts";
import type { PostgresExporter } from "../exporters/postgres/index.ts";
import type { PriceBooks } from "../jobs/price-books.ts";
import type { Tombstones } from "../jobs/tombstones.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { createPipeline, type Pipeline } from "../pipeline.ts";
import { createAttributesProcessor } from "../processors/attributes.ts";
import { createContentRemover } from "../processors/content-removal.ts";
import { createGenaiMapping } from "../processors/genai-mapping.ts";
import { createMemoryLimiter, type MemoryLimiter } from "../processors/memory-limiter.ts";
import { createRedactor, type RedactionOptions, type Redactor, steppedRedactor } from "../processors/redaction.ts";
import type { Refiner } from "../refinement/index.ts";
import type { EncodedRequest, WriteResult } from "../rows/encoded-request.ts";
import { mappedAttribute } from "./mapped-attribute.ts";

export interface PipelineInput {
  readonly config: Config;
  readonly exporter: PostgresExporter;
  readonly refiner: Refiner;
  readonly prices: PriceBooks;
  /** What was erased for good. */
  readonly tombstones?: Tombstones;
  /** Told of every request whose rows are committed. */
  readonly onCommitted?: (projectId: number) => void;
  /** One for all pipelines. */
  readonly work?: WorkLimit;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly isStopping: () => boolean;
  readonly started: AsyncDisposableStack;
}

type Signal = PipelineConfig["signal"];

/** What a pipeline without a redaction processor of its own does: credentials are not stored. */
const redactSecrets = createRedactor({ secrets: true, pii: [], patterns: [] });

/** The pipeline of all signals that a receiver feeds; undefined for a receiver that no pipeline uses. */
export function pipelineOf(receiverId: string, input: PipelineInput): Pipeline | undefined {
  const { config, metrics } = input;
  const fed = [...config.service.pipelines.values()].filter((pipeline) => pipeline.receivers.includes(receiverId));
  if (fed.length === 0) return undefined;
  const bySignal = new Map(fed.map((pipeline) => [pipeline.signal, pipeline]));
  const limiters = limitersOf(fed, input);
  const writers = new Map(fed.map((pipeline) => [pipeline.signal as string, writerOf(pipeline, input)]));
  const redactors = new Map(fed.map((pipeline) => [pipeline.signal as string, redactorOf(pipeline, config)]));
  const changesOf = (signal: Signal) => itemChanges(bySignal.get(signal), config);
  return createPipeline({
    admit: () => {
      if (input.isStopping()) return retryable("stopping", "the collector is stopping; send the data again");
      return limiters.map((limiter) => limiter.refuse()).find((refusal) => refusal !== undefined);
    },
    signals: new Set(bySignal.keys()),
    spanProcessors: changesOf("traces"),
    logProcessors: changesOf("logs"),
    redact: steppedRedactor((bytes, signal) => (redactors.get(signal) ?? redactSecrets).inSteps(bytes, signal)),
    prices: (projectId) => input.prices.of(projectId),
    erased: (projectId) => input.tombstones?.of(projectId),
    committed({ projectId, traces }) {
      input.refiner.note(projectId, traces);
      if (traces.length > 0) input.onCommitted?.(projectId);
    },
    ...(input.work === undefined ? {} : { work: input.work }),
    write: (request) => (writers.get(request.signal) ?? withoutDatabase)(request),
    metrics,
  });
}

/** What the configuration does to spans before they are read: redaction in the bytes of a body, then changes span by span. Of its first pipeline of traces. */
export function tracesBeforeReading(config: Config): { readonly redact: Redactor; readonly change: (view: SpanView) => void } {
  const pipeline = [...config.service.pipelines.values()].find(({ signal }) => signal === "traces");
  const changes = itemChanges(pipeline, config);
  return {
    redact: pipeline === undefined ? redactSecrets : redactorOf(pipeline, config),
    change(view) {
      for (const change of changes) change(view);
    },
  };
}

function limitersOf(pipelines: readonly PipelineConfig[], { config, started }: PipelineInput): MemoryLimiter[] {
  const ids = new Set(pipelines.flatMap((pipeline) => pipeline.processors));
  return [...ids].flatMap((id) => {
    const processor = config.processors.get(id);
    if (processor?.type !== "memory_limiter") return [];
    const limiter = createMemoryLimiter(processor.options);
    started.defer(() => limiter.stop());
    return [limiter];
  });
}

/** The pipeline's redaction processors, one after the other. */
function redactorOf(pipeline: PipelineConfig, config: Config): Redactor {
  const redactors = pipeline.processors.flatMap((id) => {
    const processor = config.processors.get(id);
    return processor?.type === "redaction" ? redactorsOf(processor.options, mappedContent(pipeline, config)) : [];
  });
  if (redactors.length === 0) return redactSecrets;
  return steppedRedactor(function* (bytes, signal) {
    const counts = new Map<string, number>();
    for (const { inSteps } of redactors)
      for (const [kind, count] of yield* inSteps(bytes, signal)) counts.set(kind, (counts.get(kind) ?? 0) + count);
    return counts;
  });
}

/** Where a house dialect keeps content, as the pipeline's own mapping says. */
function mappedContent(pipeline: PipelineConfig, config: Config): ReadonlySet<string> {
  const rules = pipeline.processors.flatMap((id) => {
    const processor = config.processors.get(id);
    return processor?.type === "genai_mapping" ? processor.options.rules : [];
  });
  return new Set(
    rules.filter(({ concept }) => concept !== undefined && isContentName(mappedAttribute(concept))).map(({ attribute }) => attribute),
  );
}

/** Content goes first: what is not there need not be looked through. */
function redactorsOf(options: RedactionOptions & { readonly capture_content: boolean }, mapped: ReadonlySet<string>): Redactor[] {
  const redact = createRedactor(options);
  if (options.capture_content) return [redact];
  const isContent: typeof isContentName = (name, event) => mapped.has(name) || isContentName(name, event);
  const facts: typeof factsIn = (name, text) => (mapped.has(name) ? undefined : factsIn(name, text));
  const names = { isContentName: isContent, hasContentBody, mayBeContent, factsIn: facts };
  const remove = createContentRemover(names, options.allow ?? []);
  const removeContent = steppedRedactor(function* (bytes, signal) {
    return new Map([["content", yield* remove(bytes, signal)]]);
  });
  return [removeContent, redact];
}

/** What changes the items of a pipeline, in the order of the configuration. */
function itemChanges(pipeline: PipelineConfig | undefined, config: Config) {
  return (pipeline?.processors ?? []).flatMap((id) => {
    const processor = config.processors.get(id);
    if (processor?.type === "attributes") return [createAttributesProcessor(processor.options)];
    return processor?.type === "genai_mapping" ? [createGenaiMapping(processor.options.rules, mappedAttribute)] : [];
  });
}

type Write = (request: EncodedRequest) => Promise<WriteResult>;

/** Hands a request to the pipeline's exporters: the database answers, debug only watches. */
function writerOf(pipeline: PipelineConfig, { config, exporter, log }: PipelineInput): Write {
  const exporters = pipeline.exporters.flatMap((id) => config.exporters.get(id) ?? []);
  const watch = exporters.flatMap((each) => (each.type === "debug" ? [createDebugExporter(each.options, log)] : []));
  const write: Write = exporters.some((each) => each.type === "postgres") ? (request) => exporter.write(request) : withoutDatabase;
  return (request) => {
    for (const show of watch) show(request);
    return write(request);
  };
}

/** What only passes through counts as stored. */
const withoutDatabase: Write = (request) => {
  const stored = request.received - request.refusedItems.length;
  return Promise.resolve({ kind: "committed", stored, duplicates: 0, conflicting: 0, refused: request.refusedItems });
};

/**
 * Records generations, attempts, images and runs of an application as OpenTelemetry spans. `startTracing()` comes first, once; after that everything else works from
 * anywhere in the process.
 *
 * @packageDocumentation
 */
export type { ContentKinds, ContentPlace, ContentPolicy } from "./core/content-policy.ts";
export type { FlushResult } from "./core/delivery.ts";
export type {
  Compression,
  ForwardTarget,
  Headers,
  PendingMode,
  ProblemKind,
  Protocol,
  TracingLimits,
  TracingOptions,
  TracingProblem,
} from "./core/options.ts";
export type { RecordRef } from "./core/record.ts";
export type { Parent, RecordOutcome } from "./core/recorder.ts";
export { type FlushOptions, spanProcessor, startTracing, type Tracing, type TracingStats } from "./core/tracing.ts";
export { generate } from "./generation/generate.ts";
export { startGeneration } from "./generation/generation.ts";
export { annotateGeneration, linkGeneration, type RefLike, reviewRecord } from "./generation/references.ts";
export type {
  Attempt,
  AttemptInfo,
  AttemptRecord,
  ChatMessage,
  EntityRef,
  FailInfo,
  GenAiOperation,
  Generation,
  GenerationRef,
  GenerationResult,
  GenerationStart,
  JsonValue,
  ModelParams,
  PromptInfo,
  Quality,
  Reader,
  ResponseReader,
  StreamReader,
  Usage,
} from "./generation/types.ts";
export type { ImageTraceQuery } from "./images/image-queries.ts";
export type {
  ImageAttemptInput,
  ImageGenerationAttempt,
  ImagePrompt,
  ImageRequest,
  ImageResponse,
  ImageTrace,
  ImageTraceRequest,
  ImageTraceResponse,
  ImageTraceStatus,
} from "./images/image-trace.ts";
export { type ImageAttemptStart, ImageTracer, type ImageTracerOptions } from "./images/image-tracer.ts";
export { type GenerationTrace, type ItemGenerationStart, type ItemStart, startItem, startProblemTrace } from "./items/item.ts";
export type { ProblemGenerationTrace, SentenceGenerationTrace } from "./items/problem-trace.ts";
export { read } from "./readers/index.ts";
export { ApiError, type ApiOptions } from "./rest/api-client.ts";
export type { GenerationRun, RunEnd } from "./runs/generation-run.ts";
export type { RunMetadata } from "./runs/otlp-channel.ts";
export type { ReportedSummary } from "./runs/reported-summary.ts";
export type { ReportOutcome } from "./runs/run-record.ts";
export { type RunConfig, RunReporter, type RunReporterOptions, type RunReporting, type RunStart } from "./runs/run-reporter.ts";
export type { ErrorSummary, ProviderMetrics, RunStatus, RunSummary } from "./runs/run-summary.ts";
export type { Evaluation, GeneratedItems, RunError } from "./runs/run-tally.ts";

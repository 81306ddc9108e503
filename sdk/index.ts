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
export { read } from "./readers/index.ts";

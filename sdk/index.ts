/** Records generations, attempts, images and runs of an application as OpenTelemetry spans. */
export type { ContentKinds, ContentPlace, ContentPolicy } from "./core/content-policy.ts";
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
export type { Parent, RecordOutcome } from "./core/recorder.ts";

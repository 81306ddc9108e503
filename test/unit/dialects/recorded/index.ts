import { ANTHROPIC_NATIVE } from "./anthropic.ts";
import type { ClientCases } from "./client-cases.ts";
import { OPENINFERENCE_LONG, OPENINFERENCE_OPENAI } from "./openinference.ts";
import { OPENINFERENCE_ANTHROPIC } from "./openinference-anthropic.ts";
import { AUTO_INSTRUMENTATIONS, OTEL_OPENAI, OTEL_OPENAI_NO_CONTENT } from "./otel-openai.ts";
import { LOGFIRE, NODE_SDK } from "./others.ts";
import { TRACELOOP } from "./traceloop.ts";
import { VERCEL_CUT, VERCEL_GRPC, VERCEL_GZIP, VERCEL_LEGACY, VERCEL_OTEL } from "./vercel.ts";

/** Every folder of recordings, in the order in which docs/dialects.md shows them. */
export const RECORDED: readonly ClientCases[] = [
  OTEL_OPENAI,
  OTEL_OPENAI_NO_CONTENT,
  AUTO_INSTRUMENTATIONS,
  ANTHROPIC_NATIVE,
  OPENINFERENCE_OPENAI,
  OPENINFERENCE_LONG,
  OPENINFERENCE_ANTHROPIC,
  TRACELOOP,
  VERCEL_LEGACY,
  VERCEL_OTEL,
  VERCEL_GZIP,
  VERCEL_GRPC,
  VERCEL_CUT,
  LOGFIRE,
  NODE_SDK,
];

import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import type { Resource } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, type LogRecordProcessor } from "@opentelemetry/sdk-logs";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { SpanProcessor } from "@opentelemetry/sdk-trace";
import type { Environment, Settings } from "./settings.ts";

export interface NodeSdkParts {
  readonly settings: Settings;
  readonly resource: Resource;
  /** Takes the finished spans. */
  readonly processor: SpanProcessor;
}

/**
 * OpenTelemetry's own set-up for a process that has none: context, propagation and sampling as the OTEL_* variables say, every span through `processor`.
 * Logs are sent beside them where instrumentations are given, because some put prompts there; metrics only where OTEL_METRICS_EXPORTER asks for them.
 */
export function createNodeSdk({ settings, resource, processor }: NodeSdkParts, environment: Environment = process.env): NodeSDK {
  const logRecordProcessors = logProcessors(settings, environment);
  return new NodeSDK({
    resource,
    autoDetectResources: false,
    spanProcessors: [processor, ...settings.spanProcessors],
    ...(limitsAttributes(environment) ? {} : { spanLimits: { attributeCountLimit: ATTRIBUTES } }),
    instrumentations: [...settings.instrumentations],
    ...(logRecordProcessors === undefined ? {} : { logRecordProcessors }),
    ...(environment["OTEL_METRICS_EXPORTER"] === undefined ? { metricReaders: [] } : {}),
  });
}

/** By default a span has 128 attributes and drops the rest: with some instrumentations the answer of a longer conversation. */
const ATTRIBUTES = 4_096;

const limitsAttributes = (environment: Environment): boolean =>
  environment["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"] !== undefined || environment["OTEL_ATTRIBUTE_COUNT_LIMIT"] !== undefined;

/** Undefined leaves it to the OTEL_LOGS_* variables. */
function logProcessors({ instrumentations, target }: Settings, environment: Environment): LogRecordProcessor[] | undefined {
  if (environment["OTEL_LOGS_EXPORTER"] !== undefined) return undefined;
  if (instrumentations.length === 0 || target === undefined || !target.url.endsWith("/v1/traces")) return [];
  const { headers } = target;
  const exporter = new OTLPLogExporter({
    url: target.url.replace(/traces$/, "logs"),
    headers: typeof headers === "function" ? headers : { ...headers },
  });
  return [new BatchLogRecordProcessor({ exporter })];
}

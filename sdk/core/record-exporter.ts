import type { ExportResult } from "@opentelemetry/core";
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from "@opentelemetry/otlp-exporter-base/node-http";
import { type ISerializer, JsonTraceSerializer } from "@opentelemetry/otlp-transformer";

/** One request whose body is written already. */
interface WrittenRequest {
  readonly body: Uint8Array;
  readonly records: number;
}

/** Sends bodies of OTLP/JSON. */
export interface RecordExporter {
  export(request: WrittenRequest, done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
}

const AS_IT_IS: ISerializer<WrittenRequest, ReturnType<typeof JsonTraceSerializer.deserializeResponse>> = {
  serializeRequest: ({ body }) => body,
  deserializeResponse: (body) => JsonTraceSerializer.deserializeResponse(body),
};

const COUNTED = { name: "span", countItems: ({ records }: WrittenRequest) => records } as const;

/** Put together as `OTLPTraceExporter` of exporter-trace-otlp-http is, out of the same parts: variables, headers, retries and connections are the official exporter's. */
export const createRecordExporter = (config: Parameters<typeof convertLegacyHttpOptions>[0]): RecordExporter =>
  createOtlpHttpExportDelegate(
    convertLegacyHttpOptions(config, "TRACES", "v1/traces", { "Content-Type": "application/json" }),
    AS_IT_IS,
    "otlp_http_span_exporter",
    COUNTED,
    undefined,
  );

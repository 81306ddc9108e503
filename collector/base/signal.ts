/** The three OTLP signals, by the names the Collector's configuration uses. */
export type Signal = "traces" | "logs" | "metrics";

/** The two encodings of OTLP/HTTP; gRPC bodies are protobuf. */
export type Encoding = "protobuf" | "json";

/** One export request as a receiver hands it on: inflated, within the size limit, from an authenticated sender. */
export interface IncomingRequest {
  readonly signal: Signal;
  readonly encoding: Encoding;
  /** Belongs to the next step, which gives its memory back to the buffer pool when it has read it for the last time. */
  readonly body: Buffer;
  readonly projectId: number;
  /** When the last byte came in, in milliseconds since 1970. */
  readonly receivedAtMs: number;
}

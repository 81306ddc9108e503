import { Server, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import type { Authenticate } from "../base/authenticate.ts";
import { REQUEST_DEADLINE_MS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { type Outcome, retryable } from "../base/outcome.ts";
import type { IncomingRequest, Signal } from "../base/signal.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { exportResponse } from "./export-response.ts";
import { type AdmittedCall, createAdmission } from "./grpc-admission.ts";
import { grpcServerOptions } from "./grpc-server.ts";
import { statusOf } from "./grpc-status.ts";
import { type RequestCounts, requestCounts } from "./request-counts.ts";

export interface OtlpGrpcOptions {
  /** The next step; its outcome is the answer. */
  readonly consume: (request: IncomingRequest) => Promise<Outcome>;
  readonly authenticate: Authenticate;
  /** Bytes of a message, before and after inflating. */
  readonly maxMessageBytes: number;
  /** For the bytes of all messages that are being read or consumed; shared with other receivers. */
  readonly budget: ByteBudget;
  readonly metrics: Metrics;
  readonly log: Log;
  /** From the headers to the answer, whatever happens. */
  readonly deadlineMillis?: number;
}

/** The unary methods of OTLP/gRPC (otlp-rules G1). */
const PATHS: Readonly<Record<Signal, string>> = {
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
};
const SIGNALS = Object.entries(PATHS) as [Signal, string][];

/** Messages stay bytes: the pipeline has a reader of its own. */
const asBytes = (message: Buffer): Buffer => message;

/**
 * OTLP/gRPC (otlp-rules G1–G8): the same pipeline and the same outcomes as OTLP/HTTP. Framing, gzip and deflate, the limit on
 * messages and deadlines of clients are grpc-js's. Give it to listenGrpc.
 */
export function createOtlpGrpcReceiver(options: OtlpGrpcOptions): Server {
  const countsAt = new Map(SIGNALS.map(([signal, path]) => [path, requestCounts(options.metrics, "grpc", signal)]));
  const elsewhere = requestCounts(options.metrics, "grpc", "");
  const admission = createAdmission({
    authenticate: options.authenticate,
    budget: options.budget,
    deadlineMillis: options.deadlineMillis ?? REQUEST_DEADLINE_MS,
    onEnd({ path, status, seconds }) {
      const counts = countsAt.get(path) ?? elsewhere;
      counts.answered(status);
      counts.took(seconds);
    },
  });
  const server = new Server({ ...grpcServerOptions(options.maxMessageBytes), interceptors: [admission.interceptor] });
  for (const [signal, path] of SIGNALS) {
    const counts = countsAt.get(path) ?? elsewhere;
    const handle = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void => {
      const admitted = admission.callOf(call.metadata);
      void outcomeOf({ signal, message: call.request, admitted, counts }, options).then((outcome) => send(outcome, signal, answer));
    };
    server.register(path, handle, asBytes, asBytes, "unary");
  }
  return server;
}

interface Exchange {
  readonly signal: Signal;
  readonly message: Buffer;
  readonly admitted: AdmittedCall;
  readonly counts: RequestCounts;
}

/** Never rejects: a failure inside is one that the sender may repeat. */
async function outcomeOf({ signal, message, admitted, counts }: Exchange, { consume, log }: OtlpGrpcOptions): Promise<Outcome> {
  const { projectId, bytes } = admitted;
  const hasRoom = bytes.handOn(message.length);
  counts.wireBytes(bytes.received);
  counts.inflatedBytes(message.length);
  try {
    if (!hasRoom) return retryable("overload", "too many requests are being read; send the data again");
    return await consume({ signal, encoding: "protobuf", body: message, projectId, receivedAtMs: Date.now() });
  } catch (error) {
    log.error({ error: error instanceof Error ? error.name : "unknown" }, "a request failed inside the collector");
    return retryable("internal", "the collector failed on this request; send it again");
  } finally {
    bytes.done();
  }
}

function send(outcome: Outcome, signal: Signal, answer: sendUnaryData<Buffer>): void {
  if (outcome.kind === "accepted" || outcome.kind === "partial") answer(null, exportResponse(outcome, signal, "protobuf"));
  else answer(statusOf(outcome));
}

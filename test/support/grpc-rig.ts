import type { Authentication } from "../../collector/base/authenticate.ts";
import { createLog } from "../../collector/base/log.ts";
import { createMetrics, type Metrics } from "../../collector/base/metrics.ts";
import { accepted, type Outcome } from "../../collector/base/outcome.ts";
import type { IncomingRequest } from "../../collector/base/signal.ts";
import { type ByteBudget, createByteBudget } from "../../collector/receivers/byte-budget.ts";
import { listenGrpc } from "../../collector/receivers/grpc-server.ts";
import type { Listening } from "../../collector/receivers/http-server.ts";
import { createOtlpGrpcReceiver, type OtlpGrpcOptions } from "../../collector/receivers/otlp-grpc.ts";

export const MAX_MESSAGE_BYTES = 200_000;

/** A gRPC receiver on a port of its own, in front of a pipeline that a test decides about. */
export interface GrpcRig extends Listening {
  readonly seen: readonly IncomingRequest[];
  readonly budget: ByteBudget;
  readonly metrics: Metrics;
}

export async function startGrpcRig(
  outcome: Outcome | (() => Promise<Outcome>) = accepted(),
  more: Partial<OtlpGrpcOptions> = {},
): Promise<GrpcRig> {
  const seen: IncomingRequest[] = [];
  const options: OtlpGrpcOptions = {
    consume: async (request) => {
      seen.push(request);
      return typeof outcome === "function" ? outcome() : outcome;
    },
    authenticate: async (): Promise<Authentication> => ({ kind: "granted", projectId: 7 }),
    maxMessageBytes: MAX_MESSAGE_BYTES,
    budget: createByteBudget(MAX_MESSAGE_BYTES * 4),
    metrics: createMetrics(),
    log: createLog("silent"),
    ...more,
  };
  const listening = await listenGrpc(createOtlpGrpcReceiver(options), { host: "127.0.0.1", port: 0, purpose: "grpc" });
  return { ...listening, seen, budget: options.budget, metrics: options.metrics };
}

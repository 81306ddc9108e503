import type { Authenticate } from "../base/authenticate.ts";
import { MAX_BODIES_BYTES, MAX_READING_WAIT_MS, MAX_WORKING_BYTES, WRITE_DEADLINE_MS } from "../base/limits.ts";
import { createWorkLimit } from "../base/work-limit.ts";
import type { Component } from "../config/index.ts";
import { largestMessageBytes, storingReceiver } from "../config/questions.ts";
import type { Pipeline } from "../pipeline.ts";
import { createByteBudget } from "../receivers/byte-budget.ts";
import { listenGrpc } from "../receivers/grpc-server.ts";
import { type Listening, listen } from "../receivers/http-server.ts";
import { createOtlpGrpcReceiver } from "../receivers/otlp-grpc.ts";
import { createOtlpHttpReceiver, type OtlpHttpOptions } from "../receivers/otlp-http.ts";
import { createReadingTurns } from "../receivers/reading-turns.ts";
import type { Context } from "./context.ts";
import { type Ingest, ingestInto } from "./ingest.ts";
import { type PipelineInput, pipelineOf } from "./pipelines.ts";

/** The open addresses of all receivers. */
export interface Receivers {
  readonly http: readonly Listening[];
  readonly grpc: readonly Listening[];
  /** The way of a pipeline that stores, for what comes through no receiver. */
  readonly ingest: Ingest;
}

/** What a pipeline consists of besides its configuration. */
type Steps = Pick<PipelineInput, "exporter" | "refiner" | "prices" | "tombstones" | "onCommitted">;

/** Bodies being read at once; what waits for the database is bounded by the exporter. */
const MAX_READING_BYTES = 192 * 1024 * 1024;
const MIB = 1024 * 1024;

/** Opens every receiver that a pipeline uses. At the end they take nothing more, and requests under way get the time of grace. */
export async function startReceivers(context: Context, steps: Steps, authenticate: Authenticate): Promise<Receivers> {
  const { options, log, metrics, started, ending } = context;
  const { config } = options;
  const servers: OtlpServers = { http: [], grpc: [] };
  started.defer(async () => {
    ending.requested = true;
    await Promise.all([...servers.http, ...servers.grpc].map((server) => server.close(ending.graceMillis)));
  });
  const work = createWorkLimit({ maxBytes: MAX_WORKING_BYTES, maxWaitMillis: WRITE_DEADLINE_MS });
  const budget = createByteBudget(Math.max(MAX_READING_BYTES, 2 * largestMessageBytes(config)));
  const isStopping = (): boolean => ending.requested;
  const turns = createReadingTurns(createWorkLimit({ maxBytes: MAX_BODIES_BYTES, maxWaitMillis: MAX_READING_WAIT_MS }));
  const pipelines = new Map<string, Pipeline>();
  for (const [id, receiver] of config.receivers) {
    const pipeline = pipelineOf(id, { ...steps, config, metrics, log, isStopping, work, started });
    if (pipeline === undefined) continue;
    pipelines.set(id, pipeline);
    await serveOtlp(servers, { id, ...receiver.options, consume: pipeline.consume, authenticate, budget, turns, metrics, log });
  }
  return { ...servers, ingest: ingestInto(pipelines.get(storingReceiver(config) ?? "")) };
}

interface OtlpServers {
  readonly http: Listening[];
  readonly grpc: Listening[];
}

type OtlpInput = Component<"receivers">["options"] &
  Pick<OtlpHttpOptions, "consume" | "authenticate" | "budget" | "turns" | "metrics" | "log"> & { readonly id: string };

/** Opens the addresses of one receiver, all on the same pipeline. */
async function serveOtlp(servers: OtlpServers, { id, http, grpc, ...step }: OtlpInput): Promise<void> {
  const purpose = (protocol: string): string => `receivers::${id}::protocols::${protocol}::endpoint`;
  if (http !== undefined) {
    const app = createOtlpHttpReceiver({
      ...step,
      paths: { traces: http.traces_url_path, logs: http.logs_url_path, metrics: http.metrics_url_path },
      maxRequestBodyBytes: http.max_request_body_size,
      cors: http.cors,
    });
    servers.http.push(await listen({ fetch: app.fetch, ...http.endpoint, purpose: purpose("http") }));
  }
  if (grpc !== undefined) {
    const server = createOtlpGrpcReceiver({ ...step, maxMessageBytes: grpc.max_recv_msg_size_mib * MIB });
    servers.grpc.push(await listenGrpc(server, { ...grpc.endpoint, purpose: purpose("grpc") }));
  }
}

import { createLog } from "../base/log.ts";
import { createMetrics } from "../base/metrics.ts";
import { type Outcome, rejected } from "../base/outcome.ts";
import type { Signal } from "../base/signal.ts";
import { loadConfig } from "../config/index.ts";
import { postgresOptions } from "../config/questions.ts";
import { createPostgresExporter } from "../exporters/postgres/index.ts";
import { createPriceBooks } from "../jobs/price-books.ts";
import type { Pipeline } from "../pipeline.ts";
import { createPool } from "../query/pool.ts";
import { createRefiner } from "../refinement/index.ts";
import { pipelineOf } from "./pipelines.ts";

/** Takes one OTLP/JSON request that did not come through a receiver. */
export type Ingest = (projectId: number, signal: Signal, body: Buffer) => Promise<Outcome>;

/** The way of imported requests: that of a receiver's, redaction and all. */
export const ingestInto =
  (pipeline: Pipeline | undefined): Ingest =>
  async (projectId, signal, body) =>
    pipeline?.consume({ signal, encoding: "json", body, projectId, receivedAtMs: Date.now() }) ??
    rejected("unsupported_type", "no pipeline of this collector stores telemetry");

export interface OwnIngest {
  readonly ingest: Ingest;
  stop(): Promise<void>;
}

const GRACE_MS = 10_000;
const SHIPPED = `
receivers: {otlp: {protocols: {http: {}}}}
exporters: {postgres: {}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [postgres]}, logs: {receivers: [otlp], exporters: [postgres]}}}
`;

/** A pipeline of a command's own on a database, as the shipped configuration has it; opened by the first request. */
export function createOwnIngest({ url, schema }: { readonly url: string; readonly schema: string }): OwnIngest {
  const started = new AsyncDisposableStack();
  let opened: Promise<Ingest> | undefined;
  const open = async (): Promise<Ingest> => {
    const log = createLog("error");
    const metrics = createMetrics();
    const sql = createPool(url, 2);
    started.defer(() => sql.end({ timeout: 1 }));
    const { config } = loadConfig({ files: [{ name: "shipped", text: SHIPPED }], env: {}, sets: [] });
    const exporter = createPostgresExporter({ url, schema, metrics, log, ...postgresOptions(config) });
    started.defer(async () => void (await exporter.stop(GRACE_MS)));
    const prices = await createPriceBooks({ sql, schema, log });
    started.defer(() => prices.stop());
    const refiner = createRefiner({ sql, schema, log });
    started.defer(async () => {
      await refiner.settled();
      await refiner.stop();
    });
    return ingestInto(pipelineOf("otlp", { config, exporter, refiner, prices, metrics, log, isStopping: () => false, started }));
  };
  return {
    async ingest(...request) {
      opened ??= open();
      return (await opened)(...request);
    },
    stop: () => started.disposeAsync(),
  };
}

import postgres, { type Sql } from "postgres";
import { createLog } from "../../collector/base/log.ts";
import { createMetrics } from "../../collector/base/metrics.ts";
import type { Outcome } from "../../collector/base/outcome.ts";
import type { Signal } from "../../collector/base/signal.ts";
import { createPostgresExporter, type PostgresExporter } from "../../collector/exporters/postgres/index.ts";
import { createPriceBooks, type PriceBooks } from "../../collector/jobs/price-books.ts";
import { createPriceBook } from "../../collector/model/price.ts";
import { createPipeline, type PipelineOptions } from "../../collector/pipeline.ts";
import { createRedactor } from "../../collector/processors/redaction.ts";
import { createRefiner, type Refiner } from "../../collector/refinement/index.ts";

/** A collector without its network: pipeline, exporter and refiner on a real database. */
export interface PipelineRig {
  readonly sql: Sql;
  readonly refiner: Refiner;
  readonly exporter: PostgresExporter;
  /** Reads table model_prices. */
  readPrices(): Promise<void>;
  send(body: Buffer | object, signal?: Signal): Promise<Outcome>;
  /** Empties tables, when nothing is at work on them any more. */
  empty(...tables: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** `more` replaces steps of the pipeline. */
export function createPipelineRig(url: string, more: Partial<PipelineOptions> = {}): PipelineRig {
  const log = createLog("silent");
  const metrics = createMetrics();
  const sql = postgres(url, { max: 2, onnotice: () => {} });
  const exporter = createPostgresExporter({
    url,
    schema: "public",
    metrics,
    log,
    connections: 1,
    maxPendingBytes: 64 * 1024 * 1024,
    maxBatchBytes: 4 * 1024 * 1024,
    writeDeadlineMillis: 10_000,
  });
  const refiner = createRefiner({ sql, schema: "public", log, delayMillis: 1, restPerSearch: 0 });
  const pipeline = createPipeline({
    write: (request) => exporter.write(request),
    redact: createRedactor({ secrets: true, pii: [], patterns: [] }),
    prices: (projectId) => books?.of(projectId) ?? shipped,
    committed: ({ projectId, traces }) => refiner.note(projectId, traces),
    admit: () => undefined,
    signals: new Set<Signal>(["traces", "logs"]),
    spanProcessors: [],
    logProcessors: [],
    metrics,
    ...more,
  });
  let books: PriceBooks | undefined;
  const shipped = createPriceBook();
  return {
    sql,
    refiner,
    exporter,
    send(body, signal = "traces") {
      const bytes = Buffer.isBuffer(body) ? Buffer.from(body) : Buffer.from(JSON.stringify(body), "utf8");
      return pipeline.consume({
        signal,
        projectId: 1,
        encoding: Buffer.isBuffer(body) ? "protobuf" : "json",
        body: bytes,
        receivedAtMs: Date.now(),
      });
    },
    async readPrices() {
      books ??= await createPriceBooks({ sql, schema: "public", log });
      await books.refresh();
    },
    async empty(...tables) {
      await refiner.settled();
      await sql`TRUNCATE ${sql.unsafe(tables.join(", "))}`;
    },
    async stop() {
      books?.stop();
      await refiner.stop();
      await exporter.stop(5_000);
      await sql.end({ timeout: 1 });
    },
  };
}

import postgres, { type Sql } from "postgres";
import { createLog, type Log } from "../../collector/base/log.ts";
import { createMetrics, type Metrics } from "../../collector/base/metrics.ts";
import { createPostgresExporter, type PostgresExporter, type PostgresExporterOptions } from "../../collector/exporters/postgres/index.ts";
import type { WriteResult } from "../../collector/rows/encoded-request.ts";
import { encodedRequest, type Item, type RequestOptions } from "./encoded-request.ts";

/** An exporter on a database, and a session beside it to look at what came of it. */
export interface ExporterRig {
  readonly exporter: PostgresExporter;
  readonly metrics: Metrics;
  readonly sql: Sql;
  write(items: readonly (readonly Item[])[], options?: RequestOptions): Promise<WriteResult>;
  count(table: string): Promise<number>;
  stop(): Promise<void>;
}

export interface RigOptions extends Partial<PostgresExporterOptions> {
  readonly url: string;
  /** Where to look, when the exporter goes through a proxy. */
  readonly directUrl?: string;
  readonly log?: Log;
}

export function createExporterRig({ directUrl, ...options }: RigOptions): ExporterRig {
  const metrics = createMetrics();
  const exporter = createPostgresExporter({
    schema: "public",
    connections: 2,
    maxPendingBytes: 64 * 1024 * 1024,
    maxBatchBytes: 4 * 1024 * 1024,
    writeDeadlineMillis: 5_000,
    metrics,
    log: createLog("silent"),
    ...options,
  });
  const sql = postgres(directUrl ?? options.url, { max: 2, onnotice: () => {} });
  return {
    exporter,
    metrics,
    sql,
    write: (items, requestOptions) => exporter.write(encodedRequest(items, requestOptions)),
    async count(table) {
      const [row] = await sql<[{ n: number }]>`SELECT count(*)::int AS n FROM ${sql(table)}`;
      return row.n;
    },
    async stop() {
      await exporter.stop(2_000);
      await sql.end({ timeout: 1 });
    },
  };
}

/** Counts of a committed result, for comparing; throws for a failed one. */
export function countsOf(result: WriteResult): { stored: number; duplicates: number; conflicting: number; refused: number } {
  if (result.kind !== "committed") throw new Error(`not committed: ${result.reason}, ${result.message}`);
  const { stored, duplicates, conflicting, refused } = result;
  return { stored, duplicates, conflicting, refused: refused.length };
}

/** How often each cause of a failed write was counted. */
export async function failuresByCause(metrics: Metrics): Promise<Record<string, number>> {
  const { values } = await metrics.writeFailures.get();
  return Object.fromEntries(values.map(({ labels, value }) => [labels.cause, value]));
}

import { randomUUID } from "node:crypto";
import type { Services } from "../api/services.ts";
import { postgresOptions } from "../config/questions.ts";
import { isContentName } from "../dialects/content-names.ts";
import { createAlertJob } from "../jobs/alerts.ts";
import { createContentJob } from "../jobs/archive/index.ts";
import { createErasureSweep } from "../jobs/erasure-sweep.ts";
import { createIndexSummaries } from "../jobs/index-summaries.ts";
import type { Job } from "../jobs/leased-job.ts";
import { createPartitionJob } from "../jobs/partition-job.ts";
import { createPriceBooks, type PriceBooks } from "../jobs/price-books.ts";
import { createQualityMarks } from "../jobs/quality-marks.ts";
import { createReaper } from "../jobs/reaper.ts";
import { createTombstones, type Tombstones } from "../jobs/tombstones.ts";
import { createUsageRollup } from "../jobs/usage-rollup.ts";
import { createWordSignatures } from "../jobs/word-signatures/index.ts";
import { createRefiner, type Refiner } from "../refinement/index.ts";
import { refineTraces } from "../refinement/store.ts";
import type { Context } from "./context.ts";
import type { Pools } from "./database.ts";

/** What the way of a request needs to know of the tables, and what brings its rows together afterwards. */
export interface Upkeep {
  readonly prices: PriceBooks;
  readonly tombstones: Tombstones;
  readonly refiner: Refiner;
}

/** Starts what keeps the tables in order by the clock, and stops all of it at once. */
export async function startUpkeep(context: Context, pools: Pools, alerting: Services["alerting"]): Promise<Upkeep> {
  const { log, started, options } = context;
  const running: Pick<Job<unknown>, "stop">[] = [];
  started.defer(async () => void (await Promise.all(running.map((each) => each.stop()))));
  const tables = { sql: pools.owner, schema: options.schema, log };
  const prices = await createPriceBooks(tables);
  running.push(prices);
  const tombstones = await createTombstones(tables);
  const refiner = createRefiner({ ...tables, sql: pools.refiner });
  running.push(tombstones, refiner);
  // Not waited for: until today has its partition, rows go to DEFAULT, and moving many of them takes minutes.
  for (const job of jobsOf(context, pools, alerting)) {
    job.start();
    running.push(job);
  }
  return { prices, tombstones, refiner };
}

function jobsOf({ options, log, metrics }: Context, pools: Pools, alerting: Services["alerting"]): Job<unknown>[] {
  const { config, schema } = options;
  const { pendingTimeoutMillis, retentionMillis, contentRetentionMillis, contentArchive } = postgresOptions(config);
  const common = { sql: pools.jobs, schema, holder: randomUUID(), log };
  return [
    createPartitionJob({ ...common, metrics, retentionMillis }),
    createReaper({ ...common, pendingTimeoutMillis }),
    createUsageRollup(common),
    createWordSignatures(common),
    createIndexSummaries(common),
    createErasureSweep(common),
    createContentJob({ ...common, retentionMillis: contentRetentionMillis, archiveFolder: contentArchive, isContentName }),
    createQualityMarks({ ...common, refine: async (trace) => void (await refineTraces(common, [trace])) }),
    createAlertJob({ ...common, ...alerting, reader: pools.reader }),
  ];
}

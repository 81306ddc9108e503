import { afterAll, beforeAll, expect, it } from "vitest";
import { createMetrics } from "../../collector/base/metrics.ts";
import { within } from "../../collector/base/within.ts";
import { createAlertJob } from "../../collector/jobs/alerts.ts";
import { createContentJob } from "../../collector/jobs/archive/index.ts";
import { createErasureSweep } from "../../collector/jobs/erasure-sweep.ts";
import type { JobOptions } from "../../collector/jobs/leased-job.ts";
import { createPartitionJob } from "../../collector/jobs/partition-job.ts";
import { createPriceBooks } from "../../collector/jobs/price-books.ts";
import { createQualityMarks } from "../../collector/jobs/quality-marks.ts";
import { createReaper } from "../../collector/jobs/reaper.ts";
import { createTombstones } from "../../collector/jobs/tombstones.ts";
import { createUsageRollup } from "../../collector/jobs/usage-rollup.ts";
import { createPool } from "../../collector/query/pool.ts";
import { createReader } from "../../collector/query/reader.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { recordingLog } from "../support/recording-log.ts";

/** Far more than the two seconds that a job may take, far less than the minute in which a statement is given up. */
const HANGS_AFTER_MS = 15_000;

describeEachServer("jobs that wait for a locked table", (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const jobsOf = (options: JobOptions) => ({
    alerts: createAlertJob({
      ...options,
      reader: createReader({ url: database.url, schema: "public", maxConnections: 1 }),
      publicUrl: undefined,
      sendMail: undefined,
    }),
    content: createContentJob({ ...options, retentionMillis: 1, archiveFolder: undefined, isContentName: () => false }),
    erasures: createErasureSweep(options),
    partitions: createPartitionJob({ ...options, metrics: createMetrics() }),
    quality: createQualityMarks({ ...options, refine: async () => {} }),
    reaper: createReaper({ ...options, pendingTimeoutMillis: 1 }),
    usage: createUsageRollup(options),
  });

  it("stop all the same, and say nothing when their statements fail afterwards", async () => {
    const { log, lines } = recordingLog();
    const [pool, other] = [createPool(database.url, 16), createPool(database.url, 2)];
    const options = { sql: pool, schema: "public", holder: "a", log };
    const soon = { ...options, intervalMillis: 1 };
    const jobs = jobsOf(options);
    const caches = { prices: await createPriceBooks(soon), tombstones: await createTombstones(soon) };

    const locking = await other.reserve();
    await locking`BEGIN`;
    await locking`LOCK TABLE job_leases, model_prices, tombstones IN ACCESS EXCLUSIVE MODE`;
    for (const job of Object.values(jobs)) job.start();
    const everything = { ...jobs, ...caches };
    const waiting = () =>
      other`SELECT FROM pg_locks JOIN pg_database d ON d.oid = database WHERE datname = current_database() AND NOT granted`;
    await expect.poll(waiting, { timeout: 20_000 }).toHaveLength(Object.keys(everything).length);

    const stopped = await Promise.all(
      Object.entries(everything).map(([name, job]) =>
        within(job.stop(), HANGS_AFTER_MS).then(
          () => name,
          () => `${name} hangs`,
        ),
      ),
    );
    expect(stopped).toEqual(Object.keys(everything));
    expect(await waiting()).toHaveLength(stopped.length);

    await pool.end({ timeout: 0 });
    await locking`ROLLBACK`;
    locking.release();
    await other.end();
    expect(lines).toEqual([]);
  });
});

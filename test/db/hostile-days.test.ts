import postgres, { type Sql } from "postgres";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMetrics } from "../../collector/base/metrics.ts";
import { createPartitionJob } from "../../collector/jobs/partition-job.ts";
import { addDays } from "../../collector/jobs/partition-plan.ts";
import { maintainPartitions, type PartitionOptions } from "../../collector/jobs/partitions.ts";
import { dropExpired } from "../../collector/jobs/retention.ts";
import { PARTITIONED_TABLES, readPartitions } from "../../schema/partitions.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { recordingLog } from "../support/recording-log.ts";

const TODAY = new Date("2026-11-20T00:00:00Z");
const SPANS = PARTITIONED_TABLES.find((table) => table.name === "spans") as (typeof PARTITIONED_TABLES)[number];
const MAX_LIVE = 60;
/** A tenth and a hundredth of what they are outside of tests, and so are the rows. */
const SCALED = { minRows: 10, rebuildRows: 2_000, maxLive: MAX_LIVE };

describeEachServer("partitions and what is in their way", (server) => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await createTestDatabase(server);
    sql = postgres(database.url, { max: 4, onnotice: () => {} });
  });
  afterEach(async () => {
    await sql.end();
    await database[Symbol.asyncDispose]();
  });

  const maintain = (options: Partial<PartitionOptions> = {}) =>
    maintainPartitions(sql, { schema: "public", now: addDays(TODAY, 0.5), tables: [SPANS], ...options });
  const partitions = () => readPartitions({ sql, schema: "public", table: SPANS });
  const count = async (condition = "true"): Promise<number> =>
    (await sql.unsafe<[{ n: number }]>(`SELECT count(*)::int AS n FROM spans WHERE ${condition}`))[0].n;
  const placeOf = async (day: Date): Promise<Record<string, number>> =>
    Object.fromEntries(
      (
        await sql<{ name: string; n: number }[]>`
          SELECT tableoid::regclass::text AS name, count(*)::int AS n FROM spans WHERE start_time >= ${day} AND start_time < ${addDays(day, 1)} GROUP BY 1`
      ).map(({ name, n }) => [name, n]),
    );
  const nameOf = (day: Date): string => `spans_${day.toISOString().slice(0, 10).replaceAll("-", "")}`;
  /** `rowsPerDay` spans on each of `days` days from `first` on. */
  const load = (series: string, first: Date, days: number, rowsPerDay: number) => sql`
    INSERT INTO spans (project_id, trace_id, span_id, start_time, start_nano, name, kind, service_name, status_code, attributes, resource_id, received_at)
    SELECT 1, ${series}::text || day, row::text, ${first}::timestamptz + day * interval '24 hours' + row * interval '1 second', 0, 'n', 1, 's', 0, '{}',
      '00000000-0000-0000-0000-000000000000', now() FROM generate_series(0, ${days - 1}::int) day, generate_series(1, ${rowsPerDay}::int) row`;

  it("TIM-07 rows of 150 days to come and of 3,000 past ones leave few partitions, and each row ends in the one of its day when that comes", async () => {
    await maintain(SCALED);
    await load("future", addDays(TODAY, 1), 150, 40);
    await load("past", addDays(TODAY, -3_000), 3_000, 10);
    let late = 0;
    let most = 0;
    for (const [step, days] of [0, 0, 1, 2, 3, 10, 11, 30, 45, 90, 160].entries()) {
      const now = addDays(TODAY, days + 0.5);
      // Senders with wrong clocks go on, also while partitions are cut and merged.
      const sending = load(`late${step}-`, addDays(now, 8), 3, 1).then(() => load(`later${step}-`, addDays(now, 300), 2, 1));
      const { failed, blocked, busy } = await maintain({ ...SCALED, now });
      await sending;
      late += 5;
      expect({ failed, blocked, busy }).toEqual({ failed: [], blocked: [], busy: [] });
      expect(await count()).toBe(150 * 40 + 3_000 * 10 + late);
      most = Math.max(most, (await partitions()).length);
      if (days < 140) {
        const reached = addDays(TODAY, days + 7);
        expect(Object.keys(await placeOf(reached))).toEqual([nameOf(reached)]);
      }
    }
    expect(most).toBeLessThanOrEqual(MAX_LIVE);
    expect(await sql`SELECT FROM spans_default WHERE start_time < ${addDays(TODAY, 150)} LIMIT 1`).toEqual([]);
  }, 300_000);

  it("TIM-07 partitions of days to come that an earlier version made become few, without losing a row", async () => {
    await maintain({ aheadDays: 150 });
    await load("future", TODAY, 150, 20);
    await maintain(SCALED);
    expect((await partitions()).length).toBeLessThanOrEqual(MAX_LIVE);
    expect(await count()).toBe(3_000);
    const later = addDays(TODAY, 100);
    for (let days = 93; days <= 100; days++) await maintain({ ...SCALED, now: addDays(TODAY, days + 0.5) });
    expect(await placeOf(later)).toEqual({ [nameOf(later)]: 20 });
    expect(await count()).toBe(3_000);
  }, 120_000);

  describe("a relation of somebody else", () => {
    it("with the name of a partition is named, and keeps neither other days nor other tables from being made", async () => {
      await sql`CREATE TABLE spans_20261122 (a int)`;
      await load("row", addDays(TODAY, 2), 1, 5);
      const report = await maintain({ tables: PARTITIONED_TABLES });
      expect(report.blocked).toEqual(["spans_20261122"]);
      expect(report.failed).toEqual([]);
      expect(report.created).toHaveLength(8 * PARTITIONED_TABLES.length - 1);
      expect(await placeOf(addDays(TODAY, 2))).toEqual({ spans_default: 5 });

      await sql`ALTER TABLE spans_20261122 RENAME TO mine`;
      expect((await maintain()).created).toEqual(["spans_20261122"]);
      expect(await placeOf(addDays(TODAY, 2))).toEqual({ spans_20261122: 5 });
    });

    it("with the name of a partition is told of in the log", async () => {
      const { log, lines } = recordingLog();
      const today = new Date(new Date().toISOString().slice(0, 10));
      await sql.unsafe(`CREATE TYPE ${nameOf(addDays(today, 1))} AS ENUM ('a')`);
      await createPartitionJob({ sql, schema: "public", holder: "test", log, metrics: createMetrics() }).runOnce();
      expect(lines.filter(({ level }) => level === "error")).toMatchObject([
        { relation: nameOf(addDays(today, 1)), msg: expect.stringContaining("rename it") },
      ]);
    });

    it("with the name of a table that a rebuild needs is named and kept, and days without rows are made all the same", async () => {
      await sql`CREATE TABLE spans_noted_changes (a int)`;
      await load("row", addDays(TODAY, -2), 1, 3_000);
      const report = await maintain(SCALED);
      expect(report.blocked).toEqual(["spans_noted_changes"]);
      expect(report.created).toHaveLength(8);
      expect(await sql`SELECT FROM spans_noted_changes`).toEqual([]);
      await sql`DROP TABLE spans_noted_changes`;
      expect((await maintain(SCALED)).created).toEqual([nameOf(addDays(TODAY, -2))]);
    });

    it("that reads a partition keeps that one, and everything else is removed, merged and made", async () => {
      await maintain({ now: addDays(TODAY, -80), aheadDays: 80, tables: [SPANS] });
      await load("row", addDays(TODAY, -80), 81, 1);
      await sql.unsafe(`CREATE VIEW mine AS SELECT name FROM ${nameOf(addDays(TODAY, -78))}`);
      const expired = await dropExpired(sql, { schema: "public", before: addDays(TODAY, -75) });
      expect(expired.dropped).toHaveLength(4);
      expect(expired.failed).toEqual([{ relation: nameOf(addDays(TODAY, -78)), code: "2BP01" }]);

      const { failed, merged, created } = await maintain({ maxLive: 30 });
      expect(failed).toEqual([{ relation: nameOf(addDays(TODAY, -78)), code: "2BP01" }]);
      expect(created).toHaveLength(7);
      expect(merged).toContain("spans_20261001_20261101");
      expect(await sql`SELECT count(*)::int AS n FROM mine`).toEqual([{ n: 1 }]);
      expect(await count()).toBe(77);
    });
  });

  it("a table that somebody keeps locked for hours is told of as busy, and the others are maintained and emptied", async () => {
    const holder = await sql.reserve();
    await holder`BEGIN`;
    await holder`LOCK TABLE ONLY spans_default, blobs IN ACCESS EXCLUSIVE MODE`;
    const { busy, failed, created } = await maintain({ tables: PARTITIONED_TABLES });
    const expired = await dropExpired(sql, { schema: "public", before: TODAY });
    await holder`ROLLBACK`;
    holder.release();
    expect({ busy, failed }).toEqual({ busy: ["spans"], failed: [] });
    expect(created).toHaveLength(8 * (PARTITIONED_TABLES.length - 1));
    expect(expired).toEqual({ dropped: [], deletedRows: 0, busy: ["spans", "blobs"], failed: [] });
  }, 60_000);

  it("a table that cannot be maintained is named, and the others are maintained and counted", async () => {
    await sql`ALTER TABLE spans_default RENAME TO elsewhere`;
    const { failed, created } = await maintain({ tables: PARTITIONED_TABLES });
    expect(failed).toEqual([{ relation: "spans", code: "42P01" }]);
    expect(created).toHaveLength(8 * (PARTITIONED_TABLES.length - 1));
    const metrics = createMetrics();
    const { log } = recordingLog();
    await createPartitionJob({ sql, schema: "public", holder: "test", log, metrics }).runOnce();
    expect(await metrics.registry.metrics()).toContain('genspan_default_partition_rows{table="log_records"} 0');
  });
});

import { expect, it } from "vitest";
import { maintainPartitions } from "../../collector/jobs/partitions.ts";
import { previewExpired } from "../../collector/jobs/retention.ts";
import { createUsageRollup } from "../../collector/jobs/usage-rollup.ts";
import { createPool } from "../../collector/query/pool.ts";
import { createPartition, readPartitions, type TimeRange } from "../../schema/partitions.ts";
import { createTestDatabase, describeEachServer } from "../support/database.ts";
import { storeGenerations } from "../support/generation-rows.ts";
import { recordingLog } from "../support/recording-log.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const HOUR_MS = 3_600_000;

describeEachServer("a database whose times are written for people", (server) => {
  it.each([
    ["SQL, DMY", "UTC"],
    ["German, DMY", "Asia/Kolkata"],
    ["Postgres, MDY", "America/New_York"],
  ])("has its partitions, retention and sums of usage like any other: %s, %s", async (dateStyle, timeZone) => {
    await using database = await createTestDatabase(server);
    const admin = createPool(database.url, 1);
    const name = new URL(database.url).pathname.slice(1);
    await admin.unsafe(`ALTER DATABASE "${name}" SET datestyle TO '${dateStyle}'; ALTER DATABASE "${name}" SET timezone TO '${timeZone}'`);
    await admin.end();
    const sql = createPool(database.url, 2);
    try {
      const target = { sql, schema: "public", table: { name: "spans", timeColumn: "start_time" } } as const;
      const future: TimeRange = { from: new Date("2026-12-02T00:00:00Z"), to: new Date("2026-12-03T00:00:00Z") };
      expect(await createPartition(target, future)).toEqual({ kind: "done", value: "spans_20261202" });
      expect(await readPartitions(target)).toEqual([{ name: "spans_20261202", ...future }]);
      expect(await previewExpired(sql, { schema: "public", before: new Date(NOW.getTime() - 60 * 24 * HOUR_MS) })).toEqual([]);
      const first = await maintainPartitions(sql, { schema: "public", now: NOW, aheadDays: 1 });
      expect(first.created).toContain("spans_20261121");
      expect((await maintainPartitions(sql, { schema: "public", now: NOW, aheadDays: 1 })).created).toEqual([]);

      const start = new Date(NOW.getTime() - 5 * HOUR_MS);
      await storeGenerations(sql, [{ start_time: start, model_name: "m" }]);
      await sql`INSERT INTO usage_dirty_hours SELECT 1, date_trunc('hour', ${start}::timestamptz, 'UTC')`;
      const { log } = recordingLog();
      await createUsageRollup({ sql, schema: "public", holder: "test", log, now: () => NOW.getTime() }).runOnce();
      expect(await sql`SELECT hour, generations::int FROM usage_hours`).toEqual([
        { hour: new Date("2026-11-21T07:00:00Z"), generations: 1 },
      ]);
      expect(await sql`SELECT count(*)::int AS n FROM usage_dirty_hours`).toEqual([{ n: 0 }]);
    } finally {
      await sql.end();
    }
  });
});

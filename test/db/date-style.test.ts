import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { markUsage } from "../../collector/commands/usage-marks.ts";
import { isContentName } from "../../collector/dialects/content-names.ts";
import { removeContent } from "../../collector/jobs/archive/remove-content.ts";
import { restoreContent } from "../../collector/jobs/archive/restore.ts";
import { maintainPartitions } from "../../collector/jobs/partitions.ts";
import { previewExpired } from "../../collector/jobs/retention.ts";
import { createUsageRollup } from "../../collector/jobs/usage-rollup.ts";
import { createWordSignatures } from "../../collector/jobs/word-signatures/index.ts";
import { createPool } from "../../collector/query/pool.ts";
import type { Sql } from "../../schema/connect.ts";
import { createPartition, readPartitions, type TimeRange } from "../../schema/partitions.ts";
import { createTestDatabase, describeEachServer } from "../support/database.ts";
import { storeGenerations } from "../support/generation-rows.ts";
import { recordingLog } from "../support/recording-log.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const HOUR_MS = 3_600_000;

describeEachServer("a database whose times are written for people", (server) => {
  const STYLES: [dateStyle: string, timeZone: string][] = [
    ["SQL, DMY", "UTC"],
    ["German, DMY", "Asia/Kolkata"],
    ["Postgres, MDY", "America/New_York"],
  ];

  async function styled(url: string, [dateStyle, timeZone]: [string, string]): Promise<Sql> {
    const admin = createPool(url, 1);
    const name = new URL(url).pathname.slice(1);
    await admin.unsafe(`ALTER DATABASE "${name}" SET datestyle TO '${dateStyle}'; ALTER DATABASE "${name}" SET timezone TO '${timeZone}'`);
    await admin.end();
    return createPool(url, 2);
  }

  it.each(STYLES)("has its partitions, retention and sums of usage like any other: %s, %s", async (...style) => {
    await using database = await createTestDatabase(server);
    const sql = await styled(database.url, style);
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

  it.each(STYLES)("has its content in files by UTC day, back again, and signed by UTC hour: %s, %s", async (...style) => {
    await using database = await createTestDatabase(server);
    const sql = await styled(database.url, style);
    const folder = mkdtempSync(join(tmpdir(), "genspan-archive-"));
    const times = ["2026-11-20T20:30:00.123456Z", "2026-11-21T02:15:00Z"];
    try {
      await storeGenerations(
        sql,
        times.map((start_time) => ({ start_time, prompt_full_text: "a rare word", prompt_format: "text" })),
      );
      await sql.begin((tx) => markUsage(tx, "public", { projectId: 1, startMillis: times.map((time) => Date.parse(time)) }));
      const job = { sql, schema: "public", holder: "test", log: recordingLog().log };
      await createUsageRollup({ ...job, now: () => NOW.getTime() }).runOnce();
      expect(await createWordSignatures({ ...job, settleMillis: 0, rest: 0 }).runOnce()).toBe(2);
      const signed = await sql<{ hour: Date; first_time: Date }[]>`SELECT hour, first_time FROM word_signatures ORDER BY hour`;
      expect(signed.map(({ hour }) => hour.toISOString())).toEqual(["2026-11-20T20:00:00.000Z", "2026-11-21T02:00:00.000Z"]);
      expect(signed.map(({ first_time }) => first_time.toISOString().slice(0, 16))).toEqual(times.map((time) => time.slice(0, 16)));

      const content = { sql, schema: "public", before: NOW, isContentName, keepChars: 0, archiveFolder: folder };
      expect(await removeContent(content)).toEqual({ generation_logs: 2 });
      expect(readdirSync(folder).sort()).toEqual(["content-p1-2026-11-20.jsonl.gz", "content-p1-2026-11-21.jsonl.gz"]);
      await restoreContent({ sql, schema: "public", folders: [folder] });
      expect(await sql`SELECT prompt_full_text AS text FROM generation_logs`).toEqual([{ text: "a rare word" }, { text: "a rare word" }]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
      await sql.end();
    }
  });
});

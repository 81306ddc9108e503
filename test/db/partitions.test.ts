import { setTimeout as sleep } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLog } from "../../collector/base/log.ts";
import { createMetrics } from "../../collector/base/metrics.ts";
import { type LeaseOptions, runUnderLease } from "../../collector/jobs/lease.ts";
import { createPartitionJob } from "../../collector/jobs/partition-job.ts";
import { addDays } from "../../collector/jobs/partition-plan.ts";
import { maintainPartitions, type PartitionOptions, readDefaultRows } from "../../collector/jobs/partitions.ts";
import { dropExpired } from "../../collector/jobs/retention.ts";
import { PARTITIONED_TABLES, readPartitions, type Target } from "../../schema/partitions.ts";
import { rebuildDefault } from "../../schema/rebuild.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";

const NOW = new Date("2026-11-20T12:00:00Z");
const SPANS = PARTITIONED_TABLES.find((table) => table.name === "spans") as (typeof PARTITIONED_TABLES)[number];

describeEachServer("partitions", (server) => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await createTestDatabase(server);
    sql = postgres(database.url, { max: 6, onnotice: () => {} });
  });
  afterEach(async () => {
    await sql.end();
    await database[Symbol.asyncDispose]();
  });

  const maintain = (options: Partial<PartitionOptions> = {}) => maintainPartitions(sql, { schema: "public", now: NOW, ...options });
  const target = (): Target => ({ sql, schema: "public", table: SPANS });
  const count = async (condition = "true"): Promise<number> =>
    (await sql.unsafe<[{ n: number }]>(`SELECT count(*)::int AS n FROM spans WHERE ${condition}`))[0].n;
  /** Rows per partition of spans. */
  const placed = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      (await sql<{ name: string; n: number }[]>`SELECT tableoid::regclass::text AS name, count(*)::int AS n FROM spans GROUP BY 1`).map(
        (row) => [row.name, row.n],
      ),
    );
  const partitionNames = async (): Promise<string[]> => (await readPartitions(target())).map((partition) => partition.name);

  const COLUMNS =
    "project_id, trace_id, span_id, start_time, start_nano, name, kind, service_name, status_code, attributes, resource_id, received_at";
  /** `rows` spans from `start` on, `stepSeconds` apart, written by COPY into the parent as the collector does. */
  async function load(series: string, start: Date, rows: number, stepSeconds = 1): Promise<void> {
    const lines = Array.from({ length: rows }, (_, index) => {
      const time = new Date(start.getTime() + index * stepSeconds * 1000).toISOString();
      return `1\t${series}-${index}\tx\t${time}\t0\tn\t1\ts\t0\t{"n":${index}}\t00000000-0000-0000-0000-000000000000\t${time}\n`;
    });
    await sql.begin(async (tx) => {
      const stream = await tx.unsafe(`COPY spans (${COLUMNS}) FROM STDIN`).writable();
      await new Promise((resolve) => stream.write(lines.join(""), resolve));
      stream.end();
      // The driver does not report a COPY that fails after its end; this statement fails then.
      await tx`SELECT`;
    });
  }

  it("makes today and the days ahead for every partitioned table, once", async () => {
    const first = await maintain({ aheadDays: 2 });
    expect(first.created).toHaveLength(3 * PARTITIONED_TABLES.length);
    expect(first.created).toContain("log_records_20261122");
    expect(first.busy).toEqual([]);
    expect((await maintain({ aheadDays: 2 })).created).toEqual([]);
    await load("today", NOW, 10);
    expect(await placed()).toEqual({ spans_20261120: 10 });
  });

  it("makes partitions that are stored, indexed and closed like their parent", async () => {
    await sql`ALTER TABLE generation_logs ADD COLUMN house_code varchar(12) DEFAULT 'none' CHECK (house_code <> '')`;
    await sql`CREATE UNIQUE INDEX house_index ON generation_logs (project_id, start_time, (lower(house_code)) DESC) WHERE house_code IS NOT NULL`;
    await maintain({ aheadDays: 0 });
    const ofColumns = (table: string) =>
      sql`SELECT attname, format_type(atttypid, atttypmod) AS type, attcollation, attstorage::text, attcompression::text, attgenerated::text, attnotnull,
          pg_get_expr(adbin, adrelid) AS value
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = ${table}::regclass AND attnum > 0 ORDER BY attname`;
    const ofIndexes = (table: string) =>
      sql`SELECT indisunique, indisprimary, substring(pg_get_indexdef(indexrelid) FROM ' USING .*') AS text
        FROM pg_index WHERE indrelid = ${table}::regclass ORDER BY text, indisunique`;
    const ofConstraints = (table: string) =>
      sql`SELECT contype::text, pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conrelid = ${table}::regclass ORDER BY contype, text`;
    for (const { name } of PARTITIONED_TABLES) {
      for (const facts of [ofColumns, ofIndexes, ofConstraints]) {
        expect([...(await facts(`${name}_20261120`))]).toEqual([...(await facts(name))]);
      }
      expect((await sql`SELECT relrowsecurity FROM pg_class WHERE oid = ${`${name}_20261120`}::regclass`)[0]?.["relrowsecurity"]).toBe(
        true,
      );
    }
  });

  it("makes partitions without gaps between values of fixed size, and moves rows there from DEFAULT, which may have some", async () => {
    await load("today", NOW, 1);
    await maintain({ aheadDays: 0 });
    const sizes = await sql<{ size: number }[]>`
      SELECT CASE WHEN attlen < 0 THEN 0 ELSE array_position('{c,s,i,d}'::text[], attalign::text) END AS size
      FROM pg_attribute WHERE attrelid = 'spans_20261120'::regclass AND attnum > 0 ORDER BY attnum`;
    expect(sizes[0]?.size).toBe(4);
    expect(sizes.map(({ size }) => size)).toEqual(sizes.map(({ size }) => size).toSorted((a, b) => b - a));
    expect(await sql`SELECT trace_id, name, kind, attributes, start_time FROM spans_20261120`).toEqual([
      { trace_id: "today-0", name: "n", kind: 1, attributes: { n: 0 }, start_time: NOW },
    ]);
  });

  it("moves the rows of a day out of DEFAULT, generated columns included", async () => {
    await sql`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, logged_at, updated_at, received_at)
      VALUES (1, 'a', 'b', ${NOW}, 'semconv', 'success', ${NOW}, ${NOW}, ${NOW})`;
    const { defaultRows } = await maintain();
    expect(defaultRows["generation_logs"]).toBe(0);
    expect(await sql`SELECT id, tableoid::regclass::text AS name FROM generation_logs`).toEqual([
      { id: "a-b", name: "generation_logs_20261120" },
    ]);
  });

  it("gives past days with many rows their partition and leaves stragglers and absurd times in DEFAULT", async () => {
    await load("many", new Date("2026-11-15T00:00:00Z"), 1_200);
    await load("few", new Date("2026-11-16T00:00:00Z"), 999);
    await load("old", new Date("2025-03-10T00:00:00Z"), 1_500);
    await sql.unsafe(`INSERT INTO spans (${COLUMNS}) SELECT 1, g::text, 'x', t, 0, 'n', 1, 's', 0, '{}', gen_random_uuid(), now()
      FROM generate_series(1, 1100) g, unnest(ARRAY['0044-03-15 00:00:00+00 BC', '1970-01-01 00:00:00+00', '120000-01-01 00:00:00+00']::timestamptz[]) t`);
    const { created, defaultRows } = await maintain({ aheadDays: 0 });
    expect(created.filter((name) => name.startsWith("spans"))).toEqual([
      "spans_19700101_19700201",
      "spans_20250301_20250401",
      "spans_20261115",
      "spans_20261120",
    ]);
    expect(defaultRows["spans"]).toBe(999 + 2 * 1_100);
    expect(await placed()).toEqual({
      spans_19700101_19700201: 1_100,
      spans_20250301_20250401: 1_500,
      spans_20261115: 1_200,
      spans_default: 999 + 2_200,
    });
  });

  describe.each([
    ["emptying DEFAULT under a short lock", 1_000_000],
    ["rebuilding DEFAULT beside ingest", 1_000],
  ])("after days without maintenance, %s", (_, rebuildRows) => {
    it("SCH-06 ingest goes on into DEFAULT, and recovery under COPY load loses nothing and never holds it up for long", async () => {
      await maintain({ aheadDays: 0 });
      const later = addDays(NOW, 4);
      for (let offset = 1; offset <= 3; offset++) await load(`day${offset}`, addDays(NOW, offset), 3_000, 10);
      expect((await readDefaultRows(sql, "public")).rows["spans"]).toBe(9_000);

      let loading = true;
      let batches = 0;
      let longestMillis = 0;
      const loader = async (name: string) => {
        while (loading) {
          const started = performance.now();
          await load(`${name}${batches++}`, addDays(later, -(batches % 5)), 200, 1);
          longestMillis = Math.max(longestMillis, performance.now() - started);
        }
      };
      const loaders = [loader("a"), loader("b")];
      await expect.poll(() => batches).toBeGreaterThan(6);
      const { busy } = await maintain({ now: later, rebuildRows, tables: [SPANS] });
      const during = batches;
      await expect.poll(() => batches).toBeGreaterThan(during + 6);
      loading = false;
      await Promise.all(loaders);

      expect(busy).toEqual([]);
      expect(await count()).toBe(9_000 + 200 * batches);
      expect(await count("trace_id LIKE 'day%'")).toBe(9_000);
      expect(Object.keys(await placed()).toSorted()).toEqual(
        expect.arrayContaining(["spans_20261121", "spans_20261122", "spans_20261123"]),
      );
      expect((await maintain({ now: later, minRows: 1, tables: [SPANS] })).defaultRows["spans"]).toBe(0);
      expect(longestMillis).toBeLessThan(5_000);
    });
  });

  it("a rebuild of DEFAULT keeps what is changed and deleted meanwhile", async () => {
    await load("row", new Date("2026-11-18T00:00:00Z"), 5_000, 10);
    let working = true;
    let changed = 0;
    const changes = (async () => {
      for (; working && changed < 4_999; changed += 2) {
        await sql`UPDATE spans SET name = 'changed' WHERE trace_id = ${`row-${changed}`}`;
        await sql`DELETE FROM spans WHERE trace_id = ${`row-${changed + 1}`}`;
      }
    })();
    await expect.poll(() => changed).toBeGreaterThan(20);
    const result = await rebuildDefault(target(), [{ from: new Date("2026-11-18"), to: new Date("2026-11-19") }]);
    const after = changed;
    await expect.poll(() => changed).toBeGreaterThan(after + 20);
    working = false;
    await changes;
    expect(result).toEqual({ kind: "done", value: ["spans_20261118"] });
    expect(await placed()).toEqual({ spans_20261118: 5_000 - changed / 2 });
    expect(await count("name = 'changed'")).toBe(changed / 2);
  });

  it("a rebuild of DEFAULT leaves no trigger behind, nor does one that was killed after the next run", async () => {
    await load("row", new Date("2026-11-18T00:00:00Z"), 2_000, 1);
    const killed = postgres(database.url, { max: 1, connection: { application_name: "to be killed" }, onnotice: () => {} });
    const blocker = await sql.reserve();
    // Stops the rebuild in its exchange: it has its trigger and its copies by then.
    await blocker`BEGIN`;
    await blocker`SELECT FROM spans LIMIT 1`;
    const rebuilding = rebuildDefault({ ...target(), sql: killed }, [{ from: new Date("2026-11-18"), to: new Date("2026-11-19") }]).catch(
      () => "killed",
    );
    await expect.poll(() => sql`SELECT FROM pg_class WHERE relname = 'spans_20261118'`).toHaveLength(1);
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to be killed'`;
    await killed.end({ timeout: 0 });
    await rebuilding;
    expect(await sql`SELECT FROM pg_trigger WHERE NOT tgisinternal AND tgrelid <> 'audit_log'::regclass`).toHaveLength(1);
    await blocker`COMMIT`;
    blocker.release();
    await load("meanwhile", new Date("2026-11-18T12:00:00Z"), 100, 1);

    expect((await maintain({ rebuildRows: 1_000 })).created).toContain("spans_20261118");
    expect(await sql`SELECT FROM pg_trigger WHERE NOT tgisinternal AND tgrelid <> 'audit_log'::regclass`).toHaveLength(0);
    expect(await placed()).toEqual({ spans_20261118: 2_100 });
    expect(await sql`SELECT relname FROM pg_class WHERE relname ~ '(_noted_changes|_next)$' AND relkind = 'r'`).toEqual([]);
  });

  it("SCH-05 a span for a partition dropped by retention is stored in DEFAULT and purged later", async () => {
    await maintain({ now: addDays(NOW, -40), aheadDays: 41, tables: [SPANS] });
    await load("old", addDays(NOW, -39), 50);
    await load("new", NOW, 50);
    const before = addDays(new Date("2026-11-20T00:00:00Z"), -30);
    const first = await dropExpired(sql, { schema: "public", before });
    expect(first.dropped).toHaveLength(10);
    expect(await placed()).toEqual({ spans_20261120: 50 });

    await load("late", addDays(NOW, -39), 25);
    expect(await placed()).toEqual({ spans_20261120: 50, spans_default: 25 });
    expect(await dropExpired(sql, { schema: "public", before, batchRows: 10 })).toEqual({
      dropped: [],
      deletedRows: 25,
      busy: [],
      failed: [],
    });
    expect(await placed()).toEqual({ spans_20261120: 50 });
  });

  it("retention drops partitions under COPY load without an error", async () => {
    await maintain({ now: addDays(NOW, -40), aheadDays: 41, tables: [SPANS] });
    let loading = true;
    let batches = 0;
    const loader = (async () => {
      while (loading) await load(`load${batches++}`, NOW, 200);
    })();
    await expect.poll(() => batches).toBeGreaterThan(3);
    const { busy } = await dropExpired(sql, { schema: "public", before: addDays(NOW, -20) });
    loading = false;
    await loader;
    expect(busy).toEqual([]);
    expect(await partitionNames()).not.toContain("spans_20261020");
    expect(await count()).toBe(200 * batches);
  });

  it("merges the oldest months when there are too many partitions, and loses nothing under COPY load", async () => {
    await maintain({ now: addDays(NOW, -75), aheadDays: 80, tables: [SPANS] });
    await load("spread", addDays(NOW, -75), 7_500, 864);
    await sql`DELETE FROM spans WHERE trace_id = 'spread-0'`;
    let loading = true;
    let batches = 0;
    const loader = (async () => {
      while (loading) await load(`load${batches++}`, addDays(NOW, batches % 2 === 0 ? 0 : -60), 100);
    })();
    await expect.poll(() => batches).toBeGreaterThan(3);
    const { merged, busy } = await maintain({ maxLive: 40, tables: [SPANS] });

    loading = false;
    await loader;
    expect(busy).toEqual([]);
    expect(merged).toEqual(["spans_20260906_20261001", "spans_20261001_20261101"]);
    expect((await partitionNames()).length).toBeLessThanOrEqual(40);
    expect(await count()).toBe(7_499 + 100 * batches);
    expect(await count("start_time >= '2026-09-10' AND start_time < '2026-09-11'")).toBe(100);
  });

  it("gives way to whoever holds a table, says so, and does the work in the next run", async () => {
    const holder = await sql.reserve();
    await holder`BEGIN`;
    await holder`LOCK TABLE spans_default IN ACCESS SHARE MODE`;
    const started = performance.now();
    const first = await maintain({ aheadDays: 0 });
    expect(first.busy).toEqual(["spans"]);
    expect(first.created).toContain("generation_logs_20261120");
    expect(performance.now() - started).toBeLessThan(30_000);
    await holder`COMMIT`;
    holder.release();
    expect((await maintain({ aheadDays: 0 })).created).toEqual(["spans_20261120"]);
  }, 60_000);

  it("keeps a column that the user has added, also a generated one", async () => {
    await load("row", NOW, 5);
    const [{ major }] = await sql<[{ major: number }]>`SELECT current_setting('server_version_num')::int / 10000 AS major`;
    await sql.unsafe(
      `ALTER TABLE spans ADD COLUMN note text, ADD COLUMN shout text GENERATED ALWAYS AS (upper(name)) ${major >= 18 ? "VIRTUAL" : "STORED"}`,
    );
    await sql`UPDATE spans SET note = 'kept'`;
    await maintain();
    expect(await sql`SELECT DISTINCT note, shout, tableoid::regclass::text AS name FROM spans`).toEqual([
      { note: "kept", shout: "N", name: "spans_20261120" },
    ]);
  });

  describe("the lease of a job", () => {
    const lease = (holder: string, ttlMillis = 60_000): LeaseOptions => ({ schema: "public", job: "test", holder, ttlMillis });

    it("lets one of many collectors work at a time", async () => {
      let working = 0;
      let most = 0;
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          runUnderLease(sql, lease(`collector ${index}`), async () => {
            most = Math.max(most, ++working);
            await sleep(300);
            working--;
            return index;
          }),
        ),
      );
      expect(most).toBe(1);
      expect(outcomes.filter((outcome) => outcome !== undefined)).toHaveLength(1);
      expect(await runUnderLease(sql, lease("another"), async () => "free again")).toBe("free again");
    });

    it("passes on when its holder has died, and is kept while its holder works", async () => {
      await sql`INSERT INTO job_leases VALUES ('test', 'dead', now() + interval '600 ms')`;
      expect(await runUnderLease(sql, lease("next"), async () => "ran")).toBeUndefined();
      await sleep(700);
      const long = runUnderLease(sql, lease("next", 450), async (lost) => {
        await sleep(1_500);
        return lost.aborted;
      });
      await sleep(1_000);
      expect(await runUnderLease(sql, lease("thief"), async () => "ran")).toBeUndefined();
      expect(await long).toBe(false);
    });

    it("tells its holder when it is lost, and is given back after an error", async () => {
      const lost = await runUnderLease(sql, lease("slow", 300), async (signal) => {
        await sql`UPDATE job_leases SET holder = 'thief', expires_at = now() + interval '1 minute'`;
        await sleep(400);
        return signal.aborted;
      });
      expect(lost).toBe(true);
      expect(await sql`DELETE FROM job_leases RETURNING holder`).toEqual([{ holder: "thief" }]);
      await expect(runUnderLease(sql, lease("failing"), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
      expect(await sql`SELECT FROM job_leases`).toHaveLength(0);
    });
  });

  describe("the job", () => {
    const job = (holder: string, metrics = createMetrics()) =>
      createPartitionJob({ sql, schema: "public", holder, metrics, log: createLog("silent") });

    it("runs once for many collectors that start at the same moment", async () => {
      const reports = await Promise.all(Array.from({ length: 6 }, (_, index) => job(`collector ${index}`).runOnce()));
      const created = reports.flatMap((report) => report?.created ?? []);
      expect(new Set(created).size).toBe(created.length);
      expect(created).toHaveLength(8 * PARTITIONED_TABLES.length);
    });

    it("SCH-06 reports the rows in DEFAULT, also where maintenance fails", async () => {
      const metrics = createMetrics();
      await load("absurd", new Date("1999-01-01T00:00:00Z"), 7);
      await sql`ALTER TABLE job_leases RENAME TO hidden`;
      await expect(job("failing", metrics).runOnce()).rejects.toThrow(/job_leases/);
      expect(await metrics.registry.metrics()).toContain('genspan_default_partition_rows{table="spans"} 7');
    });

    it("stops within seconds while a table is locked", async () => {
      const holder = await sql.reserve();
      await holder`BEGIN`;
      await holder`LOCK TABLE spans IN ACCESS EXCLUSIVE MODE`;
      const waiting = job("waiting");
      waiting.start();
      await expect.poll(() => sql`SELECT FROM job_leases`).toHaveLength(1);
      const started = performance.now();
      await waiting.stop();
      expect(performance.now() - started).toBeLessThan(3_000);
      await holder`ROLLBACK`;
      holder.release();
    });

    it("starts at once, and stops safely before the start, in the middle and twice", async () => {
      await job("never started").stop();
      const started = job("started");
      started.start();
      await expect.poll(partitionNames, { timeout: 20_000 }).toHaveLength(8);
      await started.stop();
      await started.stop();
      expect(await sql`SELECT FROM job_leases`).toHaveLength(0);
    });
  });
});

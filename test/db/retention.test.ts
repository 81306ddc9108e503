import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLog } from "../../collector/base/log.ts";
import { createMetrics } from "../../collector/base/metrics.ts";
import { createPartitionJob } from "../../collector/jobs/partition-job.ts";
import { addDays, dayOf } from "../../collector/jobs/partition-plan.ts";
import { maintainPartitions } from "../../collector/jobs/partitions.ts";
import { dropExpired, previewExpired } from "../../collector/jobs/retention.ts";
import { PARTITIONED_TABLES, readPartitions } from "../../schema/partitions.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { span } from "../support/encoded-request.ts";
import { createExporterRig, type ExporterRig } from "../support/exporter-rig.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";
const EXPIRED_ROWS = LONG ? 10_000_000 : 200_000;
const DAY_MS = 86_400_000;
const SPANS = PARTITIONED_TABLES.find((table) => table.name === "spans")!;

describeEachServer("retention", (server) => {
  let database: TestDatabase;
  let rig: ExporterRig;
  const metrics = createMetrics();
  const today = dayOf(new Date());
  beforeEach(async () => {
    database = await createTestDatabase(server);
    rig = createExporterRig({ url: database.url });
  });
  afterEach(async () => {
    await rig.stop();
    await database[Symbol.asyncDispose]();
  });

  const job = (retentionMillis: number) =>
    createPartitionJob({ sql: rig.sql, schema: "public", holder: "test", log: createLog("silent"), metrics, retentionMillis });
  /** Expired spans of ten days, written in SQL; where their days have partitions, they lie there. */
  const fill = (rows: number) => rig.sql`
    INSERT INTO spans (project_id, trace_id, span_id, start_time, start_nano, name, kind, service_name, status_code, attributes, resource_id, received_at)
    SELECT 1, md5(g::text), left(md5(g::text), 16), ${addDays(today, -60)}::timestamptz + g * interval '10 days' / ${rows}::bigint, 0, 'old', 1, 's', 0, '{}',
      '00000000-0000-0000-0000-000000000000', now() FROM generate_series(0, ${rows}::bigint - 1) g`;

  it("removes nothing unless it is asked to", async () => {
    await maintainPartitions(rig.sql, { schema: "public", now: addDays(today, -60), aheadDays: 10, tables: [SPANS] });
    await fill(1_000);
    expect((await job(0).runOnce())?.expired).toBeUndefined();
    expect(await rig.count("spans")).toBe(1_000);
  });

  it("drops partitions that are past in every table, and keeps the one that holds the boundary", async () => {
    await maintainPartitions(rig.sql, { schema: "public", now: addDays(today, -60), aheadDays: 10 });
    await fill(1_000);
    const report = await job(55 * DAY_MS).runOnce();
    expect(report?.expired?.dropped).toHaveLength(5 * PARTITIONED_TABLES.length);
    expect(await rig.count("spans")).toBe(500);
    for (const table of PARTITIONED_TABLES) {
      const [first] = await readPartitions({ sql: rig.sql, schema: "public", table });
      expect(first?.from).toEqual(addDays(today, -55));
    }
  });

  it("SE-3 says beforehand what will go: as many rows of each table as go then", async () => {
    await maintainPartitions(rig.sql, { schema: "public", now: addDays(today, -60), aheadDays: 5 });
    await fill(1_000);
    const old = addDays(today, -60);
    const young = addDays(today, -1);
    for (const [at, hash] of [
      [old, "aa"],
      [young, "bb"],
    ] as const) {
      await rig.sql`INSERT INTO image_traces (project_id, id, status, created_at, received_at) VALUES (1, gen_random_uuid(), 'completed', ${at}, ${at})`;
      await rig.sql`INSERT INTO generation_items (project_id, id, item_id, created_at, updated_at) VALUES (1, gen_random_uuid(), ${hash}, ${at}, ${at})`;
      await rig.sql`INSERT INTO ingest_rejected (project_id, id, signal, reason, raw, received_at) VALUES (1, gen_random_uuid(), 'traces', 'x', '', ${at})`;
      for (const status of ["running", "success"])
        await rig.sql`INSERT INTO generation_runs (project_id, id, run_id, started_at, status, created_at, updated_at)
          VALUES (1, gen_random_uuid(), ${hash + status}, ${at}, ${status}, ${at}, ${at})`;
      await rig.sql`INSERT INTO blobs (project_id, hash, size_bytes, content, received_at) VALUES (1, decode(repeat(${hash}, 32), 'hex'), 1, 'x', ${at})`;
    }
    // Binary content that a young call still refers to stays.
    await rig.sql`INSERT INTO blobs (project_id, hash, size_bytes, content, received_at) VALUES (1, decode(repeat('cc', 32), 'hex'), 1, 'x', ${old})`;
    await rig.sql`INSERT INTO outputs (project_id, trace_id, span_id, start_time, output_number, direction, blob_hash, received_at)
      VALUES (1, 'a', 'b', ${young}, 1, 'output', decode(repeat('cc', 32), 'hex'), ${young})`;
    const before = addDays(today, -53);
    const tables = ["spans", "image_traces", "generation_items", "generation_runs", "ingest_rejected", "blobs"];
    const counts = async (): Promise<number[]> => Promise.all(tables.map((table) => rig.count(table)));
    const had = await counts();
    const expired = await previewExpired(rig.sql, { schema: "public", before });
    expect(await counts()).toEqual(had);
    await dropExpired(rig.sql, { schema: "public", before });
    const gone = (await counts()).map((count, i) => had[i]! - count);
    const told = tables.map((table) => expired.filter((each) => each.table === table).reduce((sum, { rows }) => sum + rows, 0));
    expect(told).toEqual(gone);
    expect(gone.slice(1)).toEqual([1, 1, 1, 1, 1]);
    expect(gone[0]).toBeGreaterThan(500);
  });

  it("is left to one of two collectors that run it at once", async () => {
    await fill(100);
    const other = createPartitionJob({
      sql: rig.sql,
      schema: "public",
      holder: "other",
      log: createLog("silent"),
      metrics,
      retentionMillis: DAY_MS,
    });
    const reports = await Promise.all([job(DAY_MS).runOnce(), other.runOnce()]);
    expect(reports.reduce((sum, report) => sum + (report?.expired?.deletedRows ?? 0), 0)).toBe(100);
  });

  describe.each([
    ["in partitions of their own", true],
    ["in DEFAULT, where they came late", false],
  ])("with many expired rows %s", (_, partitioned) => {
    it(`SCH-07 removes ${EXPIRED_ROWS} rows while spans are written: all of those are stored, and none waits for it`, {
      timeout: LONG ? 1_800_000 : 120_000,
    }, async () => {
      if (partitioned) await maintainPartitions(rig.sql, { schema: "public", now: addDays(today, -60), aheadDays: 10, tables: [SPANS] });
      await fill(EXPIRED_ROWS);
      let removing = true;
      let sent = 0;
      const waits: number[] = [];
      const writer = (async () => {
        while (removing || sent < 20) {
          const started = performance.now();
          const result = await rig.write(Array.from({ length: 20 }, (_, i) => span(`new ${sent} ${i}`, { start_time: Date.now() })));
          waits.push(performance.now() - started);
          expect(result.kind).toBe("committed");
          sent++;
          await sleep(5);
        }
      })();
      const report = await job(30 * DAY_MS).runOnce();
      removing = false;
      await writer;
      expect(report?.expired).toMatchObject(
        partitioned ? { busy: [], deletedRows: 0 } : { busy: [], dropped: [], deletedRows: EXPIRED_ROWS },
      );
      expect(await rig.count("spans")).toBe(20 * sent);
      // Far below the deadline of a sender; what a busy machine adds is no lock.
      expect(Math.max(...waits)).toBeLessThan(4_000);
    });
  });
});

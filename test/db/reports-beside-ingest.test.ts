import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createPool } from "../../collector/query/pool.ts";
import { runSql } from "../../collector/query/run-sql.ts";
import { ensureReader } from "../../schema/reader.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { generation } from "../support/encoded-request.ts";
import { createExporterRig, type ExporterRig } from "../support/exporter-rig.ts";

const REPORT_MILLIS = process.env["GENSPAN_TEST_LONG"] === "1" ? 60_000 : 3_000;

/** Reads everything again and again, for about a minute or much longer. */
const REPORT = "SELECT count(*) FROM spans a, spans b, spans c WHERE a.name < b.name AND b.name < c.name";

describeEachServer("beside ingest", (server) => {
  let database: TestDatabase;
  let rig: ExporterRig;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rig = createExporterRig({ url: database.url });
  });
  afterAll(async () => {
    await rig.stop();
    await database[Symbol.asyncDispose]();
  });

  it("DBF-19 a report that takes too long is ended at its own limit, maintenance runs, and every write is committed in time", {
    timeout: REPORT_MILLIS + 90_000,
  }, async () => {
    for (let i = 0; i < 20; i++) await rig.write(Array.from({ length: 200 }, (_, j) => generation(`before ${i} ${j}`)));
    const { url } = await ensureReader({ url: database.url, schema: "public" });
    const began = performance.now();
    const report = runSql(REPORT, { url, projectId: 1, schema: "public", timeoutMillis: REPORT_MILLIS });
    const ended = expect(report).rejects.toMatchObject({ code: "57014" });
    const maintenance = (async () => {
      for (let i = 0; i < 3; i++) await rig.sql`VACUUM (ANALYZE) spans, generation_logs`;
    })();
    let running = true;
    const done = Promise.all([ended, maintenance]).finally(() => {
      running = false;
    });
    let requests = 0;
    const waits: number[] = [];
    while (running) {
      const started = performance.now();
      const items = Array.from({ length: 50 }, (_, i) => generation(`during ${requests} ${i}`));
      expect(await rig.write(items)).toMatchObject({ kind: "committed", stored: 50 });
      waits.push(performance.now() - started);
      requests++;
      await sleep(2);
    }
    await done;
    expect(performance.now() - began).toBeLessThan(REPORT_MILLIS + 17_000);
    expect(requests).toBeGreaterThan(10);
    expect(Math.max(...waits)).toBeLessThan(4_000);
    expect(await rig.count("generation_logs")).toBe(4_000 + 50 * requests);
  });

  it("DBF-19 pages read through sessions of their own, which end what takes longer than a minute", async () => {
    const reading = createPool(database.url, 1);
    const [{ timeout }] = await reading<[{ timeout: string }]>`SELECT current_setting('statement_timeout') AS timeout`;
    await reading.end();
    expect(timeout).toBe("1min");
  });
});

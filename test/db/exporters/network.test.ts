import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { WriteResult } from "../../../collector/rows/encoded-request.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../../support/database.ts";
import { generation, type Item, resource, span, untimed } from "../../support/encoded-request.ts";
import { countsOf, createExporterRig, type ExporterRig, type RigOptions } from "../../support/exporter-rig.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";
const OUTAGE_MS = LONG ? 60_000 : 4_000;
const DEADLINE_MS = 1_000;

/** Answers by what became of them. */
const tally = (results: readonly WriteResult[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const result of results) {
    const name = result.kind === "failed" ? result.reason : result.kind;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

describeEachServer("the way to the database", (server) => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let rig: ExporterRig;
  const rigThrough = (options: Partial<RigOptions> = {}): ExporterRig =>
    createExporterRig({ url: proxy.urlFor(database.url), directUrl: database.url, writeDeadlineMillis: DEADLINE_MS, ...options });

  beforeAll(async () => {
    database = await createTestDatabase(server);
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    const { hostname, port } = new URL(database.url);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    rig = rigThrough();
  });
  afterEach(async () => {
    await rig.sql`TRUNCATE spans, generation_logs`;
    await rig.stop();
    await proxy.close();
  });

  async function until(condition: () => boolean, millis = 5_000): Promise<void> {
    const end = performance.now() + millis;
    while (!condition()) {
      if (performance.now() > end) throw new Error("it did not come to pass in time");
      await sleep(10);
    }
  }
  const timed = async (work: Promise<WriteResult>): Promise<{ result: WriteResult; millis: number }> => {
    const began = performance.now();
    const result = await work;
    return { result, millis: performance.now() - began };
  };

  it("DBF-03 every request is answered in time when all sockets are reset while requests are under way; nothing is doubled", async () => {
    const items = Array.from({ length: 20 }, (_, i): Item[][] => [generation(`g${i}`)]);
    await rig.write([span("warm")]);
    for (let round = 0; round < 5; round++) {
      const answers = items.map((each) => timed(rig.write(each)));
      await sleep(round);
      proxy.reset();
      const settled = await Promise.all(answers);
      expect(Math.max(...settled.map(({ millis }) => millis))).toBeLessThan(DEADLINE_MS + 500);
    }
    await until(() => rig.exporter.ready());
    const final = await Promise.all(items.map((each) => rig.write(each)));
    expect(tally(final)).toEqual({ committed: 20 });
    expect(await rig.count("spans")).toBe(21);
  });

  it("DBF-04 a port that closes at once is asked fewer than five times a second; requests fail in time; service resumes", {
    timeout: OUTAGE_MS + 20_000,
  }, async () => {
    await rig.write([span("warm")]);
    proxy.setMode("fin");
    proxy.reset();
    const from = proxy.accepted.length;
    const end = performance.now() + OUTAGE_MS;
    for (let i = 0; performance.now() < end; i++) {
      const { result, millis } = await timed(rig.write([span(`s${i}`)]));
      expect(result).toMatchObject({ kind: "failed", reason: "database" });
      expect(millis).toBeLessThan(DEADLINE_MS + 500);
    }
    const attempts = proxy.accepted.slice(from);
    const perSecond = attempts.map((at) => attempts.filter((other) => other >= at && other < at + 1_000).length);
    expect(attempts.length).toBeGreaterThan(2);
    expect(Math.max(...perSecond)).toBeLessThan(5);
    expect(rig.exporter.ready()).toBe(false);
    proxy.setMode("pass");
    await until(() => rig.exporter.ready());
    expect(await rig.write([span("after")])).toMatchObject({ kind: "committed", stored: 1 });
  });

  it("DBF-06 stops within the grace time although the database hangs, and says what was not written", async () => {
    const slow = rigThrough({ writeDeadlineMillis: 30_000 });
    await slow.write([span("warm")]);
    proxy.setMode("hang");
    const answer = slow.write([span("a"), span("b")]);
    await sleep(50);
    const began = performance.now();
    expect(await slow.exporter.stop(300)).toEqual({ unwritten: 2 });
    expect(performance.now() - began).toBeLessThan(2_500);
    expect(await answer).toMatchObject({ kind: "failed", reason: "stopping" });
    await slow.sql.end();
  });

  it("DBF-06 stops at once right after a reset when nothing waits", async () => {
    const idle = rigThrough();
    await idle.write([span("warm")]);
    proxy.reset();
    const began = performance.now();
    expect(await idle.exporter.stop(5_000)).toEqual({ unwritten: 0 });
    expect(performance.now() - began).toBeLessThan(1_500);
    await idle.sql.end();
  });

  it("OPS-01 what was committed although the reply was lost counts as stored, not as duplicate", async () => {
    const patient = rigThrough({ writeDeadlineMillis: 10_000, connections: 1 });
    await patient.write([span("warm")]);
    proxy.setMode("mute");
    const answer = patient.write([span("a"), span("a"), generation("b"), untimed("c", Date.UTC(2026, 5, 2))]);
    await expect.poll(() => patient.count("spans"), { timeout: 5_000 }).toBe(4);
    proxy.setMode("pass");
    proxy.reset();
    expect(countsOf(await answer)).toEqual({ stored: 3, duplicates: 1, conflicting: 0, refused: 0 });
    expect(await patient.count("spans")).toBe(4);
    await patient.stop();
  });

  it("notices a lost database while nothing is written, and its return", async () => {
    await until(() => rig.exporter.ready());
    proxy.setMode("fin");
    proxy.reset();
    await until(() => !rig.exporter.ready());
    proxy.setMode("pass");
    await until(() => rig.exporter.ready());
  });

  it("a session that hangs is cut at the deadline and replaced, while the database still hangs; service resumes with it", async () => {
    await until(() => proxy.accepted.length === 2);
    await rig.write([span("warm")]);
    const before = proxy.accepted.length;
    proxy.setMode("hang");
    const { result, millis } = await timed(rig.write([span("a")]));
    expect(result).toMatchObject({ kind: "failed", reason: "database" });
    expect(millis).toBeLessThan(DEADLINE_MS + 500);
    await until(() => proxy.accepted.length > before);
    proxy.setMode("pass");
    await until(() => rig.exporter.ready());
    expect(await rig.write([span("b")])).toMatchObject({ kind: "committed" });
  });

  it("resources are offered again after a lost connection: the database behind it may be an older state", async () => {
    await rig.write([span("a")], { shared: [resource()] });
    expect(await rig.count("resources")).toBe(1);
    await rig.sql`TRUNCATE resources`;
    proxy.reset();
    await until(() => !rig.exporter.ready());
    await until(() => rig.exporter.ready());
    await rig.write([span("b")], { shared: [resource()] });
    expect(await rig.count("resources")).toBe(1);
  });

  it("DBF-17 a slow database bounds what waits: some are stored, the rest is told to come back, and memory stays within the budget", {
    timeout: 60_000,
  }, async () => {
    const maxPendingBytes = 300_000;
    const slow = rigThrough({ writeDeadlineMillis: 5_000, maxPendingBytes });
    await slow.write([span("warm")]);
    proxy.setDelay(LONG ? 2_000 : 600);
    const large = Array.from({ length: 200 }, (_, i) => slow.write([generation(`g${i}`, { prompt_full_text: "p".repeat(2_000) })]));
    const pending = (await slow.metrics.pendingBytes.get()).values[0]!.value;
    expect(pending).toBeGreaterThan(0);
    expect(pending).toBeLessThanOrEqual(maxPendingBytes);
    const results = tally(await Promise.all(large));
    expect(results["committed"]).toBeGreaterThan(50);
    expect(results["overload"]).toBeGreaterThan(50);
    expect((results["committed"] ?? 0) + (results["overload"] ?? 0)).toBe(200);
    proxy.setDelay(0);
    await sleep(700);
    await slow.stop();
  });

  it("MEM-01 a hung database bounds what waits; afterwards service resumes within seconds and every byte is given back", {
    timeout: OUTAGE_MS + 30_000,
  }, async () => {
    const maxPendingBytes = 4_000_000;
    const hung = rigThrough({ maxPendingBytes });
    await hung.write([span("warm")]);
    proxy.setMode("hang");
    const answers: Promise<WriteResult>[] = [];
    const peak = { pending: 0 };
    const end = performance.now() + OUTAGE_MS;
    for (let i = 0; performance.now() < end; i++) {
      const items = Array.from({ length: 250 }, (_, j) => generation(`${i}/${j}`, { prompt_full_text: "p".repeat(2_000) }));
      answers.push(hung.write(items));
      peak.pending = Math.max(peak.pending, (await hung.metrics.pendingBytes.get()).values[0]!.value);
      await sleep(50);
    }
    const results = tally(await Promise.all(answers));
    expect(peak.pending).toBeLessThanOrEqual(maxPendingBytes);
    expect(results["committed"]).toBeUndefined();
    expect(results["overload"]).toBeGreaterThan(0);
    expect(results["database"]).toBeGreaterThan(0);
    proxy.setMode("pass");
    const began = performance.now();
    await until(() => hung.exporter.ready(), 10_000);
    expect(await hung.write([span("after")])).toMatchObject({ kind: "committed" });
    expect(performance.now() - began).toBeLessThan(10_000);
    await expect.poll(async () => (await hung.metrics.pendingBytes.get()).values[0]!.value, { timeout: 3_000 }).toBe(0);
    await hung.stop();
  });
});

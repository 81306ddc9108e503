import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../collector/embedded/server.ts";
import { lockSchemaChanges } from "../../schema/connect.ts";
import { createEmptyDatabase, describeEachServer, startPrivateCluster } from "../support/database.ts";
import { BASE_MS, tracesOf } from "../support/otlp-json.ts";
import { type Program, removeFolder, startProgram } from "../support/program.ts";
import { countOf, createSender, metricOf, whileRunning } from "../support/sender.ts";
import { mountTmpfs, tmpfsWorks, unmount } from "../support/tmpfs.ts";
import { any, keyValue, lengthField, span, spanId, tracesRequest } from "../support/wire-builder.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";

const ask = async (url: string): Promise<[number, string]> => {
  const response = await fetch(url);
  return [response.status, (await response.text()).trim()];
};

describe("a running collector", () => {
  let cluster: Awaited<ReturnType<typeof startPrivateCluster>>;
  let program: Program;
  beforeAll(async () => {
    cluster = await startPrivateCluster("embedded");
    const port = await freePort("127.0.0.1", 0);
    program = await startProgram({
      env: { DATABASE_URL: cluster.url, ...pointedAt(`http://127.0.0.1:${port}`) },
      config: `receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}\nexporters: {postgres: {pending_timeout: 2s}}`,
    });
  });
  afterAll(async () => {
    expect(await program.end()).toBe(0);
    removeFolder(program);
    await cluster.destroy();
  });

  /** Set for every process of a machine, as operators do: the collector must not take it as meant for itself. */
  const pointedAt = (url: string) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_SERVICE_NAME: "genspan",
  });

  it("PRC-12 makes no telemetry of its own out of what it takes in", async () => {
    const before = await metricOf(program.webUrl, 'genspan_received_items_total{signal="traces"}');
    const sender = createSender(() => program.otlpUrl);
    for (let i = 0; i < 10; i++) await sender.send(10);
    await sleep(1_500);
    expect(await metricOf(program.webUrl, 'genspan_received_items_total{signal="traces"}')).toBe(before + 100);
    expect(await countOf(cluster.url, "SELECT count(*)::int AS n FROM spans WHERE service_name = 'genspan'")).toBe(0);
  });

  it("makes a timeout of a call that never ends, after the time that its configuration allows", async () => {
    const attributes = { "gen_ai.operation.name": "chat", "genspan.record": "pending" };
    const announcement = tracesOf({ id: "open", parent: "call", tookMs: 0, at: Date.now() - BASE_MS, attributes });
    const answer = await fetch(`${program.otlpUrl}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(announcement),
    });
    expect([answer.status, await answer.text()]).toEqual([200, "{}"]);
    const timeouts = () =>
      countOf(
        cluster.url,
        "SELECT count(*)::int AS n FROM generation_logs WHERE generation_status = 'timeout' AND error_type = 'genspan.never_ended'",
      );
    await expect.poll(timeouts, { timeout: 20_000, interval: 200 }).toBe(1);
  });

  it("OPS-07 has the same metrics whatever services and models report to it", async () => {
    const series = async (): Promise<string[]> => {
      const text = await (await fetch(`${program.webUrl}/metrics`)).text();
      return text.split("\n").flatMap((line) => /^(genspan\S+) /.exec(line)?.[1] ?? []);
    };
    const services = 10_000;
    const each = Array.from({ length: services }, (_, i) => {
      const resource = lengthField(1, keyValue("service.name", any.string(`service-${i}`)));
      const model = keyValue("gen_ai.request.model", any.string(`model-${i}`));
      return tracesRequest([span({ spanId: spanId(2_000_000 + i), name: `name-${i}`, attributes: [model] })], resource);
    });
    const send = async (from: number, to: number): Promise<void> => {
      const response = await fetch(`${program.otlpUrl}/v1/traces`, {
        method: "POST",
        headers: { "content-type": "application/x-protobuf" },
        body: new Uint8Array(Buffer.concat(each.slice(from, to))),
      });
      expect(response.status).toBe(200);
    };
    // What the first request brings is there, and so are the counts of partitions, which are made beside ingest.
    await send(0, 500);
    const partitions = async (): Promise<boolean> => (await series()).some((name) => name.startsWith("genspan_default_partition_rows{"));
    await expect.poll(partitions, { timeout: 20_000 }).toBe(true);
    const before = await series();
    for (let i = 500; i < services; i += 500) await send(i, i + 500);
    expect(await countOf(cluster.url, "SELECT count(DISTINCT service_name)::int AS n FROM spans WHERE service_name LIKE 'service-%'")).toBe(
      services,
    );
    const after = await series();
    expect(after.filter((name) => /service-|model-|name-/.test(name))).toEqual([]);
    expect(after.length).toBe(before.length);
  });

  it("OPS-02 OPS-03 without its database it lives, says why it is not ready, and writes a line per cause every ten seconds at most", {
    timeout: LONG ? 900_000 : 120_000,
  }, async () => {
    const outageMillis = LONG ? 600_000 : 15_000;
    const logBefore = program.output().length;
    expect(await ask(`${program.webUrl}/readyz`)).toEqual([200, "ready"]);
    await cluster.stop();
    await expect.poll(() => ask(`${program.webUrl}/readyz`), { timeout: 10_000 }).toEqual([503, "database"]);
    const sender = createSender(() => program.otlpUrl);
    const over = sleep(outageMillis);
    const alive = new Set<number>();
    await Promise.all([
      ...Array.from({ length: 40 }, () => whileRunning(over, () => sender.send(), 80)),
      whileRunning(over, async () => alive.add((await ask(`${program.webUrl}/livez`))[0]), 500),
    ]);
    expect([...alive]).toEqual([200]);
    expect([...sender.statuses.keys()].toSorted()).toEqual([...(sender.statuses.has(429) ? [429] : []), 503]);
    const refused = [...sender.statuses.values()].reduce((sum, count) => sum + count, 0);
    expect(refused).toBeGreaterThan(100);

    const lines = program
      .output()
      .slice(logBefore)
      .trim()
      .split("\n")
      .filter((line) => line.startsWith("{"));
    const byCause = Map.groupBy(lines, (line) => (JSON.parse(line) as { msg: string }).msg);
    for (const [cause, said] of byCause) expect([cause, said.length <= outageMillis / 10_000 + 2]).toEqual([cause, true]);
    const suppressed = lines.map((line) => (JSON.parse(line) as { suppressed?: number }).suppressed ?? 0);
    expect(Math.max(...suppressed)).toBeGreaterThan(0);

    await cluster.start();
    await expect.poll(() => ask(`${program.webUrl}/readyz`), { timeout: 20_000 }).toEqual([200, "ready"]);
    await expect.poll(() => sender.send(), { timeout: 20_000 }).toBe(200);
  });
});

describeEachServer("a collector that starts", (server) => {
  it("OPS-02 lives and is not ready while migrations wait, and takes data afterwards", { timeout: 60_000 }, async () => {
    await using database = await createEmptyDatabase(server);
    const port = await freePort("127.0.0.1", 0);
    const web = `http://127.0.0.1:${port}`;
    const other = postgres(database.url, { max: 1, onnotice: () => {} });
    const gate = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const otherMigrator = other.begin(async (tx) => {
      await lockSchemaChanges(tx, "public");
      held.resolve();
      await gate.promise;
    });
    await held.promise;
    const starting = startProgram({
      env: { DATABASE_URL: database.url },
      config: `extensions: {web: {endpoint: "127.0.0.1:${port}"}}`,
    });
    await expect.poll(() => ask(`${web}/readyz`).catch(() => undefined), { timeout: 20_000 }).toEqual([503, "migrating"]);
    expect(await ask(`${web}/livez`)).toEqual([200, "ok"]);
    expect((await ask(web))[0]).toBe(503);
    gate.resolve();
    await otherMigrator;
    const program = await starting;
    expect(await ask(`${web}/readyz`)).toEqual([200, "ready"]);
    expect(await createSender(() => program.otlpUrl).send()).toBe(200);
    expect(await program.end()).toBe(0);
    removeFolder(program);
    await other.end();
  });
});

it.skipIf(!tmpfsWorks())(
  "OPS-02 a nearly full disk of the embedded database shows in readiness, and data is taken as long as there is room (skipped where a tmpfs cannot be mounted)",
  { timeout: 90_000 },
  async () => {
    const folder = mountTmpfs(700);
    try {
      const program = await startProgram({ env: { GENSPAN_DATA_DIR: join(folder, "data") } });
      const sender = createSender(() => program.otlpUrl);
      expect(await ask(`${program.webUrl}/readyz`)).toEqual([200, "ready"]);
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(join(folder, "filler"), Buffer.alloc(bavail * bsize - 40 * 1024 * 1024));
      await expect.poll(() => ask(`${program.webUrl}/readyz`), { timeout: 15_000 }).toEqual([503, "disk"]);
      expect(await sender.send()).toBe(200);
      rmSync(join(folder, "filler"));
      await expect.poll(() => ask(`${program.webUrl}/readyz`), { timeout: 15_000 }).toEqual([200, "ready"]);
      expect(await program.end()).toBe(0);
      removeFolder(program);
    } finally {
      unmount(folder);
    }
  },
);

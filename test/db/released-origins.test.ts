import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { originMemory } from "../../collector/app/origin-memory.ts";
import { createLog } from "../../collector/base/log.ts";
import { deleteRows } from "../../collector/commands/erase/delete-rows.ts";
import { erase, sweepErasures } from "../../collector/commands/erase/index.ts";
import { createReleasedOrigins, type ReleasedOrigins } from "../../collector/jobs/released-origins.ts";
import { dropExpired } from "../../collector/jobs/retention.ts";
import { createPartition, PARTITIONED_TABLES } from "../../schema/partitions.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { logsOf, TRACE, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";

const CANARY = "canary-4be1";
const MINUTE_MS = 60_000;
const traceOf = (name: string): string => createHash("md5").update(name).digest("hex");
const SPANS = PARTITIONED_TABLES.find((table) => table.name === "spans")!;

interface Body {
  readonly resourceSpans: { resource: object; scopeSpans: { scope?: object }[] }[];
}

/** A span of a process on `host`, in a trace of its own; `user` asked. */
function spanOn(host: string, trace: string, user = "u"): object {
  const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "user.id": user };
  const body = JSON.parse(JSON.stringify(tracesOf({ id: "call", attributes: chat })).replaceAll(TRACE, traceOf(trace))) as Body;
  for (const each of body.resourceSpans) {
    each.resource = { attributes: [{ key: "host.name", value: { stringValue: host } }] };
    for (const below of each.scopeSpans) below.scope = { name: `of ${host}` };
  }
  return body;
}

describeEachServer("resources that nothing points to", (server) => {
  let database: TestDatabase;
  let here: PipelineRig;
  let there: PipelineRig;
  let hearing: ReleasedOrigins;
  beforeAll(async () => {
    database = await createTestDatabase(server);
  });
  afterAll(() => database?.[Symbol.asyncDispose]());

  beforeEach(async () => {
    [here, there] = [createPipelineRig(database.url), createPipelineRig(database.url)];
    hearing = hearingOf(there);
    await hearing.refresh();
  });
  afterEach(async () => {
    await hearing.stop();
    await there.stop();
    await here.empty("spans", "generation_logs", "log_records", "resources", "scopes", "released_origins", "tombstones", "erasures");
    await here.stop();
  });

  const hearingOf = (rig: PipelineRig): ReleasedOrigins =>
    createReleasedOrigins({ sql: rig.sql, schema: "public", log: createLog("silent"), memory: originMemory(rig.exporter, 0) });
  const send = async (rig: PipelineRig, body: object): Promise<void> => {
    expect(await rig.send(body)).toMatchObject({ kind: "accepted" });
    await rig.refiner.settled();
  };
  const writer = () => ({ sql: here.sql, schema: "public", projectId: 1, actor: "test" });
  const eraseUser = (value: string) => erase(writer(), { kind: "user", value });
  const sweep = () => sweepErasures({ ...writer(), withinMillis: MINUTE_MS });
  const hosts = async (): Promise<unknown[]> =>
    (await here.sql`SELECT attributes ->> 'host.name' AS host FROM resources ORDER BY host`).map((row) => row["host"]);
  const scopes = async (): Promise<unknown[]> => (await here.sql`SELECT name FROM scopes ORDER BY name`).map((row) => row["name"]);
  const spansWithoutOrigin = () => here.sql`
    SELECT FROM spans s WHERE NOT EXISTS (SELECT FROM resources r WHERE r.project_id = s.project_id AND r.id = s.resource_id)
      OR NOT EXISTS (SELECT FROM scopes c WHERE c.project_id = s.project_id AND c.id = s.scope_id)`;

  it("PRV-01 go with the last span of an erased user, and those of others stay", async () => {
    await send(here, spanOn(CANARY, "mine", "me"));
    await send(here, spanOn("shared", "also mine", "me"));
    await send(here, spanOn("shared", "theirs"));
    expect((await eraseUser("me")).deleted).toMatchObject({ spans: 2, resources: 1, scopes: 1 });
    expect(await hosts()).toEqual(["shared"]);
    expect(await scopes()).toEqual(["of shared"]);
    expect(JSON.stringify(await here.sql`SELECT * FROM released_origins`)).not.toContain(CANARY);
  });

  it("stay while a log record points to them", async () => {
    await send(here, spanOn(CANARY, "mine", "me"));
    const logs = JSON.parse(JSON.stringify(logsOf({ span: "x", name: "e", body: "b" })).replaceAll(TRACE, traceOf("other"))) as {
      resourceLogs: { resource: object }[];
    };
    for (const each of logs.resourceLogs) each.resource = { attributes: [{ key: "host.name", value: { stringValue: CANARY } }] };
    expect(await here.send(logs, "logs")).toMatchObject({ kind: "accepted" });
    await eraseUser("me");
    expect(await hosts()).toEqual([CANARY]);
  });

  it("are stored again by another collector that remembered them, with the next span that needs them", async () => {
    await send(here, spanOn("h", "mine", "me"));
    await send(there, spanOn("h", "mine too", "me"));
    await eraseUser("me");
    expect(await hosts()).toEqual([]);
    await hearing.refresh();
    await send(there, spanOn("h", "next"));
    expect(await hosts()).toEqual(["h"]);
    expect(await spansWithoutOrigin()).toEqual([]);
  });

  it("are put back where another collector wrote a span that needs them before it had heard", async () => {
    await send(there, spanOn("h", "mine", "me"));
    await eraseUser("me");
    await send(there, spanOn("h", "between"));
    expect(await spansWithoutOrigin()).toHaveLength(1);
    await hearing.refresh();
    expect(await spansWithoutOrigin()).toEqual([]);
    expect(await here.sql`SELECT name, attributes FROM scopes`).toEqual([{ name: "of h", attributes: {} }]);
  });

  it("PRV-01 are not put back for the erased spans themselves", async () => {
    await send(there, spanOn(CANARY, "mine", "me"));
    await eraseUser("me");
    await hearing.refresh();
    expect(await hosts()).toEqual([]);
    expect(await scopes()).toEqual([]);
  });

  it("are put back by a collector that stops before it had heard", async () => {
    await send(there, spanOn("h", "mine", "me"));
    await eraseUser("me");
    await send(there, spanOn("h", "between"));
    await hearing.stop();
    expect(await spansWithoutOrigin()).toEqual([]);
  });

  it("are put back also where two erasures released them while the collector went on", async () => {
    await send(there, spanOn("h", "first", "me"));
    await eraseUser("me");
    await send(there, spanOn("h", "second", "you"));
    await hearing.refresh();
    await eraseUser("you");
    await send(there, spanOn("h", "third"));
    await hearing.refresh();
    expect(await spansWithoutOrigin()).toEqual([]);
    expect(await hosts()).toEqual(["h"]);
  });

  it("PRV-01 go by the sweep where an erasure was broken off, or a late write brought them back", async () => {
    await send(here, spanOn(CANARY, "mine", "me"));
    const id = "00000000-0000-4000-8000-000000000001";
    await here.sql`INSERT INTO tombstones (project_id, trace_id, span_id, erasure_id, erased_at) VALUES (1, ${traceOf("mine")}, '', ${id}, now())`;
    await deleteRows({ ...writer(), id });
    expect(await hosts()).toEqual([CANARY]);
    await sweep();
    expect(await hosts()).toEqual([]);
    await send(there, spanOn(CANARY, "mine", "me"));
    expect(await hosts()).toEqual([CANARY]);
    await sweep();
    expect(await hosts()).toEqual([]);
    await here.sql`INSERT INTO resources (project_id, id, attributes) SELECT project_id, id, ${here.sql.json({ "host.name": CANARY })} FROM released_origins WHERE origin_kind = 'resources'`;
    await sweep();
    expect(await hosts()).toEqual([]);
  });

  it("go with the last partition that pointed to them when telemetry expires", async () => {
    const day = (offset: number): Date => new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000 + offset * 86_400_000);
    const target = { sql: here.sql, schema: "public", table: SPANS };
    await createPartition(target, { from: day(-40), to: day(-39) });
    await send(here, spanOn("old", "old"));
    await here.sql`UPDATE spans SET start_time = ${day(-40)}`;
    await send(here, spanOn("new", "new"));
    await dropExpired(here.sql, { schema: "public", before: day(-10) });
    expect(await hosts()).toEqual(["new"]);
    expect(await scopes()).toEqual(["of new"]);
    await send(here, spanOn("old", "again"));
    const own = hearingOf(here);
    await own.refresh();
    await own.stop();
    expect(await spansWithoutOrigin()).toEqual([]);
  });
});

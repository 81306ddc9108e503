import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MARK_CALL, MARK_SECOND_CALL } from "../../collector/rows/trace-marks.ts";
import { createTestDatabase, describeEachServer, startPrivateCluster, type TestDatabase } from "../support/database.ts";
import { BASE_MS, TRACE, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";
import { soon } from "../support/told-apart.ts";

const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai" };
const call = { ...chat, "gen_ai.usage.input_tokens": 631, "gen_ai.usage.output_tokens": 35, "gen_ai.response.id": "r1" };
const outer = { id: "outer", tookMs: 120, attributes: call };
const inner = { id: "inner", parent: "outer", at: 5, tookMs: 100, attributes: call };

describeEachServer("parts of a call that reach two collectors minutes apart", (server) => {
  let database: TestDatabase;
  let rigs: PipelineRig[];
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rigs = [createPipelineRig(database.url), createPipelineRig(database.url)];
    // The first sweep looks at everything; the ones after it are meant here.
    for (const rig of rigs) await rig.refiner.sweep();
  });
  afterAll(async () => {
    for (const rig of rigs) await rig.stop();
    await database[Symbol.asyncDispose]();
  });

  it("are one call with its attempts when what was tried comes last, through the other", async () => {
    const { sql } = rigs[0]!;
    const post = { "http.request.method": "POST", "http.response.status_code": 429 };
    const tried = (id: string, at: number) => ({ id, parent: "inner", at, tookMs: 10, kind: 3, attributes: post });
    await rigs[0]!.send(inTrace(tracesOf(inner), TRACES), "traces");
    await sql`UPDATE generation_logs SET received_at = received_at - interval '5 minutes'`;
    await rigs[1]!.send(inTrace(tracesOf(tried("try1", 10), tried("try2", 30)), TRACES), "traces");
    await rigs[1]!.refiner.settled();
    expect(await sql`SELECT attempts_count FROM generation_logs`).toEqual([{ attempts_count: null }]);
    await rigs[1]!.refiner.sweep();
    await rigs[1]!.refiner.settled();
    expect(await sql`SELECT attempts_count FROM generation_logs`).toEqual([{ attempts_count: 2 }]);
    await rigs[1]!.empty("spans", "generation_logs", "generation_attempts");
  });

  it("are one call after the next sweep", async () => {
    const { sql } = rigs[0]!;
    const at = soon();
    await rigs[0]!.send(tracesOf({ ...outer, at }), "traces");
    await sql`UPDATE generation_logs SET received_at = received_at - interval '5 minutes'`;
    await rigs[1]!.send(tracesOf({ ...inner, at: at + inner.at }), "traces");
    for (const rig of rigs) await rig.refiner.settled();
    expect(await sql`SELECT FROM generation_logs`).toHaveLength(2);
    await rigs[1]!.refiner.sweep();
    await rigs[1]!.refiner.settled();
    expect(await sql`SELECT tokens_prompt FROM generation_logs`).toEqual([{ tokens_prompt: "631" }]);
  });
});

const TRACES = 40;
const traceOf = (i: number): string => i.toString(16).padStart(32, "a");
const inTrace = (body: object, i: number): object => JSON.parse(JSON.stringify(body).replaceAll(TRACE, traceOf(i))) as object;

it("DBF-02 while the database is away nothing is given up, and nothing keeps the collector from stopping", async () => {
  const cluster = await startPrivateCluster("embedded");
  const database = await createTestDatabase({ kind: "embedded", adminUrl: cluster.url });
  const [writing, staying, leaving] = [createPipelineRig(database.url), createPipelineRig(database.url), createPipelineRig(database.url)];
  await writing.refiner.stop();
  for (let i = 0; i < TRACES; i++) await writing.send(inTrace(tracesOf(outer, inner), i), "traces");
  await cluster.kill9();
  const marks = Array.from({ length: TRACES }, (_, i) => ({
    traceId: traceOf(i),
    bits: MARK_CALL | MARK_SECOND_CALL,
    fromMillis: BASE_MS,
    toMillis: BASE_MS + 1_000,
  }));
  for (const rig of [staying, leaving]) rig.refiner.note(1, marks);
  await sleep(3_000);
  const began = performance.now();
  await leaving.refiner.stop();
  expect(performance.now() - began).toBeLessThan(15_000);
  await cluster.start();
  await staying.refiner.settled();
  const count = staying.sql`SELECT count(*)::int AS calls, (SELECT count(*)::int FROM generation_twins) AS twins FROM generation_logs`;
  expect(await count).toEqual([{ calls: TRACES, twins: TRACES }]);
  for (const rig of [writing, staying, leaving]) await rig.stop();
  await cluster.destroy();
}, 120_000);

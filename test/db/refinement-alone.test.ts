import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { MARK_CALL } from "../../collector/rows/trace-marks.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { BASE_MS, type SpanSpec, spanIdOf, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";

const call = {
  "gen_ai.operation.name": "chat",
  "gen_ai.request.model": "gpt-4o",
  "gen_ai.provider.name": "openai",
  "gen_ai.usage.input_tokens": 631,
  "gen_ai.usage.output_tokens": 35,
  "gen_ai.response.id": "r1",
};
/** Of the test that runs: a collector remembers what it had of others. */
let trace = "";
/** After the start of every collector of these tests: calls that began before it are looked at in any case. */
const SOON = Date.now() + 600_000 - BASE_MS;
const outer = { id: "outer", at: SOON, tookMs: 120, attributes: call };
const inner = { id: "inner", parent: "outer", at: SOON + 5, tookMs: 100, attributes: call };
const MORE_THAN_REMEMBERED = 60_000;

describeEachServer("a collector that is alone", (server) => {
  let database: TestDatabase;
  let rig: PipelineRig;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rig = createPipelineRig(database.url);
    await rig.refiner.sweep();
  });
  afterAll(async () => {
    await rig.stop();
    await database[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    trace = randomBytes(16).toString("hex");
    return rig.empty("spans", "generation_logs", "generation_twins", "job_leases");
  });
  const spans = (...specs: readonly SpanSpec[]): object => tracesOf(...specs.map((spec) => ({ ...spec, trace })));

  const forgetOthers = (): Promise<unknown> => rig.sql`DELETE FROM job_leases`;
  const forgetAll = (): void => {
    const others = Array.from({ length: MORE_THAN_REMEMBERED }, (_, i) => ({
      traceId: trace.slice(0, 24) + i.toString(16).padStart(8, "0"),
      bits: MARK_CALL,
      fromMillis: Date.now(),
      toMillis: Date.now(),
    }));
    rig.refiner.note(1, others);
  };
  const calls = async (): Promise<number> => (await rig.sql`SELECT FROM generation_logs`).length;

  it("finds the other part of a call by itself after tens of thousands of other traces", async () => {
    await rig.send(spans(outer), "traces");
    await rig.refiner.settled();
    forgetAll();
    await rig.send(spans(inner), "traces");
    await rig.refiner.settled();
    expect(await calls()).toBe(1);
  });

  it("counts a wrapper no longer when its call comes, after tens of thousands of other traces", async () => {
    await rig.send(spans({ ...outer, attributes: { ...call, "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "tutor" } }));
    await rig.refiner.settled();
    expect(await calls()).toBe(1);
    forgetAll();
    await rig.send(spans(inner));
    await rig.refiner.settled();
    expect(await rig.sql`SELECT span_id FROM generation_logs`).toEqual([{ span_id: spanIdOf("inner") }]);
  });

  it("takes back an announcement that comes again after its call was set aside", async () => {
    const announcement = { id: "pend", parent: "outer", at: SOON, tookMs: 0, attributes: { ...call, "genspan.record": "pending" } };
    await rig.send(spans(announcement));
    await rig.send(spans(inner, { ...outer, attributes: { ...call, "genspan.pending.sent": true } }));
    await rig.refiner.settled();
    await rig.send(spans(announcement));
    await rig.refiner.settled();
    expect(await rig.sql`SELECT span_id, generation_status FROM generation_logs`).toEqual([
      { span_id: spanIdOf("inner"), generation_status: "success" },
    ]);
  });

  it("finds the other part of a call that came through a collector that has gone since", async () => {
    const at = Date.now() - BASE_MS;
    const gone = createPipelineRig(database.url, { committed: () => {} });
    await gone.refiner.stop();
    await gone.send(spans({ ...outer, at }));
    await rig.sql`UPDATE job_leases SET expires_at = now()`;
    await rig.refiner.sweep();
    await rig.refiner.settled();
    expect(await calls()).toBe(1);
    await rig.send(spans({ ...inner, at: at + 5 }));
    await rig.refiner.settled();
    expect(await rig.sql`SELECT span_id FROM generation_logs`).toEqual([{ span_id: spanIdOf("inner") }]);
    await gone.stop();
  });

  it("finds the other part of a call that came more than an hour before it started", async () => {
    const gone = createPipelineRig(database.url, { committed: () => {} });
    await gone.refiner.stop();
    const at = Date.now() - BASE_MS;
    await gone.send(spans({ ...outer, at }));
    await gone.stop();
    await rig.sql`UPDATE generation_logs SET received_at = now() - interval '2 hours'`;
    await forgetOthers();
    const next = createPipelineRig(database.url);
    await next.refiner.sweep();
    await next.send(spans({ ...inner, at: at + 5 }));
    await next.refiner.settled();
    expect(await calls()).toBe(1);
    await next.stop();
  });

  it("searches nothing that others may have written, until another one is there", async () => {
    const other = createPipelineRig(database.url, { committed: () => {} });
    await expect.poll(announced).toBe(1);
    await other.refiner.stop();
    await rig.sql`DELETE FROM job_leases`;
    await other.send(spans(outer, inner), "traces");
    await rig.refiner.sweep();
    await rig.refiner.settled();
    expect([await calls(), await announced()]).toEqual([2, 1]);
    const third = createPipelineRig(database.url);
    await expect.poll(announced).toBe(2);
    await third.stop();
    await rig.refiner.sweep();
    await rig.refiner.settled();
    expect(await calls()).toBe(1);
    await other.stop();
  });

  it("leaves nothing behind but its own lease, a day later", async () => {
    await rig.sql`INSERT INTO job_leases VALUES ('refiner gone', 'gone', now() - interval '25 hours'), ('refiner stopped', 'stopped', now() - interval '23 hours')`;
    await rig.refiner.sweep();
    const names = await rig.sql`SELECT job FROM job_leases WHERE job IN ('refiner gone', 'refiner stopped')`;
    expect(names).toEqual([{ job: "refiner stopped" }]);
  });

  const announced = async (): Promise<number> => (await rig.sql`SELECT FROM job_leases WHERE expires_at > now()`).length;
});

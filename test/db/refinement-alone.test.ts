import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { MARK_CALL } from "../../collector/rows/trace-marks.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { BASE_MS, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";

const call = {
  "gen_ai.operation.name": "chat",
  "gen_ai.request.model": "gpt-4o",
  "gen_ai.provider.name": "openai",
  "gen_ai.usage.input_tokens": 631,
  "gen_ai.usage.output_tokens": 35,
  "gen_ai.response.id": "r1",
};
const outer = { id: "outer", tookMs: 120, attributes: call };
const inner = { id: "inner", parent: "outer", at: 5, tookMs: 100, attributes: call };
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
  beforeEach(() => rig.empty("spans", "generation_logs", "generation_twins", "job_leases"));

  const calls = async (): Promise<number> => (await rig.sql`SELECT FROM generation_logs`).length;

  it("finds the other part of a call by itself after tens of thousands of other traces", async () => {
    await rig.send(tracesOf(outer), "traces");
    await rig.refiner.settled();
    const others = Array.from({ length: MORE_THAN_REMEMBERED }, (_, i) => ({
      traceId: i.toString(16).padStart(32, "b"),
      bits: MARK_CALL,
      fromMillis: BASE_MS,
      toMillis: BASE_MS,
    }));
    rig.refiner.note(1, others);
    await rig.send(tracesOf(inner), "traces");
    await rig.refiner.settled();
    expect(await calls()).toBe(1);
  });

  it("searches nothing that others may have written, until another one is there", async () => {
    const other = createPipelineRig(database.url, { committed: () => {} });
    await expect.poll(announced).toBe(1);
    await other.refiner.stop();
    await rig.sql`DELETE FROM job_leases`;
    await other.send(tracesOf(outer, inner), "traces");
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

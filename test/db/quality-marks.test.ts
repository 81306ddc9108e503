import { afterAll, beforeAll, expect, it } from "vitest";
import type { Job } from "../../collector/jobs/leased-job.ts";
import { createQualityMarks } from "../../collector/jobs/quality-marks.ts";
import { type ApiRig, createApiRig } from "../support/api-rig.ts";
import { describeEachServer } from "../support/database.ts";
import { idsOf, storeGenerations } from "../support/generation-rows.ts";

describeEachServer("rules that mark, by the clock", (server) => {
  let rig: ApiRig;
  let job: Job<number>;
  beforeAll(async () => {
    rig = await createApiRig(server);
    const { refine, log } = rig.services;
    job = createQualityMarks({ sql: rig.owner, schema: "public", holder: "one", log, refine, settleMillis: 0 });
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  const refusal = { response_full_text: "I'm sorry, I can't help with that.", content_state: "captured" };
  const judged = async () =>
    (await rig.owner`SELECT quality_status, quality_issues FROM generation_logs ORDER BY trace_id`).map((row) => [
      row["quality_status"],
      row["quality_issues"],
    ]);

  it("look at what comes in after they were made, once, and leave judgements alone", async () => {
    await storeGenerations(rig.owner, [refusal]);
    expect(await job.runOnce()).toBe(0);
    await rig.send("/api/quality-rules/refusal", { marks: true }, { method: "PUT" });
    await storeGenerations(
      rig.owner,
      [refusal, { ...refusal, quality_status: "approved" }, { response_full_text: "Fine.", content_state: "captured" }],
      2,
    );
    // Received after the rule was made, however fast this went.
    await rig.owner`UPDATE generation_logs SET received_at = clock_timestamp() WHERE trace_id > ${idsOf(1).trace_id}`;
    expect(await job.runOnce()).toBe(1);
    expect(await judged()).toEqual([
      [null, null],
      ["pending_review", ["refusal"]],
      ["approved", null],
      [null, null],
    ]);
    expect(await job.runOnce()).toBe(0);
    const entries = await rig.owner`SELECT actor FROM audit_log WHERE action = 'generation.mark'`;
    expect(entries.map((entry) => entry["actor"])).toEqual(["quality-marks"]);
  });

  it("are left to one of several collectors", async () => {
    await rig.owner`INSERT INTO job_leases (job, holder, expires_at) VALUES ('quality-marks', 'other', clock_timestamp() + interval '1 minute')
      ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at`;
    expect(await job.runOnce()).toBeUndefined();
  });
});

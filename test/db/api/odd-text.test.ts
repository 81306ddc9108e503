import { afterAll, beforeAll, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { generationId, storeGenerations } from "../../support/generation-rows.ts";

/** A NUL and half of a surrogate pair, as text and as JSON escapes carry them. */
const ODD = "a\u0000b\ud800c";
const MENDED = "a\ufffdb\ufffdc";

describeEachServer("text that PostgreSQL cannot hold", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
    await storeGenerations(rig.owner, [{}]);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  it("is mended in a review, as it is in telemetry", async () => {
    const review = { status: "rejected", issues: [ODD], note: ODD, reviewer: ODD };
    expect((await rig.send(`/api/generations/${generationId(1)}/review`, review)).status).toBe(200);
    const [row] = await rig.owner`SELECT quality_issues FROM generation_logs`;
    const [entry] = await rig.owner`SELECT details FROM audit_log WHERE action = 'generation.review'`;
    expect(row?.["quality_issues"]).toEqual([MENDED]);
    expect(JSON.stringify(entry)).toContain(MENDED);
    expect(rig.logged).toEqual([]);
  });

  it("costs no report of a run, in keys neither", async () => {
    const id = "00000000-0000-4000-8000-0000000000aa";
    const report = {
      id,
      status: "failed",
      started_at: "2026-11-20T08:00:00Z",
      questions_requested: 1,
      error_summary: { by_category: { [ODD]: 1 }, note: ODD },
      provider_metrics: { [ODD]: { generated: 1 } },
      prompt_version: ODD,
    };
    expect((await rig.send("/v1/admin/generation-runs", report)).status).toBe(201);
    const { body } = await rig.get<Record<string, unknown>>(`/v1/admin/generation-runs/${id}`);
    expect(body).toMatchObject({ prompt_version: MENDED, error_summary: { by_category: { [MENDED]: 1 } } });
    expect(rig.logged).toEqual([]);
  });

  it("costs no line of a file that is imported", async () => {
    const log = {
      id: ODD,
      definitie_id: ODD,
      prompt_full_text: ODD,
      model_name: "m",
      generation_status: "success",
      logged_at: "2026-11-20T00:00:00Z",
    };
    const image = {
      id: "00000000-0000-4000-8000-0000000000ab",
      lesson_id: ODD,
      status: "failed",
      error_message: ODD,
      image_generation_attempts: [],
    };
    const lines = [log, { ...image, created_at: "2026-11-20T00:00:00Z" }].map((line) => JSON.stringify(line)).join("\n");
    const response = await rig.app.request("http://localhost/api/import", { method: "POST", body: lines });
    expect(await response.json()).toMatchObject({ read: 2, stored: { generations: 1, images: 1 }, refused: 0 });
    const [row] = await rig.owner`SELECT prompt_full_text FROM generation_logs WHERE model_name = 'm'`;
    expect(row?.["prompt_full_text"]).toBe(MENDED);
  });

  it("links a call to the record whose name was mended in the same way", async () => {
    const path = `/api/generations/${generationId(1)}/entity`;
    expect((await rig.send(path, { type: "lesson", id: ODD }, { method: "PUT" })).status).toBe(200);
    const { body } = await rig.get<{ data: unknown[] }>(`/api/generations?entity=${encodeURIComponent(`lesson:${MENDED}`)}`);
    expect(body.data).toHaveLength(1);
    const erased = await rig.send<{ spans: number }>("/api/erase", { kind: "entity", value: `lesson:${ODD}`, dry_run: true });
    expect([erased.status, erased.body.spans]).toEqual([200, expect.any(Number)]);
    expect(rig.logged).toEqual([]);
  });
});

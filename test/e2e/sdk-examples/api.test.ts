import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Tracing } from "../../../sdk/core/tracing.ts";
import { ImageTracer } from "../../../sdk/images/image-tracer.ts";
import { ApiError, type ApiOptions } from "../../../sdk/rest/api-client.ts";
import { RunReporter } from "../../../sdk/runs/run-reporter.ts";
import { runCli } from "../../support/program.ts";
import { type SdkRig, startSdkRig } from "../../support/sdk-rig.ts";

const MODEL = "stabilityai/stable-diffusion-xl-base-1.0";

let rig: SdkRig;
let api: ApiOptions;
let tracing: Tracing;
beforeAll(async () => {
  rig = await startSdkRig();
  api = { apiUrl: rig.program.webUrl };
  tracing = rig.trace();
});
afterAll(async () => {
  await tracing?.shutdown();
  await rig?.[Symbol.asyncDispose]();
});

describe("runs reported to the API", () => {
  it("begin as a running row, move on, and end with every figure", async () => {
    const run = new RunReporter({ ...api, via: "http", triggeredBy: "webhook", environment: "production" }).start({
      requested: 2,
      kind: "questions",
      promptVersion: "2.1",
      arbiterConfigVersion: "1.3",
      minArbiterScore: 0.7,
    });
    const row = `SELECT status, items_requested, items_generated, triggered_by, environment, kind FROM generation_runs WHERE id = '${run.id}'`;
    const common = { items_requested: 2n, triggered_by: "webhook", environment: "production", kind: "questions" };
    await rig.rows(row, [{ ...common, status: "running", items_generated: null }]);
    run.generated({ provider: "openai", type: "logic", difficulty: "easy", count: 2 });
    run.checkpoint();
    await rig.rows(row, [{ ...common, status: "running", items_generated: 2n }]);
    run.evaluated({ approved: true, score: 0.9, provider: "openai" });
    run.evaluated({ approved: true, score: 0.8, provider: "openai" });
    run.inserted(2);
    expect(await run.finish({ exitCode: 0 })).toEqual({ status: "accepted", runId: run.id });
    await rig.rows(
      `SELECT status, exit_code, items_inserted, approval_rate, overall_success_rate, min_arbiter_score, provider_metrics, type_metrics,
         prompt_version, arbiter_config_version, min_arbiter_score_threshold, duration_seconds >= 0 AS lasted, completed_at IS NOT NULL AS ended
       FROM generation_runs WHERE id = '${run.id}'`,
      [
        {
          status: "success",
          exit_code: 0,
          items_inserted: 2n,
          approval_rate: 1,
          overall_success_rate: 1,
          min_arbiter_score: 0.8,
          provider_metrics: { openai: { generated: 2, api_calls: 0, failures: 0, evaluated: 2, approved: 2, rejected: 0 } },
          type_metrics: { logic: 2 },
          prompt_version: "2.1",
          arbiter_config_version: "1.3",
          min_arbiter_score_threshold: 0.7,
          lasted: true,
          ended: true,
        },
      ],
    );
  });

  it("as one summary are one row, however often they are told", async () => {
    const summary = { id: "0f0e0d0c-0000-4000-8000-00000000000a", questions_requested: 4, questions_inserted: 3, duration_seconds: 60 };
    const reporter = new RunReporter({ ...api, via: "http" });
    for (let i = 0; i < 2; i++) expect(await reporter.reportRun(summary, 1)).toEqual({ status: "accepted", runId: summary.id });
    await rig.rows(`SELECT status, items_inserted, overall_success_rate FROM generation_runs WHERE id = '${summary.id}'`, [
      { status: "partial_failure", items_inserted: 3n, overall_success_rate: 0.75 },
    ]);
  });

  it("that the collector refuses are told and given up", async () => {
    const told: string[] = [];
    const reporter = new RunReporter({ ...api, via: "http", onFailure: (message) => told.push(message) });
    const outcome = await reporter.reportRun({ id: "no uuid", questions_requested: -1 }, 0);
    expect(outcome).toMatchObject({ status: "failed", reason: expect.stringContaining("the collector answered 400") });
    expect(told).toHaveLength(1);
  });
});

describe("traces of images", () => {
  const ids: string[] = [];
  beforeAll(async () => {
    for (const [lesson, fails] of [
      ["lesson-1", false],
      ["lesson-2", true],
      ["lesson-3", false],
    ] as const) {
      const tracer = new ImageTracer(lesson);
      ids.push(await tracer.startTrace({ numberOfImages: 1, prompts: [{ prompt: "A cat" }] }));
      tracer.addImageGenerationAttempt({
        model: MODEL,
        prompt: "A cat",
        success: !fails,
        duration_ms: 7,
        ...(fails ? { error: "timeout" } : {}),
      });
      await (fails ? tracer.failTrace("timeout") : tracer.completeTrace({ imageUrls: ["https://x/1.png"] }));
    }
    await tracing.flush();
    await rig.rows("SELECT count(*) FROM image_traces WHERE status <> 'started'", [{ count: 3n }]);
  });

  it("are listed, the newest first, in pages and by status and lesson", async () => {
    const lessons = async (query?: Parameters<typeof ImageTracer.list>[0]): Promise<string[]> =>
      (await ImageTracer.list(query, api)).traces.map(({ lesson_id }) => lesson_id);
    expect(await lessons()).toEqual(["lesson-3", "lesson-2", "lesson-1"]);
    expect(await lessons({ limit: 1, offset: 1 })).toEqual(["lesson-2"]);
    expect(await lessons({ status: "failed" })).toEqual(["lesson-2"]);
    expect(await lessons({ lessonId: "lesson-3" })).toEqual(["lesson-3"]);
  });

  it("are read one by one, what is unknown left out", async () => {
    const trace = await ImageTracer.get(ids[0]!, api);
    expect(trace).toMatchObject({
      id: ids[0],
      lesson_id: "lesson-1",
      status: "completed",
      model_used: MODEL,
      models_tried: [MODEL],
      request_data: { numberOfImages: 1, prompts: [{ prompt: "A cat" }] },
      response_data: { imageUrls: ["https://x/1.png"] },
      image_generation_attempts: [{ model: MODEL, prompt: "A cat", success: true, duration_ms: 7 }],
    });
    expect(trace).not.toHaveProperty("error_message");
    expect(await ImageTracer.get("00000000-0000-4000-8000-000000000000", api)).toBeNull();
  });

  it("are deleted one by one, then all", async () => {
    expect(await ImageTracer.delete(ids[0]!, api)).toBe(true);
    expect(await ImageTracer.delete(ids[0]!, api)).toBe(false);
    expect(await ImageTracer.deleteAll(api)).toBe(2);
    expect(await ImageTracer.list({}, api)).toEqual({ traces: [] });
  });

  it("a question that makes no sense rejects with the collector's reason", async () => {
    const error = await ImageTracer.get("no uuid", api).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 400 });
  });
});

describe("with keys", () => {
  it("a report needs the scope ingest and a question the scope read; without a key nothing is told or shown", async () => {
    const env = { GENSPAN_DATA_DIR: `${rig.program.folder}/data` };
    const create = async (scope: string): Promise<string> =>
      (await runCli(["key", "create", "--name", scope, "--scope", scope], env)).stdout.trim();
    const [ingest, read] = [await create("ingest"), await create("read")];
    const report = (apiKey?: string) =>
      new RunReporter({ ...api, via: "http", onFailure: () => {}, ...(apiKey === undefined ? {} : { apiKey }) }).reportRun(
        { items_requested: 1 },
        0,
      );
    await expect.poll(async () => (await report()).status, { timeout: 15_000 }).toBe("failed");
    expect(await report(ingest)).toMatchObject({ status: "accepted" });
    expect(await report(read)).toMatchObject({ status: "failed", reason: expect.stringContaining("403") });
    await expect(ImageTracer.list({}, api)).rejects.toMatchObject({ status: 401 });
    expect(await ImageTracer.list({}, { ...api, apiKey: read })).toEqual({ traces: [] });
    await expect(ImageTracer.deleteAll({ ...api, apiKey: read })).rejects.toMatchObject({ status: 403 });
  });
});

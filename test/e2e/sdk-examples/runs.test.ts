import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Tracing } from "../../../sdk/core/tracing.ts";
import { ImageTracer } from "../../../sdk/images/image-tracer.ts";
import { RunReporter } from "../../../sdk/runs/run-reporter.ts";
import { type SdkRig, startSdkRig } from "../../support/sdk-rig.ts";

let rig: SdkRig;
let tracing: Tracing;
beforeAll(async () => {
  rig = await startSdkRig();
  tracing = rig.trace({ serviceName: "question-service", environment: "staging", pendingDelayMillis: 1 });
});
afterAll(async () => {
  await tracing?.shutdown();
  await rig?.[Symbol.asyncDispose]();
});

const STATE = "status, exit_code, completed_at IS NULL AS open, items_requested, items_generated, overall_success_rate";

describe("a run that is counted live", () => {
  it("is a running row from its start, moves with its checkpoints and ends complete", async () => {
    const run = new RunReporter({ triggeredBy: "manual" }).start({ requested: 4, kind: "questions", promptVersion: "2.1" });
    const row = `SELECT ${STATE} FROM generation_runs WHERE id = '${run.id}'`;
    const running = { status: "running", exit_code: null, open: true, items_requested: 4n, overall_success_rate: null };
    await rig.rows(row, [{ ...running, items_generated: null }]);

    run.apiCall("openai", 2);
    run.generated({ provider: "openai", type: "logic", difficulty: "easy", count: 2 });
    run.generationFailed({ provider: "openai", category: "rate_limit", severity: "high" });
    run.checkpoint();
    await tracing.flush();
    await rig.rows(row, [{ ...running, items_generated: 2n }]);

    run.evaluated({ approved: true, score: 0.9, provider: "openai" });
    run.evaluated({ approved: false, score: 0.3, provider: "openai" });
    run.duplicate("semantic");
    run.inserted();
    run.insertionFailed();
    run.error({ category: "database", severity: "critical" });
    expect(await run.finish({ exitCode: 1 })).toEqual({ status: "sent", runId: run.id });

    await rig.rows(
      `SELECT status, exit_code, kind, items_requested, items_generated, generation_failures, items_evaluated, items_approved, items_rejected,
         approval_rate, min_arbiter_score, max_arbiter_score, duplicates_found, semantic_duplicates, items_inserted, insertion_failures,
         overall_success_rate, total_errors, total_api_calls, provider_metrics, type_metrics, difficulty_metrics, error_summary,
         prompt_version, environment, triggered_by, service_name, completed_at >= started_at AS ended, trace_id IS NOT NULL AS traced
       FROM generation_runs WHERE id = '${run.id}'`,
      [
        {
          status: "partial_failure",
          exit_code: 1,
          kind: "questions",
          items_requested: 4n,
          items_generated: 2n,
          generation_failures: 1n,
          items_evaluated: 2n,
          items_approved: 1n,
          items_rejected: 1n,
          approval_rate: 0.5,
          min_arbiter_score: 0.3,
          max_arbiter_score: 0.9,
          duplicates_found: 1n,
          semantic_duplicates: 1n,
          items_inserted: 1n,
          insertion_failures: 1n,
          overall_success_rate: 0.25,
          total_errors: 2n,
          total_api_calls: 2n,
          provider_metrics: { openai: { generated: 2, api_calls: 2, failures: 1, evaluated: 2, approved: 1, rejected: 1 } },
          type_metrics: { logic: 2 },
          difficulty_metrics: { easy: 2 },
          error_summary: { by_category: { rate_limit: 1, database: 1 }, by_severity: { high: 1, critical: 1 }, critical_count: 1 },
          prompt_version: "2.1",
          environment: "staging",
          triggered_by: "manual",
          service_name: "question-service",
          ended: true,
          traced: true,
        },
      ],
    );
  });

  it("that never ends stays a running row: nothing invents its end", async () => {
    const run = new RunReporter().start({ requested: 1 });
    await tracing.flush();
    await rig.rows(`SELECT status FROM generation_runs WHERE id = '${run.id}'`, [{ status: "running" }]);
  });

  it("that failed says so, however little it did", async () => {
    const run = new RunReporter({ environment: "production" }).start({ requested: 3 });
    await run.finish({ exitCode: 3 });
    await rig.rows(`SELECT status, exit_code, environment FROM generation_runs WHERE id = '${run.id}'`, [
      { status: "failed", exit_code: 3, environment: "production" },
    ]);
  });

  it("that ends by leaving its scope in an error is ended by what was counted", async () => {
    let id = "";
    const job = async (): Promise<void> => {
      await using run = new RunReporter().start({ requested: 2 });
      id = run.id;
      run.inserted();
      throw new Error("out of memory");
    };
    await expect(job()).rejects.toThrow("out of memory");
    await rig.rows(`SELECT status FROM generation_runs WHERE id = '${id}'`, [{ status: "partial_failure" }]);
  });

  it("owns the images that were made in it", async () => {
    const run = new RunReporter().start({ requested: 1 });
    const image = await run.within(async () => {
      const tracer = new ImageTracer("lesson-9");
      const id = await tracer.startTrace({ numberOfImages: 1 });
      await tracer.completeTrace({ generatedImagesCount: 1 });
      return id;
    });
    await run.finish({ exitCode: 0 });
    await rig.rows(`SELECT run_id, status FROM image_traces WHERE id = '${image}'`, [{ run_id: run.id, status: "completed" }]);
  });
});

describe("a run that is reported as one summary", () => {
  it("twice under one id is one row, the later one counts", async () => {
    const id = "0f0e0d0c-0000-4000-8000-000000000001";
    const reporter = new RunReporter();
    await reporter.reportRun({ id, items_requested: 10, items_inserted: 5, started_at: "2026-11-20T03:00:00Z", duration_seconds: 60 }, 1);
    await rig.rows(`SELECT status, items_inserted FROM generation_runs WHERE id = '${id}'`, [
      { status: "partial_failure", items_inserted: 5n },
    ]);
    await reporter.reportRun({ id, items_requested: 10, items_inserted: 10, started_at: "2026-11-20T03:00:00Z", duration_seconds: 90 }, 0);
    await rig.rows(`SELECT status, items_inserted, duration_seconds FROM generation_runs WHERE id = '${id}'`, [
      { status: "success", items_inserted: 10n, duration_seconds: 90 },
    ]);
  });

  it("that is switched off leaves no row", async () => {
    const before = await rig.sql`SELECT count(*) FROM generation_runs`;
    expect(await new RunReporter({ enabled: false }).reportRun({ items_requested: 1 }, 0)).toMatchObject({ status: "off" });
    await tracing.flush();
    expect(await rig.sql`SELECT count(*) FROM generation_runs`).toEqual(before);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Tracing } from "../../../sdk/core/tracing.ts";
import { ImageTracer } from "../../../sdk/images/image-tracer.ts";
import { RunReporter } from "../../../sdk/runs/run-reporter.ts";
import { type SdkRig, startSdkRig } from "../../support/sdk-rig.ts";

let rig: SdkRig;
let tracing: Tracing;
beforeAll(async () => {
  rig = await startSdkRig();
});
afterAll(() => rig?.[Symbol.asyncDispose]());
afterEach(async () => {
  vi.useRealTimers();
  await tracing?.shutdown();
});

/** Makes it that moment, and starts the SDK then. */
function startAt(time: string): void {
  vi.useFakeTimers({ toFake: ["Date", "performance"], now: new Date(time) });
  tracing = rig.trace({ serviceName: "seeds" });
}

describe("the image trace that the setup guide prints", () => {
  const SDXL = "stabilityai/stable-diffusion-xl-base-1.0";
  const PROMPT = "A cat playing with yarn, educational illustration";

  it("comes out with its field names and values", async () => {
    startAt("2025-10-26T10:30:00Z");
    const tracer = new ImageTracer("lesson-123");
    const id = await tracer.startTrace({
      lessonId: "lesson-123",
      numberOfImages: 1,
      prompts: [{ prompt: PROMPT, position: "full", targetSection: 2 }],
    });
    vi.advanceTimersByTime(3542);
    tracer.addImageGenerationAttempt({
      model: SDXL,
      prompt: PROMPT,
      duration_ms: 3542,
      success: true,
      response: { success: true, dataSize: 212272 },
    });
    await tracer.completeTrace({ generatedImagesCount: 1, uploadedImagesCount: 1, imageUrls: ["https://..."] }, SDXL);
    vi.useRealTimers();
    await tracing.flush();

    await rig.rows(
      `SELECT id, lesson_id, status, model_used, models_tried, round(total_duration_ms)::int AS total_duration_ms, request_data, response_data,
         image_generation_attempts - 0 AS others, image_generation_attempts -> 0 AS attempt,
         to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
         to_char(completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS completed_at
       FROM image_traces WHERE id = '${id}'`,
      [
        {
          id,
          lesson_id: "lesson-123",
          status: "completed",
          model_used: SDXL,
          models_tried: [SDXL],
          total_duration_ms: 3542,
          request_data: { numberOfImages: 1, prompts: [{ prompt: PROMPT, position: "full", targetSection: 2 }] },
          response_data: { generatedImagesCount: 1, uploadedImagesCount: 1, imageUrls: ["https://..."] },
          others: [],
          attempt: {
            model: SDXL,
            prompt: PROMPT,
            request: { model: SDXL, prompt: PROMPT },
            response: { success: true, dataSize: 212272 },
            duration_ms: 3542,
            success: true,
            timestamp: expect.stringMatching(/^2025-10-26T10:30:00\.\d{3}Z$/),
          },
          created_at: "2025-10-26T10:30:00Z",
          completed_at: "2025-10-26T10:30:03Z",
        },
      ],
    );
  });
});

describe("the breakdowns that the plan for question runs prints", () => {
  const BREAKDOWNS = {
    provider_metrics: { openai: { generated: 10, api_calls: 15, failures: 1 } },
    type_metrics: { pattern_recognition: 8, logical_reasoning: 12 },
    difficulty_metrics: { easy: 15, medium: 22, hard: 13 },
    error_summary: { by_category: { rate_limit: 2 }, by_severity: { high: 1 }, critical_count: 0 },
  };

  it("come out with every column of the run, under the names of the plan", async () => {
    startAt("2024-12-04T03:00:00Z");
    const counts = {
      questions_requested: 50,
      questions_generated: 48,
      generation_failures: 2,
      questions_evaluated: 48,
      questions_approved: 40,
      questions_rejected: 8,
      avg_arbiter_score: 0.81,
      min_arbiter_score: 0.35,
      max_arbiter_score: 0.98,
      exact_duplicates: 1,
      semantic_duplicates: 3,
      questions_inserted: 35,
      insertion_failures: 1,
      total_errors: 3,
      total_api_calls: 110,
    };
    const times = { started_at: "2024-12-04T03:00:00Z", completed_at: "2024-12-04T03:07:30Z" };
    const reporter = new RunReporter({ triggeredBy: "scheduler", environment: "production" });
    const config = { kind: "questions", promptVersion: "2.1", arbiterConfigVersion: "1.3", minArbiterScore: 0.7 };
    vi.useRealTimers();
    const { runId } = await reporter.reportRun({ ...counts, ...times, ...BREAKDOWNS }, 1, config);

    await rig.rows(`SELECT * FROM question_generation_runs WHERE id = '${runId}'`, [
      {
        id: runId,
        project_id: 1,
        started_at: new Date(times.started_at),
        completed_at: new Date(times.completed_at),
        duration_seconds: 450,
        status: "partial_failure",
        exit_code: 1,
        ...Object.fromEntries(Object.entries(counts).map(([key, value]) => [key, key.endsWith("_score") ? value : BigInt(value)])),
        duplicates_found: 4n,
        generation_success_rate: 0.96,
        approval_rate: 40 / 48,
        duplicate_rate: 0.1,
        overall_success_rate: 0.7,
        ...BREAKDOWNS,
        prompt_version: "2.1",
        arbiter_config_version: "1.3",
        min_arbiter_score_threshold: 0.7,
        environment: "production",
        triggered_by: "scheduler",
        created_at: expect.any(Date),
      },
    ]);
  });
});

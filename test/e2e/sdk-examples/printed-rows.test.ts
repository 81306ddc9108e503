import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Tracing } from "../../../sdk/core/tracing.ts";
import { generate } from "../../../sdk/generation/generate.ts";
import { linkGeneration } from "../../../sdk/generation/references.ts";
import { ImageTracer } from "../../../sdk/images/image-tracer.ts";
import { startProblemTrace } from "../../../sdk/items/item.ts";
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

describe("the generation log that the specification of definitions prints", () => {
  it("comes out with its field names and values, definitie_id as the entity", async () => {
    const recipe = readFileSync(new URL("../../../docs/recipes/joining-your-own-table.md", import.meta.url), "utf8");
    await rig.sql.unsafe(/```sql\n([\s\S]*?)```/.exec(recipe)![1]!);
    startAt("2025-11-11T14:23:45.123Z");
    const text = "# DEFINITIE GENERATIE\n\nGenereer een definitie voor...";
    const modules = ["base", "context", "examples", "validation"];
    let id = "";
    await generate(
      {
        model: "gpt-4-turbo-2024-04-09",
        prompt: { name: "unified_definition_v2", version: "2.0", modules, text },
        params: { temperature: 0.7, maxTokens: 2000 },
      },
      async (generation) => {
        id = generation.id;
        vi.advanceTimersByTime(2345);
      },
      () => ({
        text: "Een definitie.",
        usage: { input: 1234, output: 567, total: 1801 },
        finishReason: "stop",
        responseId: "chatcmpl-AbCdEf123456",
      }),
    );
    vi.useRealTimers();
    linkGeneration(id, { type: "definitie", id: 456 });
    await tracing.flush();

    await rig.rows(
      `SELECT id, definitie_id::int, prompt_full_text, prompt_template_version, prompt_template_name, prompt_modules_used, model_name, model_temperature,
         model_max_tokens::int, tokens_prompt::int, tokens_completion::int, tokens_total::int, round(duration_ms)::int AS duration_ms,
         response_finish_reason, response_id, generation_status, logged_at, updated_at > logged_at AS updated
       FROM generation_logs WHERE id = '${id}'`,
      [
        {
          id,
          definitie_id: 456,
          prompt_full_text: text,
          prompt_template_version: "2.0",
          prompt_template_name: "unified_definition_v2",
          prompt_modules_used: modules,
          model_name: "gpt-4-turbo-2024-04-09",
          model_temperature: 0.7,
          model_max_tokens: 2000,
          tokens_prompt: 1234,
          tokens_completion: 567,
          tokens_total: 1801,
          duration_ms: 2345,
          response_finish_reason: "stop",
          response_id: "chatcmpl-AbCdEf123456",
          generation_status: "success",
          logged_at: new Date("2025-11-11T14:23:45.123Z"),
          updated: true,
        },
      ],
    );
  });
});

describe("what the guide for generation traces prints", () => {
  const MODEL = "gpt-5-nano-2025-08-07";

  beforeAll(async () => {
    await rig.sql`CREATE VIEW problems AS SELECT id, title, created_at, generation_trace FROM generation_items WHERE kind = 'problem'`;
  });

  it("the tokens of a call come out as it logs them, the reasoning that it tells beside the answer counted in", async () => {
    startAt("2025-11-20T08:00:00Z");
    const trace = startProblemTrace({ title: "Negation", promptVersion: "2.0" });
    const sentence = await trace.generate(
      { model: MODEL, prompt: { name: "sentence_generation", text: "Write a sentence." } },
      async (generation) => {
        vi.advanceTimersByTime(1234);
        return generation.id;
      },
      () => ({ text: "Elle ne mange pas.", reasoning: "Short.", usage: { input: 150, output: 75, total: 225, reasoning: 500 } }),
    );
    trace.quality({ status: "pending_review" });
    trace.complete();
    vi.useRealTimers();
    await tracing.flush();
    expect(trace.toJSON()).toMatchObject({ total_tokens: 725, total_reasoning_tokens: 500 });
    await rig.rows(
      `SELECT model_name, round(duration_ms)::int AS duration, tokens_prompt::int AS prompt, tokens_completion::int AS completion, tokens_total::int AS total,
         tokens_reasoning::int AS reasoning_tokens FROM generation_logs WHERE id = '${sentence}'`,
      [{ model_name: MODEL, duration: 1234, prompt: 150, completion: 75 + 500, total: 225 + 500, reasoning_tokens: 500 }],
    );
    await rig.rows(
      `SELECT title, generation_trace->>'total_tokens' AS total, generation_trace->>'total_reasoning_tokens' AS reasoning FROM problems WHERE id = '${trace.id}'`,
      [{ title: "Negation", total: "725", reasoning: "500" }],
    );
  });

  it("its three queries find problems that the SDK recorded", async () => {
    tracing = rig.trace();
    const ids: string[] = [];
    for (const [title, reasoning, status] of [
      ["Articles", 1200, "pending_review"],
      ["Verbs", 4000, "approved"],
    ] as const) {
      const trace = startProblemTrace({ title, promptVersion: "2.0" });
      const usage = { input: 100, output: reasoning + 20, reasoning };
      await trace.generate(
        { model: "gpt-5-mini", prompt: { text: "p" } },
        async () => "",
        () => ({ text: "a", usage }),
      );
      trace.quality({ status });
      trace.complete();
      ids.push(trace.id);
    }
    await tracing.flush();
    await rig.rows(
      `SELECT 
          id,
          title,
          generation_trace->>'total_reasoning_tokens' as reasoning_tokens,
          generation_trace->>'model' as model
      FROM problems
      WHERE (generation_trace->>'total_reasoning_tokens')::int > 1000
      ORDER BY (generation_trace->>'total_reasoning_tokens')::int DESC;`,
      [
        { id: ids[1], title: "Verbs", reasoning_tokens: "4000", model: "gpt-5-mini" },
        { id: ids[0], title: "Articles", reasoning_tokens: "1200", model: "gpt-5-mini" },
      ],
    );
    await rig.rows(
      `SELECT title FROM (SELECT id, title, created_at
       FROM problems
       WHERE generation_trace->>'quality_status' = 'pending_review') AS p ORDER BY title`,
      [{ title: "Articles" }, { title: "Negation" }],
    );
    await rig.rows(
      `SELECT model, problem_count, avg_tokens::int FROM (SELECT 
          generation_trace->>'model' as model,
          COUNT(*) as problem_count,
          AVG((generation_trace->>'total_tokens')::int) as avg_tokens
      FROM problems
      WHERE generation_trace IS NOT NULL
      GROUP BY generation_trace->>'model') AS p ORDER BY model`,
      [
        { model: "gpt-5-mini", problem_count: 2n, avg_tokens: 2720 },
        { model: MODEL, problem_count: 1n, avg_tokens: 725 },
      ],
    );
  });
});

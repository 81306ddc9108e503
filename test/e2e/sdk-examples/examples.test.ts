import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installPackedSdk, type PackedSdk } from "../../support/packed-sdk.ts";
import { type SdkRig, startSdkRig } from "../../support/sdk-rig.ts";
import { repositoryRoot } from "../../support/source-files.ts";

let rig: SdkRig;
let application: PackedSdk;
beforeAll(async () => {
  application = await installPackedSdk();
  rig = await startSdkRig();
  application.copyExamples();
});
afterAll(async () => {
  application?.[Symbol.dispose]();
  await rig?.[Symbol.asyncDispose]();
});

/** Runs an example in a folder that holds only the packed SDK. */
const runExample = (file: string, env: Record<string, string> = {}): Promise<string> =>
  application.run(file, { OTEL_EXPORTER_OTLP_ENDPOINT: rig.program.otlpUrl, ...env });

describe("definitions.ts", () => {
  it("leaves the generation log that the specification prints, tied to its definition", async () => {
    const output = await runExample("definitions.ts");
    const [, id = ""] = /definitie 456, generation ([0-9a-f]{32}-[0-9a-f]{16})/.exec(output) ?? [];
    await rig.rows(
      `SELECT id, entity_type, entity_id, left(prompt_full_text, 50) AS prompt_full_text, prompt_format, prompt_template_version, prompt_template_name,
         prompt_modules_used, prompt_variables, model_name, model_temperature, model_max_tokens, model_top_p, model_frequency_penalty,
         model_presence_penalty, tokens_prompt, tokens_completion, tokens_total, response_finish_reason, response_id, response_created_at,
         generation_status, error_message, duration_ms > 0 AS lasted, updated_at > logged_at AS updated
       FROM generation_logs WHERE id = '${id}'`,
      [
        {
          id,
          entity_type: "definitie",
          entity_id: "456",
          prompt_full_text: "# DEFINITIE GENERATIE\n\nGenereer een definitie voor",
          prompt_format: "text",
          prompt_template_version: "2.0",
          prompt_template_name: "unified_definition_v2",
          prompt_modules_used: ["base", "context", "examples", "validation"],
          prompt_variables: { begrip: "verdachte" },
          model_name: "gpt-4-turbo-2024-04-09",
          model_temperature: 0.7,
          model_max_tokens: 2000n,
          model_top_p: 1,
          model_frequency_penalty: 0,
          model_presence_penalty: 0,
          tokens_prompt: 1234n,
          tokens_completion: 567n,
          tokens_total: 1801n,
          response_finish_reason: "stop",
          response_id: "chatcmpl-AbCdEf123456",
          response_created_at: 1762871026n,
          generation_status: "success",
          error_message: null,
          lasted: true,
          updated: true,
        },
      ],
    );
  });

  it("keeps the calls that failed and ran out of time, with their prompts and no definition", async () => {
    await rig.rows(
      `SELECT generation_status, error_type, error_message, prompt_full_text LIKE '# DEFINITIE%' AS prompt, error_traceback IS NOT NULL AS traceback, entity_id
       FROM generation_logs WHERE service_name = 'definition-generator' AND generation_status <> 'success' ORDER BY start_time`,
      [
        {
          generation_status: "failed",
          error_type: "rate_limit_exceeded",
          error_message: "Rate limit reached, try again in 20 s",
          prompt: true,
          traceback: true,
          entity_id: null,
        },
        {
          generation_status: "timeout",
          error_type: "timeout",
          error_message: "The model did not answer within 30 s",
          prompt: true,
          traceback: true,
          entity_id: null,
        },
      ],
    );
  });
});

describe("the README of the examples", () => {
  it("shows what definitions.ts left", async () => {
    const readme = readFileSync(join(repositoryRoot, "examples/README.md"), "utf8");
    const [, query = ""] = /npx genspan sql "([^"]+)"/.exec(readme) ?? [];
    const common = { model_name: "gpt-4-turbo-2024-04-09", tokens_total: null, entity_id: null };
    await rig.rows(`${query} ORDER BY start_time`, [
      { ...common, generation_status: "success", tokens_total: 1801n, entity_id: "456" },
      { ...common, generation_status: "failed" },
      { ...common, generation_status: "timeout" },
    ]);
  });

  it("names every example", () => {
    const readme = readFileSync(join(repositoryRoot, "examples/README.md"), "utf8");
    const files = readdirSync(join(repositoryRoot, "examples")).filter((name) => name.endsWith(".ts"));
    expect(files.filter((name) => !readme.includes(`[${name}](${name})`))).toEqual([]);
  });
});

describe("lesson-images.ts", () => {
  const SDXL = "stabilityai/stable-diffusion-xl-base-1.0";
  const FLUX = "black-forest-labs/FLUX.1-dev";

  it("leaves the trace that the guide prints, one that fell back to a second model, and one that failed", async () => {
    const output = await runExample("lesson-images.ts");
    expect(output).toContain("lesson-124: https://cdn.example.com/lesson-124/1.png");
    const request = (prompt: string) => ({ numberOfImages: 1, prompts: [{ prompt, position: "full", targetSection: 2 }] });
    const attempt = (model: string, success: boolean) => ({ model, success });
    await rig.rows(
      `SELECT lesson_id, status, model_used, models_tried, request_data, response_data -> 'generatedImagesCount' AS generated, error_message,
         (SELECT jsonb_agg(jsonb_build_object('model', a -> 'model', 'success', a -> 'success'))
          FROM jsonb_array_elements(image_generation_attempts) AS a) AS attempts
       FROM image_traces ORDER BY lesson_id`,
      [
        {
          lesson_id: "lesson-123",
          status: "completed",
          model_used: SDXL,
          models_tried: [SDXL],
          request_data: request("A cat playing with yarn, educational illustration"),
          generated: 1,
          error_message: null,
          attempts: [attempt(SDXL, true)],
        },
        {
          lesson_id: "lesson-124",
          status: "completed",
          model_used: SDXL,
          models_tried: [FLUX, SDXL],
          request_data: request("A dog reading a book"),
          generated: 1,
          error_message: null,
          attempts: [attempt(FLUX, false), attempt(SDXL, true)],
        },
        {
          lesson_id: "lesson-125",
          status: "failed",
          model_used: null,
          models_tried: [FLUX, SDXL],
          request_data: request("A friendly dragon"),
          generated: null,
          error_message: "The prompt was refused by the safety system",
          attempts: [attempt(FLUX, false), attempt(SDXL, false)],
        },
      ],
    );
    await rig.rows(`SELECT image_generation_attempts -> 0 AS attempt FROM image_traces WHERE lesson_id = 'lesson-123'`, [
      {
        attempt: {
          model: SDXL,
          prompt: "A cat playing with yarn, educational illustration",
          request: { prompt: "A cat playing with yarn, educational illustration", model: SDXL },
          response: { success: true, dataSize: 212272 },
          duration_ms: 3542,
          success: true,
          timestamp: expect.any(String),
        },
      },
    ]);
  });
});

describe("question-run.ts", () => {
  it("leaves a run that was counted live, with its generations, and one that was reported at once", async () => {
    const output = await runExample("question-run.ts");
    const [live = "", reported = ""] = Array.from(output.matchAll(/run ([0-9a-f-]{36}):/g), ([, id]) => id);
    await rig.rows(
      `SELECT status, exit_code, questions_requested, questions_generated, generation_failures, questions_evaluated, questions_approved,
         questions_rejected, exact_duplicates, questions_inserted, total_api_calls, overall_success_rate, provider_metrics, type_metrics,
         difficulty_metrics, error_summary, prompt_version, triggered_by, environment, max_arbiter_score
       FROM question_generation_runs WHERE id = '${live}'`,
      [
        {
          status: "partial_failure",
          exit_code: 1,
          questions_requested: 15n,
          questions_generated: 12n,
          generation_failures: 3n,
          questions_evaluated: 12n,
          questions_approved: 8n,
          questions_rejected: 4n,
          exact_duplicates: 2n,
          questions_inserted: 6n,
          total_api_calls: 15n,
          overall_success_rate: 0.4,
          provider_metrics: {
            openai: { generated: 6, api_calls: 8, failures: 2, evaluated: 6, approved: 4, rejected: 2 },
            anthropic: { generated: 6, api_calls: 7, failures: 1, evaluated: 6, approved: 4, rejected: 2 },
          },
          type_metrics: { pattern_recognition: 6, logical_reasoning: 6 },
          difficulty_metrics: { easy: 4, medium: 4, hard: 4 },
          error_summary: { by_category: { rate_limit: 3 }, by_severity: { high: 3 }, critical_count: 0 },
          prompt_version: "2.1",
          triggered_by: "scheduler",
          environment: "development",
          max_arbiter_score: 0.9,
        },
      ],
    );
    await rig.rows(`SELECT generation_status, count(*) FROM generation_logs WHERE run_id = '${live}' GROUP BY 1 ORDER BY 1`, [
      { generation_status: "failed", count: 3n },
      { generation_status: "success", count: 12n },
    ]);
    await rig.rows(
      `SELECT status, questions_inserted, duration_seconds, error_summary FROM question_generation_runs WHERE id = '${reported}'`,
      [
        {
          status: "partial_failure",
          questions_inserted: 35n,
          duration_seconds: 450,
          error_summary: { by_category: { rate_limit: 2 }, by_severity: { high: 1 }, critical_count: 0 },
        },
      ],
    );
  });

  it("reports nothing when reporting is switched off, and records its generations all the same", async () => {
    const output = await runExample("question-run.ts", { GENSPAN_RUN_REPORTING: "off" });
    const [live] = Array.from(output.matchAll(/run ([0-9a-f-]{36}):/g), ([, id]) => id);
    expect(output.match(/off$/gm)).toHaveLength(2);
    await rig.rows(`SELECT count(*) FROM generation_logs WHERE service_name = 'question-service'`, [{ count: 30n }]);
    await rig.rows(`SELECT id FROM generation_runs WHERE id = '${live}'`, []);
  });
});

describe("quiz-problems.ts", () => {
  it("leaves a problem with its sentences, their sums, its reasoning and its review", async () => {
    const output = await runExample("quiz-problems.ts");
    expect(output).toContain("problem 1: 4 sentences, 2900 tokens, of which reasoning 2000");
    await rig.rows(
      `SELECT kind, title, prompt_version, model, generations_count, quality_status, quality_issues, entity_type, entity_id,
         (generation_trace ->> 'total_reasoning_tokens')::int > 1000 AS much_reasoning, generation_trace ->> 'quality_status' AS traced_status,
         generation_trace -> 'metadata' AS metadata, jsonb_array_length(generation_trace -> 'sentences') AS sentences
       FROM generation_items`,
      [
        {
          kind: "problem",
          title: "Indirect object pronouns",
          prompt_version: "2.0",
          model: "gpt-5-nano-2025-08-07",
          generations_count: 5,
          quality_status: "pending_review",
          quality_issues: ["order of the pronouns"],
          entity_type: "problem",
          entity_id: "1",
          much_reasoning: true,
          traced_status: "pending_review",
          metadata: { focus: "pronouns" },
          sentences: 5,
        },
      ],
    );
    await rig.rows(
      `SELECT tokens_prompt, tokens_completion, tokens_reasoning, tokens_total, reasoning_content, generation_status FROM generation_logs
       WHERE service_name = 'language-quiz' AND response_id = 'chatcmpl-pronounleur'`,
      [
        {
          tokens_prompt: 150n,
          tokens_completion: 575n,
          tokens_reasoning: 500n,
          tokens_total: 725n,
          reasoning_content: 'The pronoun "leur" stands before the verb.',
          generation_status: "success",
        },
      ],
    );
    await rig.rows(`SELECT total_input_tokens, total_output_tokens, total_reasoning_tokens, total_tokens FROM generation_items`, [
      { total_input_tokens: 600n, total_output_tokens: 2300n, total_reasoning_tokens: 2000n, total_tokens: 2900n },
    ]);
  });
});

describe("every example", () => {
  const files = readdirSync(join(repositoryRoot, "examples")).filter((name) => name.endsWith(".ts"));

  it("and the SDK's declarations are sound for TypeScript at its strictest", async () => {
    expect(await application.checkTypes()).toBe("");
  });

  it.each(files)("%s says in its first lines what it shows and how to run it, and has a test here", (file) => {
    const text = readFileSync(join(repositoryRoot, "examples", file), "utf8");
    const [head = ""] = text.split("*/");
    expect(head).toMatch(/^\/\*\*\n/);
    expect(head).toContain("Shows:");
    expect(head).toContain(`node ${file}`);
    expect(readFileSync(import.meta.filename, "utf8")).toContain(`describe("${file}"`);
  });
});

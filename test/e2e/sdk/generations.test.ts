import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEmbeddedState } from "../../../collector/embedded/index.ts";
import { generate, linkGeneration, reviewRecord, startGeneration, startTracing, type Tracing } from "../../../sdk/index.ts";
import { type Program, removeFolder, startProgram } from "../../support/program.ts";

let program: Program;
let sql: Sql;
let tracing: Tracing;

beforeAll(async () => {
  program = await startProgram();
  sql = postgres(readEmbeddedState(`${program.folder}/data`)!.url, { max: 1, onnotice: () => {} });
  tracing = startTracing({ endpoint: program.otlpUrl, serviceName: "definities", environment: "test", exitHooks: false });
});

afterAll(async () => {
  await tracing?.shutdown();
  await sql?.end();
  await program?.end();
  removeFolder(program);
});

const PROMPT = "# DEFINITIE GENERATIE\n\nGenereer een definitie voor „gemeente”…";
const START = {
  model: "gpt-4-turbo-2024-04-09",
  provider: "openai",
  prompt: {
    name: "unified_definition_v2",
    version: "2.0",
    modules: ["base", "context", "examples", "validation"],
    text: PROMPT,
    variables: { begrip: "gemeente" },
  },
  params: { temperature: 0.7, maxTokens: 2_000, topP: 1, frequencyPenalty: 0, presencePenalty: 0 },
  metadata: { feature: "definities" },
};
const ANSWER = {
  id: "chatcmpl-AbCdEf123456",
  model: "gpt-4-turbo-2024-04-09",
  created: 1_731_334_827,
  choices: [{ index: 0, message: { role: "assistant", content: "Een openbaar lichaam." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1_234, completion_tokens: 567, total_tokens: 1_801 },
};

/** The row of a generation, once it says what is awaited. */
async function rowWhere(id: string, holds: (row: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const [row] = await sql`SELECT * FROM generation_logs WHERE id = ${id}`;
    if (row !== undefined && holds(row)) return row;
    if (Date.now() > deadline) throw new Error(`the row does not say what is awaited: ${JSON.stringify(row)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const always = (): boolean => true;

describe("a generation in the database", () => {
  it("is pending while the call runs, then has everything that a log of generations needs, exact to the byte", async () => {
    let pending: Record<string, unknown> = {};
    let id = "";
    await generate(START, async (generation) => {
      id = generation.id;
      expect(await generation.recorded).toBe("accepted");
      pending = await rowWhere(id, always);
      return ANSWER;
    });
    await tracing.flush();
    expect(pending).toMatchObject({
      generation_status: "pending",
      prompt_full_text: PROMPT,
      prompt_format: "text",
      model_name: START.model,
    });
    expect(await rowWhere(id, ({ generation_status }) => generation_status !== "pending")).toMatchObject({
      generation_status: "success",
      service_name: "definities",
      environment: "test",
      dialect: "semconv",
      operation_name: "chat",
      provider_name: "openai",
      prompt_full_text: PROMPT,
      prompt_format: "text",
      prompt_template_name: "unified_definition_v2",
      prompt_template_version: "2.0",
      prompt_modules_used: ["base", "context", "examples", "validation"],
      prompt_variables: { begrip: "gemeente" },
      model_name: "gpt-4-turbo-2024-04-09",
      model_temperature: 0.7,
      model_max_tokens: "2000",
      model_top_p: 1,
      model_frequency_penalty: 0,
      model_presence_penalty: 0,
      tokens_prompt: "1234",
      tokens_completion: "567",
      tokens_total: "1801",
      response_model: "gpt-4-turbo-2024-04-09",
      response_finish_reason: "stop",
      response_id: "chatcmpl-AbCdEf123456",
      response_created_at: "1731334827",
      response_full_text: '[{"role":"assistant","parts":[{"type":"text","content":"Een openbaar lichaam."}],"finish_reason":"stop"}]',
      content_state: "captured",
      additional_metadata: { feature: "definities" },
    });
    const stored = await sql`SELECT count(*)::int AS n FROM generation_logs WHERE id = ${id}`;
    expect(stored[0]!["n"]).toBe(1);
  });

  it("is linked and reviewed later, from another process, by the stored reference", async () => {
    const generation = startGeneration(START);
    generation.succeed({ text: "Een openbaar lichaam." });
    await tracing.flush();
    const app = fileURLToPath(new URL("../../support/sdk/late-words-app.ts", import.meta.url));
    const other = spawnSync(process.execPath, [app, program.otlpUrl, generation.id], { encoding: "utf8" });
    expect([other.status, other.stderr]).toEqual([0, ""]);
    const row = await rowWhere(
      generation.id,
      ({ entity_id, quality_status, additional_metadata }) => entity_id !== null && quality_status !== null && additional_metadata !== null,
    );
    expect(row).toMatchObject({
      entity_type: "definitie",
      entity_id: "456",
      quality_status: "rejected",
      quality_issues: ["te kort"],
      quality_score: 0.25,
      additional_metadata: { feature: "definities", shown: true },
    });
  });

  it("keeps the latest of words that follow each other at once", async () => {
    const generation = startGeneration(START);
    generation.succeed();
    for (let i = 0; i < 20; i++) linkGeneration(generation.id, { type: "definitie", id: i });
    reviewRecord(generation.id, { status: "approved" });
    await tracing.flush();
    await rowWhere(generation.id, ({ entity_id, quality_status }) => entity_id === "19" && quality_status === "approved");
  });

  it.each([
    [
      "fails",
      Object.assign(new Error("Rate limit reached"), { code: "rate_limit_exceeded", status: 429 }),
      "failed",
      "rate_limit_exceeded",
    ],
    ["runs out of time", new DOMException("The operation was aborted due to timeout", "TimeoutError"), "timeout", "timeout"],
    ["is aborted", new DOMException("This operation was aborted", "AbortError"), "failed", "cancelled"],
  ])("that %s says why", async (_, error, status, type) => {
    let id = "";
    const call = generate(START, (generation) => {
      id = generation.id;
      throw error;
    });
    await expect(call).rejects.toBe(error);
    await tracing.flush();
    expect(await rowWhere(id, always)).toMatchObject({
      generation_status: status,
      error_type: type,
      error_message: error.message,
      error_traceback: expect.stringContaining("generations.test.ts"),
      prompt_full_text: PROMPT,
    });
  });

  it("SDK-06 has its attempts, a fallback among them", async () => {
    let id = "";
    await generate({ ...START, model: "gpt-5" }, async (generation) => {
      id = generation.id;
      const busy = Object.assign(new Error("busy"), { status: 503, code: "overloaded" });
      await generation.attempt({}, () => Promise.reject(busy)).catch(() => {});
      return await generation.attempt({ model: "gpt-5-nano", reason: "fallback" }, () => ({ ...ANSWER, model: "gpt-5-nano" }));
    });
    await tracing.flush();
    const row = await rowWhere(id, ({ attempts_count }) => attempts_count === 2);
    expect(row).toMatchObject({ model_name: "gpt-5", response_model: "gpt-5-nano", generation_status: "success" });
    const attempts = await sql`
      SELECT a.attempt_number, a.model_name, a.success, a.http_status, a.error_type, a.error_message FROM generation_attempts a
      JOIN generation_logs g USING (project_id, trace_id, span_id) WHERE g.id = ${id} ORDER BY 1`;
    expect([...attempts]).toEqual([
      { attempt_number: 1, model_name: "gpt-5", success: false, http_status: 503, error_type: "overloaded", error_message: "busy" },
      { attempt_number: 2, model_name: "gpt-5-nano", success: true, http_status: null, error_type: null, error_message: null },
    ]);
  });

  it("SDK-06 of a stream that breaks off has what had come", async () => {
    let id = "";
    async function* source() {
      yield { id: "chatcmpl-9", choices: [{ index: 0, delta: { content: "Een " } }] };
      throw new Error("socket hang up");
    }
    const stream = await generate(START, (generation) => {
      id = generation.id;
      return source();
    });
    const readAll = async (): Promise<void> => {
      for await (const chunk of stream) expect(chunk.id).toBe("chatcmpl-9");
    };
    await expect(readAll()).rejects.toThrow("socket hang up");
    await tracing.flush();
    const row = await rowWhere(id, always);
    expect(row).toMatchObject({ generation_status: "failed", error_message: "socket hang up", response_id: "chatcmpl-9" });
    expect(row["response_full_text"]).toContain('"content":"Een "');
    expect(row["time_to_first_token_ms"]).toBeGreaterThan(0);
  });
});

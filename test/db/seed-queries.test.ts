import { readFileSync } from "node:fs";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { BASE_MS, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";

/** Statements of a language in a Markdown file, one per code block. */
const recipeSql = (name: string): string[] =>
  Array.from(
    readFileSync(new URL(`../../docs/recipes/${name}`, import.meta.url), "utf8").matchAll(/```sql\n([\s\S]*?)```/g),
    (match) => match[1] as string,
  );

const generation = (number: number, values: Record<string, unknown>): Record<string, unknown> => ({
  project_id: 1,
  trace_id: String(number).padStart(32, "0"),
  span_id: "00000000000000aa",
  start_time: values["logged_at"],
  dialect: "semconv",
  generation_status: "success",
  updated_at: values["logged_at"],
  received_at: values["logged_at"],
  prompt_full_text: null,
  prompt_template_version: null,
  model_name: "gpt-4-turbo-2024-04-09",
  tokens_total: null,
  duration_ms: null,
  error_message: null,
  error_type: null,
  entity_type: null,
  entity_id: null,
  ...values,
});

const GENERATIONS = [
  generation(1, {
    logged_at: "2025-11-11 14:23:45.123+00",
    entity_type: "definitie",
    entity_id: "456",
    tokens_total: 1801,
    duration_ms: 2345,
    prompt_template_version: "2.0",
    prompt_full_text: "é".repeat(1024),
  }),
  generation(2, {
    logged_at: "2025-11-11 15:00:00+00",
    entity_type: "definitie",
    entity_id: "457",
    tokens_total: 2199,
    duration_ms: 1000,
    prompt_template_version: "2.0",
    prompt_full_text: "x".repeat(2048),
  }),
  generation(3, {
    logged_at: "2025-11-10 09:00:00+00",
    entity_type: "definitie",
    entity_id: "458",
    generation_status: "failed",
    prompt_template_version: "2.0",
    error_message: "rate limited",
    error_type: "api_error",
    prompt_full_text: "p3",
  }),
  generation(4, {
    logged_at: "2025-11-10 10:00:00+00",
    entity_type: "lesson",
    entity_id: "456",
    tokens_total: 100,
    duration_ms: 5,
    prompt_template_version: "2.1-beta",
  }),
  generation(5, {
    logged_at: "2020-01-01 00:00:00+00",
    entity_type: "definitie",
    entity_id: "not a number",
    tokens_total: 7,
    prompt_template_version: "1.0",
  }),
];

const DAY_MS = 86_400_000;
const itemId = (number: number): string => `00000000-0000-4000-8000-00000000000${number}`;

/** A problem and its one sentence, as an application sends them. */
function problem(number: number, title: string, { model, tokens, reasoning, quality, kind = "problem" }: Problem): object {
  const id = itemId(number);
  const record = { "genspan.record": "item", "genspan.item.id": id, "genspan.item.kind": kind, "genspan.item.title": title };
  const at = number * 1_000;
  return tracesOf(
    { id: `item${number}`, at, attributes: { ...record, "genspan.quality.status": quality } },
    {
      id: `call${number}`,
      parent: `item${number}`,
      at: at + 10,
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": tokens - 100,
        "gen_ai.usage.reasoning.output_tokens": reasoning,
      },
    },
  );
}

interface Problem {
  readonly model: string;
  readonly tokens: number;
  readonly reasoning: number;
  readonly quality: string;
  readonly kind?: string;
}

const PROBLEMS = [
  problem(1, "Articles", { model: "gpt-5-nano", tokens: 3000, reasoning: 1500, quality: "pending_review" }),
  problem(2, "Pronouns", { model: "gpt-5-nano", tokens: 5000, reasoning: 4000, quality: "approved" }),
  problem(3, "Verbs", { model: "gpt-5-mini", tokens: 1000, reasoning: 900, quality: "approved" }),
  problem(4, "No problem", { model: "gpt-5", tokens: 9000, reasoning: 5000, quality: "pending_review", kind: "lesson" }),
];

const runId = (number: number): string => `10000000-0000-4000-8000-00000000000${number}`;

/** The records of a run that began `day` November 2026; without an end it still runs. */
function run(number: number, day: number, end?: { status: string; seconds: number; summary: object }): object {
  const at = (day - 21) * DAY_MS;
  const shared = { "genspan.run.id": runId(number), "genspan.run.requested": 50 };
  const announced = { id: `pend${number}`, parent: `run${number}`, at, tookMs: 0 };
  const pending = { ...announced, attributes: { ...shared, "genspan.record": "pending", "genspan.run.status": "running" } };
  if (end === undefined) return tracesOf(pending);
  const attributes = {
    ...shared,
    "genspan.record": "run",
    "genspan.run.status": end.status,
    "genspan.run.summary": JSON.stringify(end.summary),
  };
  return tracesOf(pending, { id: `run${number}`, at, tookMs: end.seconds * 1_000, attributes });
}

describeEachServer("the SQL that the product was conceived from", (server) => {
  let database: TestDatabase;
  let sql: Sql;
  let pipeline: PipelineRig;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    // The application keeps its table and its views in a schema of its own, as the recipe says.
    sql = postgres(database.url, { max: 1, onnotice: () => {}, connection: { search_path: "app, public", TimeZone: "UTC" } });
    await sql`CREATE SCHEMA app`;
    await sql`CREATE TABLE app.definities (id bigint PRIMARY KEY, begrip text NOT NULL, source_type text NOT NULL)`;
    await sql`INSERT INTO definities VALUES (456, 'verdachte', 'generated'), (457, 'getuige', 'generated'), (458, 'aangifte', 'generated'),
      (459, 'rechter', 'imported'), (460, 'griffier', 'generated')`;
    await sql`INSERT INTO generation_logs ${sql(GENERATIONS)}`;
    pipeline = createPipelineRig(database.url);
    for (const body of PROBLEMS) await pipeline.send(body);
    await pipeline.refiner.settled();
    const [addColumn] = recipeSql("joining-your-own-table.md");
    await sql.unsafe(addColumn as string);
    await sql`CREATE VIEW app.problems AS SELECT id, title, created_at, generation_trace FROM generation_items WHERE kind = 'problem'`;
  });
  afterAll(async () => {
    await pipeline.stop();
    await sql.end();
    await database[Symbol.asyncDispose]();
  });

  describe("problems with a generation trace", () => {
    it("finds problems with high reasoning token usage", async () => {
      const rows = await sql.unsafe(`
        SELECT 
            id,
            title,
            generation_trace->>'total_reasoning_tokens' as reasoning_tokens,
            generation_trace->>'model' as model
        FROM problems
        WHERE (generation_trace->>'total_reasoning_tokens')::int > 1000
        ORDER BY (generation_trace->>'total_reasoning_tokens')::int DESC;`);
      expect(rows).toEqual([
        { id: itemId(2), title: "Pronouns", reasoning_tokens: "4000", model: "gpt-5-nano" },
        { id: itemId(1), title: "Articles", reasoning_tokens: "1500", model: "gpt-5-nano" },
      ]);
    });

    it("finds problems needing review", async () => {
      const rows = await sql.unsafe(`
        SELECT id, title, created_at
        FROM problems
        WHERE generation_trace->>'quality_status' = 'pending_review';`);
      expect(rows).toEqual([{ id: itemId(1), title: "Articles", created_at: new Date(BASE_MS + 1_000) }]);
    });

    it("analyses token usage by model", async () => {
      const rows = await sql.unsafe(`
        SELECT 
            generation_trace->>'model' as model,
            COUNT(*) as problem_count,
            AVG((generation_trace->>'total_tokens')::int) as avg_tokens
        FROM problems
        WHERE generation_trace IS NOT NULL
        GROUP BY generation_trace->>'model';`);
      expect(rows.map((row) => [row["model"], row["problem_count"], Number(row["avg_tokens"])]).toSorted()).toEqual([
        ["gpt-5-mini", "1", 1000],
        ["gpt-5-nano", "2", 4000],
      ]);
    });
  });

  describe("generation runs of questions", () => {
    beforeAll(async () => {
      const ended = [
        run(1, 1, {
          status: "success",
          seconds: 100,
          summary: {
            items_inserted: 40,
            avg_arbiter_score: 0.7,
            total_api_calls: 80,
            prompt_version: "2.0",
            approval_rate: 0.6,
            provider_metrics: {
              openai: { evaluated: 30, approved: 24, rejected: 6 },
              anthropic: { evaluated: 10, approved: 9, rejected: 1 },
            },
          },
        }),
        run(2, 10, {
          status: "partial_failure",
          seconds: 300,
          summary: {
            items_inserted: 10,
            avg_arbiter_score: 0.5,
            total_api_calls: 70,
            prompt_version: "2.1",
            approval_rate: 0.9,
            error_summary: { by_category: { rate_limit: 2 } },
          },
        }),
        run(3, 11, {
          status: "failed",
          seconds: 200,
          summary: { items_inserted: 0, total_api_calls: 5, prompt_version: "2.1", error_summary: { by_category: { network: 1 } } },
        }),
        run(4, 12),
      ];
      for (const body of ended) await pipeline.send(body);
      await pipeline.refiner.settled();
    });

    it("have every column of the original table, under its name, in its order and of a type that takes its values", async () => {
      const columns = await sql<{ name: string; type: string }[]>`
        SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
        WHERE attrelid = 'question_generation_runs'::regclass AND attnum > 0 AND attname <> 'project_id' ORDER BY attnum`;
      const [time, double, count] = ["timestamp with time zone", "double precision", "bigint"];
      expect(columns.map(({ name, type }) => [name, type])).toEqual([
        ["id", "uuid"],
        ["started_at", time],
        ["completed_at", time],
        ["duration_seconds", double],
        ["status", "text"],
        ["exit_code", "integer"],
        ["questions_requested", count],
        ["questions_generated", count],
        ["generation_failures", count],
        ["generation_success_rate", double],
        ["questions_evaluated", count],
        ["questions_approved", count],
        ["questions_rejected", count],
        ["approval_rate", double],
        ["avg_arbiter_score", double],
        ["min_arbiter_score", double],
        ["max_arbiter_score", double],
        ["duplicates_found", count],
        ["exact_duplicates", count],
        ["semantic_duplicates", count],
        ["duplicate_rate", double],
        ["questions_inserted", count],
        ["insertion_failures", count],
        ["overall_success_rate", double],
        ["total_errors", count],
        ["total_api_calls", count],
        ["provider_metrics", "jsonb"],
        ["type_metrics", "jsonb"],
        ["difficulty_metrics", "jsonb"],
        ["error_summary", "jsonb"],
        ["prompt_version", "text"],
        ["arbiter_config_version", "text"],
        ["min_arbiter_score_threshold", double],
        ["environment", "text"],
        ["triggered_by", "text"],
        ["created_at", time],
      ]);
    });

    it("show general runs under the original names", async () => {
      const rows =
        await sql`SELECT id, questions_requested, questions_inserted, status FROM question_generation_runs WHERE status = 'success'`;
      expect(rows).toEqual([{ id: runId(1), questions_requested: "50", questions_inserted: "40", status: "success" }]);
    });

    it("answer the use cases: score trend, best provider, rate-limited runs, calls per question, prompt version, duration, alert", async () => {
      const [trend] = await sql`
        SELECT avg(avg_arbiter_score) AS score FROM question_generation_runs WHERE started_at >= timestamptz '2026-11-20 00:00:00+00' - interval '30 days'`;
      expect(trend?.["score"]).toBeCloseTo(0.6);
      const providers = await sql`
        SELECT provider, sum((metrics->>'approved')::int)::float8 / sum((metrics->>'evaluated')::int) AS rate
        FROM question_generation_runs, jsonb_each(provider_metrics) AS p (provider, metrics) GROUP BY 1 ORDER BY 2 DESC`;
      expect(providers).toEqual([
        { provider: "anthropic", rate: 0.9 },
        { provider: "openai", rate: 0.8 },
      ]);
      const [limited] =
        await sql`SELECT count(*)::int AS n FROM question_generation_runs WHERE (error_summary#>>'{by_category,rate_limit}')::int > 0`;
      expect(limited).toEqual({ n: 1 });
      const [calls] =
        await sql`SELECT sum(total_api_calls)::float8 / sum(questions_inserted)::float8 AS per_question FROM question_generation_runs WHERE questions_inserted > 0`;
      expect(calls?.["per_question"]).toBeCloseTo(3);
      const versions =
        await sql`SELECT prompt_version, avg(approval_rate) AS rate FROM question_generation_runs WHERE approval_rate IS NOT NULL GROUP BY 1 ORDER BY 1`;
      expect(versions).toEqual([
        { prompt_version: "2.0", rate: 0.6 },
        { prompt_version: "2.1", rate: 0.9 },
      ]);
      const [duration] = await sql`SELECT avg(duration_seconds) AS seconds FROM question_generation_runs WHERE questions_requested = 50`;
      expect(duration).toEqual({ seconds: 200 });
      const low = await sql`
        SELECT every(overall_success_rate < 0.5) OVER (ORDER BY started_at ROWS 1 PRECEDING) AS low FROM question_generation_runs
        WHERE overall_success_rate IS NOT NULL ORDER BY started_at`;
      expect(low.map((row) => row["low"])).toEqual([false, false, true]);
    });
  });

  describe("definitions and their generation logs", () => {
    // Another application's calls: what is counted below is the definitions' own.
    beforeAll(() => sql`DELETE FROM generation_logs WHERE item_id IS NOT NULL`.then(() => {}));

    it("joins definitions with their generation (view definities_with_generation)", async () => {
      await sql.unsafe(`
        CREATE VIEW definities_with_generation AS
        SELECT
            d.*,
            gl.prompt_template_version,
            gl.model_name,
            gl.tokens_total,
            gl.duration_ms,
            gl.generation_status,
            gl.logged_at as generated_at
        FROM definities d
        LEFT JOIN generation_logs gl ON d.id = gl.definitie_id
        WHERE d.source_type = 'generated';`);
      const rows = await sql`SELECT id, begrip, tokens_total, generation_status, generated_at FROM definities_with_generation ORDER BY id`;
      expect(rows).toEqual([
        {
          id: "456",
          begrip: "verdachte",
          tokens_total: "1801",
          generation_status: "success",
          generated_at: new Date("2025-11-11T14:23:45.123Z"),
        },
        {
          id: "457",
          begrip: "getuige",
          tokens_total: "2199",
          generation_status: "success",
          generated_at: new Date("2025-11-11T15:00:00Z"),
        },
        { id: "458", begrip: "aangifte", tokens_total: null, generation_status: "failed", generated_at: new Date("2025-11-10T09:00:00Z") },
        { id: "460", begrip: "griffier", tokens_total: null, generation_status: null, generated_at: null },
      ]);
    });

    it("shows failed generations with their definition (the application's view failed_generations)", async () => {
      await sql.unsafe(`
        CREATE VIEW failed_generations AS
        SELECT
            d.begrip,
            gl.error_message,
            gl.error_type,
            gl.logged_at,
            gl.prompt_full_text
        FROM generation_logs gl
        JOIN definities d ON gl.definitie_id = d.id
        WHERE gl.generation_status = 'failed';`);
      const expected = {
        error_message: "rate limited",
        error_type: "api_error",
        logged_at: new Date("2025-11-10T09:00:00Z"),
        prompt_full_text: "p3",
      };
      expect(await sql`SELECT * FROM failed_generations`).toEqual([{ begrip: "aangifte", ...expected }]);
      expect(
        await sql`SELECT entity_type, entity_id, error_message, error_type, logged_at, prompt_full_text FROM public.failed_generations`,
      ).toEqual([{ entity_type: "definitie", entity_id: "458", ...expected }]);
    });

    it("measures storage: the original view counts characters, ours real kilobytes", async () => {
      await sql.unsafe(`
        CREATE VIEW storage_metrics AS
        SELECT 
            COUNT(*) as log_count,
            SUM(LENGTH(prompt_full_text)) / 1024 / 1024 as prompt_mb,
            AVG(LENGTH(prompt_full_text)) as avg_prompt_kb
        FROM generation_logs;`);
      const [original] = await sql`SELECT log_count::int, prompt_mb::int, avg_prompt_kb::float8 FROM storage_metrics`;
      expect(original).toEqual({ log_count: 5, prompt_mb: 0, avg_prompt_kb: expect.closeTo((1024 + 2048 + 2) / 3) });
      const [ours] = await sql`SELECT log_count::int, prompt_mb::float8, avg_prompt_kb::float8 FROM public.storage_metrics`;
      const bytes = 2048 + 2048 + 2;
      expect(ours).toEqual({
        log_count: 5,
        prompt_mb: expect.closeTo(bytes / 1048576, 8),
        avg_prompt_kb: expect.closeTo(bytes / 3 / 1024, 8),
      });
    });

    it("gives token usage over time", async () => {
      const rows = await sql.unsafe(`
        SELECT
            DATE(logged_at) as date,
            AVG(tokens_total) as avg_tokens,
            MAX(tokens_total) as max_tokens,
            COUNT(*) as generations
        FROM generation_logs
        WHERE generation_status = 'success'
        GROUP BY DATE(logged_at)
        ORDER BY date DESC;`);
      expect(rows.map((row) => [row["date"], Number(row["avg_tokens"]), row["max_tokens"], row["generations"]])).toEqual([
        [new Date("2025-11-11"), 2000, "2199", "2"],
        [new Date("2025-11-10"), 100, "100", "1"],
        [new Date("2020-01-01"), 7, "7", "1"],
      ]);
    });

    it("gives the most expensive prompts, as printed and as in the recipe", async () => {
      const printed = `
        SELECT
            d.begrip,
            gl.tokens_total,
            gl.duration_ms,
            gl.logged_at
        FROM generation_logs gl
        JOIN definities d ON gl.definitie_id = d.id
        WHERE gl.generation_status = 'success'
        ORDER BY gl.tokens_total DESC
        LIMIT 10;`;
      const expected = [
        { begrip: "getuige", tokens_total: "2199", duration_ms: 1000, logged_at: new Date("2025-11-11T15:00:00Z") },
        { begrip: "verdachte", tokens_total: "1801", duration_ms: 2345, logged_at: new Date("2025-11-11T14:23:45.123Z") },
      ];
      expect(await sql.unsafe(printed)).toEqual(expected);
      expect(await sql.unsafe(recipeSql("joining-your-own-table.md")[1] as string)).toEqual(expected);
    });

    it("gives the failure rate by template", async () => {
      const rows = await sql.unsafe(`
        SELECT
            prompt_template_version,
            COUNT(*) as total,
            SUM(CASE WHEN generation_status = 'failed' THEN 1 ELSE 0 END) as failures,
            ROUND(100.0 * SUM(CASE WHEN generation_status = 'failed' THEN 1 ELSE 0 END) / COUNT(*), 2) as failure_rate
        FROM generation_logs
        GROUP BY prompt_template_version;`);
      expect(rows.map((row) => Object.values(row)).toSorted()).toEqual([
        ["1.0", "1", "0", "0.00"],
        ["2.0", "3", "1", "33.33"],
        ["2.1-beta", "1", "0", "0.00"],
      ]);
    });

    it("finds the log of one definition", async () => {
      // SQLite: SELECT * FROM generation_logs WHERE definitie_id = ?
      const rows = await sql`SELECT * FROM generation_logs WHERE definitie_id = ${456}`;
      expect(rows.map((row) => row["id"])).toEqual([`${GENERATIONS[0]?.["trace_id"]}-00000000000000aa`]);
    });

    it("gives the prompt history by version, dates and status", async () => {
      // SQLite: SELECT * FROM generation_logs WHERE 1=1 AND prompt_template_version = ? AND logged_at >= ? AND logged_at <= ?
      //         AND generation_status = ? ORDER BY logged_at DESC LIMIT ?
      const history = (...parameters: (string | number)[]) =>
        sql.unsafe(
          `SELECT * FROM generation_logs WHERE 1=1 AND prompt_template_version = $1 AND logged_at >= $2 AND logged_at <= $3
            AND generation_status = $4 ORDER BY logged_at DESC LIMIT $5`,
          parameters,
        );
      const rows = await history("2.0", "2025-11-01", "2025-12-01", "success", 100);
      expect(rows.map((row) => row["entity_id"])).toEqual(["457", "456"]);
      expect(await history("2.0", "2025-11-01", "2025-12-01", "success", 1)).toHaveLength(1);
    });

    it("shows generations with their entity (our general view)", async () => {
      const rows = await sql`SELECT entity_type, entity_id, tokens_total FROM generations_with_entity ORDER BY generated_at DESC LIMIT 2`;
      expect(rows).toEqual([
        { entity_type: "definitie", entity_id: "457", tokens_total: "2199" },
        { entity_type: "definitie", entity_id: "456", tokens_total: "1801" },
      ]);
    });

    it("adds up usage per UTC day", async () => {
      const rows = await sql`
        SELECT day::text, sum(generations)::int AS generations, sum(failed)::int AS failed, sum(tokens_total)::int AS tokens
        FROM daily_usage GROUP BY day ORDER BY day DESC`;
      expect(rows).toEqual([
        { day: "2025-11-11", generations: 2, failed: 0, tokens: 4000 },
        { day: "2025-11-10", generations: 2, failed: 1, tokens: 100 },
        { day: "2020-01-01", generations: 1, failed: 0, tokens: 7 },
      ]);
    });

    it("archives old prompts and removes orphans", async () => {
      // SQLite: WHERE logged_at < datetime('now', '-365 days')
      await sql`CREATE TABLE app.generation_logs_archive (LIKE generation_logs)`;
      await sql`INSERT INTO generation_logs_archive SELECT * FROM generation_logs WHERE logged_at < timestamptz '2025-11-12' - interval '365 days'`;
      const archived =
        await sql`DELETE FROM generation_logs WHERE id IN (SELECT id FROM generation_logs_archive) RETURNING prompt_template_version`;
      expect(archived).toEqual([{ prompt_template_version: "1.0" }]);
      // SQLite: WHERE definitie_id IS NULL AND logged_at < datetime('now', '-7 days')
      const orphans =
        await sql`DELETE FROM generation_logs WHERE definitie_id IS NULL AND logged_at < now() - interval '7 days' RETURNING entity_type`;
      expect(orphans).toEqual([{ entity_type: "lesson" }]);
    });
  });

  it("image traces carry the original fields and the values of the printed example", async () => {
    const model = "stabilityai/stable-diffusion-xl-base-1.0";
    const prompt = "A cat playing with yarn, educational illustration";
    const id = "123e4567-e89b-12d3-a456-426614174000";
    const at = Date.parse("2025-10-26T10:30:00Z") - BASE_MS;
    const request = { numberOfImages: 1, prompts: [{ prompt, position: "full", targetSection: 2 }] };
    const answer = { generatedImagesCount: 1, uploadedImagesCount: 1, imageUrls: ["https://..."] };
    await pipeline.send(
      tracesOf(
        {
          id: "try",
          parent: "image",
          at,
          tookMs: 3542,
          attributes: {
            "genspan.record": "attempt",
            "genspan.attempt.number": 1,
            "genspan.attempt.outcome": "success",
            "gen_ai.request.model": model,
            "genspan.image.request": JSON.stringify({ prompt, model }),
            "genspan.image.response": JSON.stringify({ success: true, dataSize: 212272 }),
          },
        },
        {
          id: "image",
          at,
          tookMs: 3542,
          attributes: {
            "genspan.record": "image",
            "genspan.image.id": id,
            "genspan.image.status": "completed",
            "genspan.image.request": JSON.stringify(request),
            "genspan.image.response": JSON.stringify(answer),
            "genspan.entity.type": "lesson",
            "genspan.entity.id": "lesson-123",
          },
        },
      ),
    );
    await pipeline.refiner.settled();
    const [trace] = await sql`SELECT id, lesson_id, status, model_used, models_tried, total_duration_ms, request_data, response_data,
      image_generation_attempts, created_at, completed_at FROM image_traces`;
    expect(trace).toMatchObject({
      id,
      lesson_id: "lesson-123",
      status: "completed",
      model_used: model,
      models_tried: [model],
      total_duration_ms: 3542,
      request_data: request,
      response_data: answer,
      image_generation_attempts: [{ model, prompt, duration_ms: 3542, success: true, response: { success: true, dataSize: 212272 } }],
      created_at: new Date("2025-10-26T10:30:00Z"),
      completed_at: new Date("2025-10-26T10:30:03.542Z"),
    });
  });
});

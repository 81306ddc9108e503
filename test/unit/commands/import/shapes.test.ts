import { describe, expect, it } from "vitest";
import { type JsonObject, type Shape, shapeOf } from "../../../../collector/commands/import/shapes.ts";

const NOW = "2026-11-21T08:00:00.000Z";
const rowsOf = (value: JsonObject): readonly { noun: string; values: JsonObject }[] => {
  const shape: Shape = shapeOf(value, NOW);
  if (shape.kind !== "rows") throw new Error(`taken for ${shape.kind}`);
  return shape.rows;
};

describe("a log that an application kept itself", () => {
  const log = {
    id: 123,
    definitie_id: 456,
    prompt_full_text: "# DEFINITIE GENERATIE\n\nGenereer een definitie voor...",
    prompt_template_version: "2.0",
    prompt_template_name: "unified_definition_v2",
    prompt_modules_used: ["base", "context", "examples", "validation"],
    model_name: "gpt-4-turbo-2024-04-09",
    model_temperature: 0.7,
    tokens_prompt: 1234,
    tokens_completion: 567,
    tokens_total: 1801,
    duration_ms: 2345,
    response_finish_reason: "stop",
    response_id: "chatcmpl-AbCdEf123456",
    generation_status: "success",
    logged_at: "2025-11-11T14:23:45.123Z",
    updated_at: "2025-11-11T14:23:47.456Z",
  };

  it("keeps its columns; the application's own id becomes the entity", () => {
    const [row] = rowsOf(log);
    expect(row).toMatchObject({
      noun: "generations",
      values: {
        entity_type: "definitie",
        entity_id: "456",
        tokens_total: 1801,
        generation_status: "success",
        start_time: log.logged_at,
        updated_at: log.updated_at,
        prompt_modules_used: log.prompt_modules_used,
        additional_metadata: { imported_id: 123 },
      },
    });
  });

  it("has the same ids when it is imported again, and others than the next one", () => {
    const ids = (value: JsonObject) => [rowsOf(value)[0]?.values["trace_id"], rowsOf(value)[0]?.values["span_id"]];
    expect(ids(log)).toEqual(ids({ ...log }));
    expect(ids(log)[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(ids(log)).not.toEqual(ids({ ...log, id: 124 }));
  });

  it("is read in sections, too, as its model writes itself", () => {
    const sections = {
      id: 7,
      definitie_id: 8,
      prompt: {
        full_text: "p",
        template_version: "2.0",
        template_name: "n",
        modules_used: ["base"],
        model_params: { name: "gpt-4", temperature: 0.7, max_tokens: 2000, top_p: 1, frequency_penalty: 0, presence_penalty: 0 },
      },
      response: null,
      error: { message: "slow", error_type: "timeout", traceback: "at x" },
      status: "timeout",
      metadata: { flag: true },
      logged_at: "2025-11-11T14:23:45+00:00",
      updated_at: "2025-11-11T14:23:47+00:00",
    };
    expect(rowsOf(sections)[0]?.values).toMatchObject({
      prompt_full_text: "p",
      prompt_modules_used: ["base"],
      model_name: "gpt-4",
      model_max_tokens: 2000,
      model_presence_penalty: 0,
      error_type: "timeout",
      error_traceback: "at x",
      generation_status: "timeout",
      entity_id: "8",
      additional_metadata: { flag: true, imported_id: 7 },
    });
  });

  const metadataOf = (value: JsonObject): unknown => rowsOf(value)[0]?.values["additional_metadata"];

  it("keeps what no column takes in its metadata, where what is there already wins", () => {
    const more = {
      feature_flags: ["a"],
      reviewer_id: 9,
      trace_id: "not ours",
      content_state: "x",
      nothing: null,
      metadata: { host: "h", source: 1 },
    };
    expect(metadataOf({ ...log, ...more, host: "other" })).toEqual({
      imported_id: 123,
      feature_flags: ["a"],
      reviewer_id: 9,
      trace_id: "not ours",
      content_state: "x",
      host: "h",
      source: 1,
    });
    expect(rowsOf({ ...log, ...more })[0]?.values).not.toHaveProperty("reviewer_id");
  });

  it("keeps a status, metadata and further parameters that have no column as they were told", () => {
    expect(rowsOf({ ...log, generation_status: "cancelled" })[0]?.values).toMatchObject({
      generation_status: "failed",
      additional_metadata: { generation_status: "cancelled" },
    });
    expect(metadataOf({ ...log, additional_metadata: "no JSON", metadata: [1] })).toEqual({
      imported_id: 123,
      additional_metadata: "no JSON",
      metadata: [1],
    });
    const sections = {
      prompt: { full_text: "p", language: "nl", model_params: { name: "gpt-4", effort: "high" } },
      response: { full_text: "r", finish_reason: "stop", system_fingerprint: "fp" },
      error: "as text",
      status: "success",
      quality_score: 0.5,
    };
    expect(rowsOf(sections)[0]?.values).toMatchObject({
      model_parameters: { effort: "high" },
      response_full_text: "r",
      response_format: "text",
      quality_score: 0.5,
      additional_metadata: { prompt: { language: "nl" }, response: { system_fingerprint: "fp" }, error: "as text" },
    });
  });

  it("begins when it was made, where it says nothing else, and has the same ids at any time of import where it says nothing at all", () => {
    const { logged_at, ...untimed } = log;
    expect(rowsOf({ ...untimed, created_at: logged_at })[0]).toMatchObject({ isUntimed: false, values: { start_time: logged_at } });
    const at = (now: string) => {
      const shape = shapeOf(untimed, now);
      return shape.kind === "rows" ? shape.rows[0] : undefined;
    };
    const { trace_id, span_id } = at(NOW)?.values ?? {};
    expect(at("2026-11-22T08:00:00.000Z")).toMatchObject({ isUntimed: true, values: { trace_id, span_id } });
  });

  it("unpacks columns that held JSON as text", () => {
    const [row] = rowsOf({ ...log, prompt_modules_used: '["base"]', additional_metadata: '{"a":1}' });
    expect(row?.values).toMatchObject({ prompt_modules_used: ["base"], additional_metadata: { a: 1, imported_id: 123 } });
  });
});

describe("a run's summary", () => {
  const flat = {
    started_at: "2024-12-04T10:00:00Z",
    completed_at: "2024-12-04T10:05:00Z",
    status: "success",
    exit_code: 0,
    questions_requested: 50,
    questions_generated: 48,
    questions_evaluated: 48,
    questions_approved: 36,
    questions_inserted: 30,
    prompt_version: "2.1",
    provider_metrics: { openai: { generated: 10, api_calls: 15, failures: 1 } },
  };

  it("keeps its columns under the general names, with the rates that follow", () => {
    expect(rowsOf(flat)[0]).toMatchObject({
      noun: "runs",
      values: {
        items_requested: 50,
        items_inserted: 30,
        overall_success_rate: 0.6,
        approval_rate: 0.75,
        duration_seconds: 300,
        status: "success",
      },
    });
  });

  it("is held to the same rules where it has ids and the general names, but an export's line is stored as it stands there", () => {
    const told = { id: "123e4567-e89b-12d3-a456-426614174000", run_id: "nightly", started_at: flat.started_at, items_requested: 5, foo: 1 };
    expect(rowsOf(told)[0]).toMatchObject({ ignored: ["foo"], values: { id: told.id, run_id: "nightly", items_requested: 5 } });
    expect(shapeOf({ ...told, items_requested: -5 }, NOW)).toMatchObject({ kind: "unknown" });
    expect(shapeOf({ ...told, updated_at: flat.started_at }, NOW)).toEqual({ kind: "row", noun: "runs" });
  });

  it("has its breakdowns found at the top under their short names", () => {
    const by = { by_provider: { openai: 10 }, by_type: { multiple_choice: 7 }, by_difficulty: { easy: 3 } };
    const [row] = rowsOf({ timing: { started_at: flat.started_at }, generation: { requested: 50 }, ...by });
    expect(row?.values).toMatchObject({
      items_requested: 50,
      provider_metrics: { openai: { generated: 10 } },
      type_metrics: { multiple_choice: 7 },
      difficulty_metrics: { easy: 3 },
    });
    expect(row).toMatchObject({ ignored: [] });
  });

  it("names what no column takes, at the top and in a section", () => {
    const noise = { foo: 1, errors: 5, note: null, tags: [], deduplication: { found: 2, colour: "red" }, metadata: { id: "7", host: "a" } };
    expect(rowsOf({ ...flat, ...noise })[0]).toMatchObject({ ignored: ["foo", "errors", "deduplication.colour", "metadata.host"] });
    expect(rowsOf(flat)[0]).toMatchObject({ ignored: [] });
  });

  it.each([
    [{ questions_generated: -1 }, "items_generated is below 0"],
    [{ errors: { total: -2 } }, "total_errors is below 0"],
    [{ duration_seconds: -0.5 }, "duration_seconds is below 0"],
    [{ approval_rate: 95 }, "approval_rate is no rate from 0 to 1"],
    [{ outcome: { success_rate: -0.1 } }, "overall_success_rate is no rate from 0 to 1"],
    [{ completed_at: "2024-12-04T09:00:00Z" }, "completed_at lies before started_at"],
  ])("is refused with %j, as the API refuses it", (wrong, reason) => {
    expect(shapeOf({ ...flat, ...wrong }, NOW)).toEqual({ kind: "unknown", reason });
    expect(shapeOf({ ...flat, approval_rate: 1, duplicates_found: 0 }, NOW).kind).toBe("rows");
  });

  it("is read in sections, too", () => {
    const { started_at, completed_at, exit_code, provider_metrics, ...counts } = flat;
    const sections = { execution: { started_at, completed_at, exit_code }, generation: counts, provider_metrics };
    const { id: _a, run_id: _b, ...values } = rowsOf(sections)[0]?.values ?? {};
    const { id: _c, run_id: _d, ...expected } = rowsOf(flat)[0]?.values ?? {};
    expect(values).toEqual(expected);
  });

  it("is read in sections with short names, with the id that stands beside them", () => {
    const id = "123e4567-e89b-12d3-a456-426614174000";
    const short = {
      metadata: { id },
      timing: { started_at: flat.started_at, completed_at: flat.completed_at },
      outcome: { status: "success", exit_code: 0 },
      generation: { requested: 50, generated: 48 },
      evaluation: { evaluated: 48, approved: 36 },
      database: { inserted: 30 },
      config: { prompt_version: "2.1" },
      providers: flat.provider_metrics,
    };
    expect(rowsOf(short)[0]).toEqual(rowsOf({ ...flat, id })[0]);
  });

  it("keeps its own id, and gets the same one again where it has none", () => {
    const id = "123e4567-e89b-12d3-a456-426614174000";
    expect(rowsOf({ ...flat, id })[0]?.values["id"]).toBe(id);
    expect(rowsOf(flat)[0]?.values["id"]).toBe(rowsOf({ ...flat })[0]?.values["id"]);
  });
});

describe("an image trace", () => {
  it("keeps id, attempts and times; its lesson is the entity", () => {
    const trace = {
      id: "123e4567-e89b-12d3-a456-426614174000",
      lesson_id: "lesson-123",
      status: "completed",
      model_used: "sdxl",
      models_tried: ["sdxl"],
      image_generation_attempts: [{ model: "sdxl", success: true, response: { success: true, dataSize: 212272 } }],
      created_at: "2025-10-26T10:30:00Z",
      completed_at: "2025-10-26T10:30:03Z",
    };
    const { lesson_id, ...columns } = trace;
    expect(rowsOf(trace)).toEqual([{ noun: "images", values: { ...columns, entity_type: "lesson", entity_id: lesson_id }, ignored: [] }]);
    expect(rowsOf({ ...trace, id: "img-7", entity_id: "e" })).toMatchObject([{ ignored: ["entity_id", "id"] }]);
    expect(shapeOf({ traces: [trace] }, NOW)).toEqual({ kind: "list", values: [trace] });
  });
});

describe("a problem with its trace", () => {
  const trace = {
    model: "gpt-5-nano",
    prompt_version: "2.0",
    total_input_tokens: 150,
    total_output_tokens: 75,
    total_reasoning_tokens: 500,
    total_tokens: 225,
    quality_status: "pending_review",
    quality_issues: ["odd"],
    sentences: [
      { index: 0, prompt_text: "Écris", content: "Il parle.", reasoning_content: "because", input_tokens: 150, output_tokens: 75 },
    ],
  };
  const problem = { id: "p-1", title: "Articles", created_at: "2026-01-01T00:00:00Z", generation_trace: trace };

  it("is an item with its totals, and a generation for each sentence", () => {
    const [item, sentence] = rowsOf(problem);
    expect(item).toMatchObject({
      noun: "items",
      values: {
        item_id: "p-1",
        title: "Articles",
        total_tokens: 225,
        quality_status: "pending_review",
        generations_count: 1,
        generation_trace: trace,
      },
    });
    expect(sentence).toMatchObject({
      noun: "generations",
      values: {
        item_id: "p-1",
        prompt_full_text: "Écris",
        reasoning_content: "because",
        model_name: "gpt-5-nano",
        generation_status: "success",
      },
    });
  });

  it("keeps what has no column in the metadata of its trace and of its sentences", () => {
    const odd = { ...trace.sentences[0], tense: "présent", status: "odd", error: "cut", error_message: "more" };
    const told = { ...trace, quality_status: undefined, metadata: { level: "A1" }, seconds: 3, sentences: [odd] };
    const [item, sentence] = rowsOf({
      ...problem,
      topic: "verbs",
      level: "B2",
      model: "m-2",
      quality_status: "approved",
      generation_trace: told,
    });
    expect(item?.values).toMatchObject({
      model: "gpt-5-nano",
      quality_status: "approved",
      generation_trace: { seconds: 3, metadata: { topic: "verbs", level: "A1", model: "m-2" } },
      told: { quality_status: "approved", metadata: { topic: "verbs", level: "A1", model: "m-2", seconds: 3 } },
    });
    expect(sentence?.values).toMatchObject({
      generation_status: "failed",
      error_message: "cut",
      additional_metadata: { tense: "présent", status: "odd", error_message: "more" },
    });
  });

  it("may be the trace alone", () => {
    expect(rowsOf(trace)[0]?.values).toMatchObject({ total_reasoning_tokens: 500, kind: "problem", created_at: NOW });
  });
});

describe("what else a file may hold", () => {
  it.each([
    [{ resourceSpans: [] }, { kind: "otlp", signal: "traces" }],
    [{ resourceLogs: [] }, { kind: "otlp", signal: "logs" }],
    [
      { trace_id: "a", span_id: "b", start_time: "c", generation_status: "success", prompt_full_text: "x" },
      { kind: "row", noun: "generations" },
    ],
    [
      { trace_id: "a", span_id: "b", start_time: "c", attempt_number: 1 },
      { kind: "row", noun: "attempts" },
    ],
    [{ hello: "world" }, { kind: "unknown", reason: expect.stringContaining("nothing that can be imported") }],
    [{ prompt: "no section" }, { kind: "unknown", reason: expect.stringContaining("nothing that can be imported") }],
  ] as const)("%j is recognised", (value, shape) => {
    expect(shapeOf(value as JsonObject, NOW)).toEqual(shape);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completeReport, readRunReport } from "../../../collector/model/run-report.ts";

describe("a run's report", () => {
  it("is read under both names, at the top and in sections", () => {
    expect(
      readRunReport({
        questions_requested: 50,
        generation: { questions_generated: 48, generation_failures: "2" },
        provider_metrics: { openai: { questions_generated: 7 } },
        evaluation: { items_approved: 40, avg_arbiter_score: 0.8 },
        exit_code: 1,
        status: "partial_failure",
        started_at: "2026-11-21T09:15:00+01:00",
        unknown: true,
      }),
    ).toEqual({
      items_requested: 50,
      items_generated: 48,
      generation_failures: 2,
      items_approved: 40,
      avg_arbiter_score: 0.8,
      exit_code: 1,
      status: "partial_failure",
      started_at: "2026-11-21T08:15:00.000Z",
      provider_metrics: { openai: { questions_generated: 7 } },
    });
  });

  const BREAKDOWNS = {
    provider_metrics: { openai: { generated: 30, api_calls: 45, failures: 1 } },
    type_metrics: { logical_reasoning: 48 },
    difficulty_metrics: { easy: 15, medium: 33 },
    error_summary: { by_category: { rate_limit: 2 }, by_severity: { high: 1 }, critical_count: 0 },
  };
  const REPORT = {
    started_at: "2024-12-04T10:00:00.000Z",
    completed_at: "2024-12-04T10:05:00.000Z",
    duration_seconds: 300,
    status: "partial_failure",
    exit_code: 1,
    items_requested: 50,
    items_generated: 48,
    generation_failures: 2,
    generation_success_rate: 0.96,
    items_evaluated: 48,
    items_approved: 40,
    items_rejected: 8,
    approval_rate: 0.83,
    avg_arbiter_score: 0.8,
    min_arbiter_score: 0.4,
    max_arbiter_score: 1,
    duplicates_found: 5,
    exact_duplicates: 2,
    semantic_duplicates: 3,
    duplicate_rate: 0.125,
    items_inserted: 34,
    insertion_failures: 1,
    overall_success_rate: 0.68,
    total_errors: 3,
    total_api_calls: 120,
    prompt_version: "2.1",
    arbiter_config_version: "a3",
    min_arbiter_score_threshold: 0.7,
    environment: "production",
    triggered_by: "scheduler",
    ...BREAKDOWNS,
  };
  const { provider_metrics: byProvider, type_metrics: byType, difficulty_metrics: byDifficulty, error_summary: errors } = BREAKDOWNS;
  const STAGES = {
    generation: { requested: 50, generated: 48, failures: 2, success_rate: 0.96 },
    evaluation: { evaluated: 48, approved: 40, rejected: 8, approval_rate: 0.83, avg_score: 0.8, min_score: 0.4, max_score: 1 },
    deduplication: { duplicates: 5, exact: 2, semantic: 3, duplicate_rate: 0.125 },
    database: { inserted: 34, failures: 1 },
  };
  const times = { started_at: REPORT.started_at, completed_at: REPORT.completed_at, duration_seconds: 300 };

  it.each<[string, object]>([
    [
      "the categories of the table of metrics",
      {
        timing: times,
        outcome: { status: "partial_failure", exit_code: 1, success_rate: 0.68 },
        ...STAGES,
        providers: byProvider,
        types: byType,
        difficulty: byDifficulty,
        errors: { total: 3, ...errors },
        api_usage: { total_calls: 120 },
        config: { prompt_version: "2.1", arbiter_config: "a3", thresholds: { min_arbiter_score: 0.7 } },
        environment: { environment: "production", triggered_by: "scheduler" },
      },
    ],
    [
      "the headings of the table's definition",
      {
        "Execution timing": times,
        "Status & outcome": { status: "partial_failure", exit_code: 1 },
        "Generation metrics": STAGES.generation,
        "Evaluation metrics": { ...STAGES.evaluation, avg_score: undefined, average: 0.8 },
        "Deduplication metrics": STAGES.deduplication,
        "Database metrics": STAGES.database,
        "Overall success": { overall_success_rate: 0.68, total_errors: 3 },
        "API usage": { total_api_calls: 120 },
        provider_metrics: byProvider,
        type_metrics: byType,
        difficulty_metrics: byDifficulty,
        "Error tracking": { total: 3, category: errors.by_category, severity: errors.by_severity, critical_count: 0 },
        "Configuration used": { prompt_version: "2.1", arbiter_config_version: "a3", min_arbiter_score: 0.7 },
        "Environment context": { environment: "production", triggered_by: "scheduler" },
      },
    ],
    [
      "a summary with its own times and breakdowns",
      {
        run: { startTime: REPORT.started_at, endTime: REPORT.completed_at, durationSeconds: 300, status: "partial_failure", exitCode: 1 },
        summary: {
          ...STAGES,
          generation: { ...STAGES.generation, by_provider: byProvider, by_type: byType, by_difficulty: byDifficulty },
          overall: { success_rate: 0.68, errors: 3, api_calls: 120 },
          errors: { total: 3, ...errors },
        },
        configuration: { prompt_version: "2.1", arbiter_version: "a3", min_score: 0.7, environment: "production", trigger: "scheduler" },
      },
    ],
  ])("is read by short names in sections: %s", (_name, sections) => {
    const { error_summary, ...report } = readRunReport(sections) as Record<string, unknown>;
    const { error_summary: expectedErrors, ...expected } = REPORT;
    expect(report).toEqual(expected);
    expect(error_summary).toMatchObject(expectedErrors);
  });

  it("takes a full name before a short one, and counts of one word where they are told together", () => {
    expect(readRunReport({ questions_generated: 7, generation: { generated: 8, requested: 9 } })).toEqual({
      items_generated: 7,
      items_requested: 9,
    });
    const stats = { requested: 9, generated: 8, approved: 7, inserted: 6, duplicates: 1, by_provider: { openai: 8 } };
    expect(readRunReport({ stats, losses: { generation: 1 } })).toEqual({
      items_requested: 9,
      items_generated: 8,
      items_approved: 7,
      items_inserted: 6,
      duplicates_found: 1,
      provider_metrics: { openai: { generated: 8 } },
    });
  });

  it.each<[string, unknown]>([
    ["text for a count", { items_requested: "many" }],
    ["a count beyond 2^53", { items_requested: 2 ** 60 }],
    ["half a question", { items_requested: 1.5 }],
    ["no number at all", { avg_arbiter_score: Number.NaN }],
    ["a status of its own", { status: "done" }],
    ["an exit code of more than 32 bits", { exit_code: 2 ** 40 }],
    ["a list of providers", { provider_metrics: [1] }],
    ["a time that is none", { started_at: "yesterday" }],
    ["a time in year 20000", { started_at: "+020000-01-01T00:00:00Z" }],
    ["an empty word", { environment: "" }],
    ["no object", "text"],
    ["nothing", null],
  ])("leaves out what has the wrong type: %s", (_name, value) => {
    expect(readRunReport(value)).toEqual({});
  });

  it("takes an exit code of Windows for the signed number that it is", () => {
    expect(readRunReport({ exit_code: 3221225786 })).toEqual({ exit_code: -1073741510 });
  });

  it("gets its duration and, once it is over, its overall success", () => {
    const times = { started_at: "2026-11-21T08:00:00Z", completed_at: "2026-11-21T08:01:40Z", items_requested: 4, items_inserted: 3 };
    expect(completeReport({ ...times, status: "success" })).toMatchObject({ duration_seconds: 100, overall_success_rate: 0.75 });
    expect(completeReport({ items_requested: 4, items_inserted: 3, status: "running" })).not.toHaveProperty("overall_success_rate");
    expect(completeReport({ overall_success_rate: 0.5, status: "running" })).toMatchObject({ overall_success_rate: 0.5 });
  });

  it.each([
    [{ exit_code: 0 }, false, "success"],
    [{ exit_code: 1 }, false, "partial_failure"],
    [{ exit_code: 3 }, false, "failed"],
    [{ exit_code: 0 }, true, "success"],
    [{}, false, "success"],
    [{}, true, "failed"],
    [{ items_requested: 5, items_inserted: 2 }, false, "partial_failure"],
    [{ items_requested: 5, items_inserted: 2 }, true, "partial_failure"],
    [{ status: "failed" } as const, false, "failed"],
    [{ status: "running" } as const, true, "failed"],
  ])("%j, broken off: %s, has ended as %s", (report, failed, status) => {
    expect(completeReport(report, { failed }).status).toBe(status);
  });

  it("never throws, and says the same when it is read again", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const once = readRunReport(value);
        expect(readRunReport(once)).toEqual(once);
      }),
    );
  });
});

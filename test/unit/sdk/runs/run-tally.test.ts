import { describe, expect, it } from "vitest";
import { createRunTally } from "../../../../sdk/runs/run-tally.ts";

describe("a tally", () => {
  it("counts every event of a run, with its breakdowns, rates and scores", () => {
    const tally = createRunTally(5);
    tally.apiCall("openai", 3);
    tally.apiCall("anthropic");
    tally.generated({ provider: "openai", type: "logic", difficulty: "easy", count: 2 });
    tally.generated({ provider: "anthropic", type: "pattern", difficulty: "hard" });
    tally.generationFailed({ provider: "openai", category: "rate_limit", severity: "high" });
    tally.evaluated({ approved: true, score: 0.8, provider: "openai" });
    tally.evaluated({ approved: false, score: 0.4, provider: "openai" });
    tally.evaluated({ approved: true, score: 0.9, provider: "anthropic" });
    tally.duplicate("exact");
    tally.duplicate("semantic", 2);
    tally.inserted();
    tally.insertionFailed();
    tally.error({ category: "database", severity: "critical" });
    expect(tally.summary()).toEqual({
      items_requested: 5,
      items_generated: 3,
      generation_failures: 1,
      generation_success_rate: 0.6,
      items_evaluated: 3,
      items_approved: 2,
      items_rejected: 1,
      approval_rate: 2 / 3,
      avg_arbiter_score: expect.closeTo(0.7),
      min_arbiter_score: 0.4,
      max_arbiter_score: 0.9,
      duplicates_found: 3,
      exact_duplicates: 1,
      semantic_duplicates: 2,
      duplicate_rate: 1.5,
      items_inserted: 1,
      insertion_failures: 1,
      overall_success_rate: 0.2,
      total_errors: 2,
      total_api_calls: 4,
      provider_metrics: {
        openai: { generated: 2, api_calls: 3, failures: 1, evaluated: 2, approved: 1, rejected: 1 },
        anthropic: { generated: 1, api_calls: 1, failures: 0, evaluated: 1, approved: 1, rejected: 0 },
      },
      type_metrics: { logic: 2, pattern: 1 },
      difficulty_metrics: { easy: 2, hard: 1 },
      error_summary: { by_category: { rate_limit: 1, database: 1 }, by_severity: { high: 1, critical: 1 }, critical_count: 1 },
    });
  });

  it("of a run in which nothing happened is all zeros without rates", () => {
    const summary = createRunTally(0).summary();
    expect(summary).toMatchObject({ items_requested: 0, items_generated: 0, total_errors: 0, provider_metrics: {} });
    expect(Object.keys(summary).filter((key) => key.endsWith("_rate") || key.endsWith("_score"))).toEqual([]);
  });

  it("takes a count that makes no sense for none", () => {
    const tally = createRunTally(1);
    for (const count of [Number.NaN, -3, 0.5, Number.POSITIVE_INFINITY]) {
      tally.generated({ provider: "openai", type: "logic", count });
      tally.inserted(count);
      tally.duplicate("exact", count);
      tally.apiCall("openai", count);
    }
    expect(tally.summary()).toMatchObject({
      items_generated: 0,
      items_inserted: 0,
      duplicates_found: 0,
      total_api_calls: 0,
      type_metrics: {},
    });
  });

  it("counts names like those of every object's members", () => {
    const tally = createRunTally(1);
    tally.generated({ provider: "constructor", type: "__proto__", difficulty: "toString" });
    const summary = tally.summary();
    expect(summary.provider_metrics?.["constructor"]).toMatchObject({ generated: 1 });
    expect(Object.entries(summary.type_metrics ?? {})).toEqual([["__proto__", 1]]);
    expect(Object.entries(summary.difficulty_metrics ?? {})).toEqual([["toString", 1]]);
  });

  it("keeps two hundred words of a breakdown apart and counts the rest together", () => {
    const tally = createRunTally(1000);
    for (let i = 0; i < 1000; i++) {
      tally.generated({ provider: `p${i}`, type: `t${i}` });
      tally.error({ category: `message ${i}` });
    }
    const { provider_metrics, type_metrics, error_summary } = tally.summary();
    expect(provider_metrics?.["other"]?.generated).toBe(800);
    expect(type_metrics).toMatchObject({ t0: 1, t199: 1, other: 800 });
    expect(Object.keys(error_summary?.by_category ?? {})).toHaveLength(201);
  });

  it("gives a summary that later events do not change", () => {
    const tally = createRunTally(2);
    tally.generated({ provider: "openai" });
    const before = tally.summary();
    tally.generated({ provider: "openai" });
    expect(before.provider_metrics).toEqual({ openai: expect.objectContaining({ generated: 1 }) });
  });
});

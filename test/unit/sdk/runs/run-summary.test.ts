import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addScore,
  completeSummary,
  fromQuestionNames,
  lossesOf,
  NO_SCORES,
  type RunSummary,
  rateOf,
  scoreFields,
  statusOf,
  toQuestionNames,
} from "../../../../sdk/runs/run-summary.ts";

describe("rates", () => {
  it("are the part of the whole, and unknown where the whole is nothing or either is unknown", () => {
    expect(rateOf(3, 4)).toBe(0.75);
    expect(rateOf(0, 4)).toBe(0);
    expect(rateOf(3, 0)).toBeUndefined();
    expect(rateOf(undefined, 4)).toBeUndefined();
    expect(rateOf(3, undefined)).toBeUndefined();
  });

  it("of a whole run follow from its counts", () => {
    expect(
      completeSummary({
        items_requested: 50,
        items_generated: 48,
        items_evaluated: 48,
        items_approved: 42,
        exact_duplicates: 2,
        semantic_duplicates: 1,
        items_inserted: 39,
      }),
    ).toEqual({
      items_requested: 50,
      items_generated: 48,
      items_evaluated: 48,
      items_approved: 42,
      items_rejected: 6,
      exact_duplicates: 2,
      semantic_duplicates: 1,
      duplicates_found: 3,
      items_inserted: 39,
      generation_success_rate: 0.96,
      approval_rate: 0.875,
      duplicate_rate: 3 / 42,
      overall_success_rate: 0.78,
    });
  });

  it("that the sender gave stay as they are, as do its counts", () => {
    const given = { items_approved: 1, items_rejected: 1, items_evaluated: 4, approval_rate: 0.9 };
    expect(completeSummary(given)).toEqual(given);
  });

  it("of duplicates relate to what was generated where nothing was evaluated", () => {
    expect(completeSummary({ items_generated: 10, duplicates_found: 5 }).duplicate_rate).toBe(0.5);
  });

  it("never come from counts that contradict each other", () => {
    expect(completeSummary({ items_evaluated: 3, items_approved: 5 })).not.toHaveProperty("items_rejected");
  });

  it("leave out what is undefined or null", () => {
    expect(completeSummary({ items_requested: undefined, prompt_version: null } as unknown as RunSummary)).toEqual({});
  });
});

describe("scores", () => {
  it("give their mean and bounds", () => {
    const totals = [0.9, 0.5, 0.7].reduce(addScore, NO_SCORES);
    expect(scoreFields(totals)).toEqual({ avg_arbiter_score: expect.closeTo(0.7), min_arbiter_score: 0.5, max_arbiter_score: 0.9 });
  });

  it("are absent where nothing was scored, and ignore what is no number", () => {
    expect(scoreFields([undefined, Number.NaN, Number.POSITIVE_INFINITY].reduce(addScore, NO_SCORES))).toEqual({});
  });

  it("always lie between their bounds", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (scores) => {
        const { avg_arbiter_score, min_arbiter_score, max_arbiter_score } = scoreFields(scores.reduce(addScore, NO_SCORES));
        expect(min_arbiter_score).toBe(Math.min(...scores));
        expect(max_arbiter_score).toBe(Math.max(...scores));
        expect(avg_arbiter_score).toBeGreaterThanOrEqual(min_arbiter_score! - 1e-12);
        expect(avg_arbiter_score).toBeLessThanOrEqual(max_arbiter_score! + 1e-12);
      }),
    );
  });
});

describe("the status of a finished run", () => {
  it.each([
    [0, "success"],
    [1, "partial_failure"],
    [2, "failed"],
    [3, "failed"],
    [4, "failed"],
    [5, "failed"],
    [6, "failed"],
  ])("with exit code %i is %s", (exitCode, status) => {
    expect(statusOf({ items_requested: 5, items_inserted: 3 }, exitCode)).toBe(status);
  });

  it.each([
    [{ items_requested: 5, items_inserted: 5 }, "success"],
    [{ items_requested: 5, items_inserted: 4 }, "partial_failure"],
    [{ items_requested: 5, items_inserted: 0 }, "failed"],
    [{ items_requested: 5, items_generated: 2 }, "partial_failure"],
    [{ items_requested: 0 }, "success"],
  ])("without one follows from what was stored: %o", (summary, status) => {
    expect(statusOf(summary, undefined)).toBe(status);
  });
});

describe("losses", () => {
  it("say at which stage items went", () => {
    const counts = {
      items_requested: 50,
      items_generated: 48,
      items_approved: 42,
      items_rejected: 4,
      exact_duplicates: 2,
      semantic_duplicates: 1,
    };
    expect(lossesOf({ ...counts, items_inserted: 38 })).toEqual({
      generation: 2,
      evaluation: 2,
      rejection: 4,
      duplication: 3,
      insertion: 1,
    });
  });

  it("are unknown at a stage that was not counted", () => {
    expect(lossesOf({ items_requested: 5, items_generated: 5 })).toEqual({
      generation: 0,
      evaluation: undefined,
      rejection: undefined,
      duplication: undefined,
      insertion: undefined,
    });
  });
});

describe("names of the question service", () => {
  it("are the general ones with another first word, there and back", () => {
    const general = { items_requested: 5, items_approved: 2, generation_failures: 1, provider_metrics: { openai: {} } };
    const questions = { questions_requested: 5, questions_approved: 2, generation_failures: 1, provider_metrics: { openai: {} } };
    expect(toQuestionNames(general)).toEqual(questions);
    expect(fromQuestionNames(questions)).toEqual(general);
  });
});

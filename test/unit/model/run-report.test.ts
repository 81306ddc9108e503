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

import { describe, expect, it } from "vitest";
import { createGenerationRun } from "../../../../sdk/runs/generation-run.ts";
import type { RunChannel, RunRecord } from "../../../../sdk/runs/run-record.ts";
import { createRunTally } from "../../../../sdk/runs/run-tally.ts";

const FIRST: RunRecord = {
  id: "7f000001-0000-4000-8000-000000000002",
  kind: undefined,
  startedAtMillis: 0,
  completedAtMillis: undefined,
  status: "running",
  exitCode: undefined,
  triggeredBy: undefined,
  environment: undefined,
  summary: { items_requested: 1 },
};

const channel = (finished: RunChannel["finished"]): RunChannel => ({ started() {}, progress() {}, finished, within: (work) => work() });

describe("the end of a run", () => {
  it.each([
    ["rejects", () => Promise.reject(new Error("broken"))],
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
  ])("is a failure that is told where its channel %s, never a rejection", async (_, finished) => {
    const run = createGenerationRun({ first: FIRST, channel: channel(finished), tally: createRunTally(1) });
    expect(await run.finish()).toEqual({ status: "failed", runId: FIRST.id, reason: "the run could not be summed up" });
  });

  it("says when it was", async () => {
    const before = Date.now();
    let told: RunRecord | undefined;
    const finished = async (run: RunRecord) => {
      told = run;
      return { status: "sent", runId: run.id } as const;
    };
    await createGenerationRun({ first: FIRST, channel: channel(finished), tally: createRunTally(1) }).finish({ exitCode: 0 });
    expect(told).toMatchObject({ status: "success", exitCode: 0, startedAtMillis: 0 });
    expect(told?.completedAtMillis).toBeGreaterThanOrEqual(before);
  });
});

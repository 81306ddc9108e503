import { afterAll, beforeAll, describe, it } from "vitest";
import { findNode22, type Node22 } from "../../support/node-22.ts";
import { installPackedSdk, type PackedSdk } from "../../support/packed-sdk.ts";
import { type SdkRig, startSdkRig } from "../../support/sdk-rig.ts";

let rig: SdkRig;
let application: PackedSdk;
let node22: Node22;
beforeAll(async () => {
  [rig, application, node22] = await Promise.all([startSdkRig(), installPackedSdk(), findNode22()]);
  application.copyExamples();
  await application.compileExamples();
});
afterAll(async () => {
  application?.[Symbol.dispose]();
  await rig?.[Symbol.asyncDispose]();
});

const ROWS = `SELECT what, status, count(*)::int FROM (
  SELECT 'generation' AS what, generation_status AS status FROM generation_logs
  UNION ALL SELECT 'attempt', success::text FROM generation_attempts
  UNION ALL SELECT 'image', status FROM image_traces
  UNION ALL SELECT 'item', quality_status FROM generation_items
  UNION ALL SELECT 'run', status FROM generation_runs
) AS rows GROUP BY 1, 2 ORDER BY 1, 2`;

describe("on Node 22, compiled for it by TypeScript", () => {
  it("all examples run, and leave their rows", async ({ skip }) => {
    if ("missing" in node22) return skip(node22.missing);
    for (const example of ["definitions.js", "question-run.js", "quiz-problems.js", "lesson-images.js"]) {
      await application.run(example, { OTEL_EXPORTER_OTLP_ENDPOINT: rig.program.otlpUrl }, node22.path);
    }
    await rig.rows(ROWS, [
      { what: "attempt", status: "false", count: 6 },
      { what: "attempt", status: "true", count: 5 },
      { what: "generation", status: "failed", count: 5 },
      { what: "generation", status: "success", count: 17 },
      { what: "generation", status: "timeout", count: 1 },
      { what: "image", status: "completed", count: 2 },
      { what: "image", status: "failed", count: 1 },
      { what: "item", status: "pending_review", count: 1 },
      { what: "run", status: "partial_failure", count: 2 },
    ]);
  }, 60_000);
});

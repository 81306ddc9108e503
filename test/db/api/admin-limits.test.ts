import { afterAll, beforeAll, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { idsOf } from "../../support/generation-rows.ts";

/** In full with GENSPAN_TEST_LONG. */
const RUNS = process.env["GENSPAN_TEST_LONG"] === "1" ? 1_000_000 : 20_000;
const PATH = "/v1/admin/generation-runs";

describeEachServer("the admin API", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  it("ADM-01 refuses reports that cannot be, names each wrong field, and shows no SQL", async () => {
    const good = { status: "success", started_at: "2026-11-20T08:00:00Z", questions_requested: 10 };
    const wrong: readonly (readonly [field: string, body: object])[] = [
      ["status", { ...good, status: "done" }],
      ["questions_requested", { ...good, questions_requested: -1 }],
      ["questions_requested", { ...good, questions_requested: 1.5 }],
      ["questions_requested", { ...good, questions_requested: 1e30 }],
      ["exit_code", { ...good, exit_code: 99 }],
      ["approval_rate", { ...good, approval_rate: "NaN" }],
      ["approval_rate", { ...good, approval_rate: -0.5 }],
      ["started_at", { ...good, started_at: "2026-13-45" }],
      ["id", { ...good, id: "' OR 1=1 --" }],
      ["no_such_field", { ...good, no_such_field: 1 }],
      ["provider_metrics", { ...good, provider_metrics: "text" }],
    ];
    for (const [field, body] of wrong) {
      const { status, body: answer } = await rig.send<{ error: { message: string; faults?: string[] } }>(PATH, body);
      expect([field, JSON.stringify(body).slice(0, 90), status]).toEqual([field, JSON.stringify(body).slice(0, 90), 400]);
      expect(answer.error.message).toContain(field);
      expect(answer.error.message).not.toMatch(/INSERT|SELECT|column "|relation|22P02/);
    }
    const large = await rig.send<{ error: { code: string } }>(PATH, {
      ...good,
      provider_metrics: { openai: { note: "x".repeat(10 * 1024 * 1024) } },
    });
    expect([large.status, large.body.error.code]).toEqual([413, "too_large"]);
    expect(await rig.owner`SELECT FROM generation_runs`).toHaveLength(0);
    expect((await rig.send(PATH, good)).status).toBe(201);
  });

  it(`ADM-03 lists a page of ${RUNS} runs by the index, with summary fields only`, { timeout: 600_000 }, async () => {
    await rig.owner`
      INSERT INTO generation_runs (project_id, id, run_id, status, started_at, created_at, updated_at, provider_metrics, error_summary)
      SELECT 1, gen_random_uuid(), 'bulk-' || n, 'success', now() - n * interval '1 second', now(), now(), '{"openai": {"generated": 5}}', '{}' FROM generate_series(1, ${RUNS}::int) AS n`;
    await rig.owner`ANALYZE generation_runs`;
    const { status, body } = await rig.get<{ data?: object[]; runs?: object[] }>("/api/runs?limit=50");
    expect(status).toBe(200);
    expect(body.data).toHaveLength(50);
    expect(body.data!.filter((run) => Object.hasOwn(run, "provider_metrics") || Object.hasOwn(run, "error_summary"))).toEqual([]);
    // What makes a page fast whatever the number of runs: it is read off the index and not sorted.
    const plan = await rig.owner.begin(async (tx) => {
      await tx`SET LOCAL jit = off`;
      return tx<
        { "QUERY PLAN": string }[]
      >`EXPLAIN SELECT * FROM generation_runs WHERE project_id = 1 ORDER BY started_at DESC, id DESC LIMIT 51`;
    });
    const lines = plan.map((row) => row["QUERY PLAN"]).join("\n");
    expect(lines).toMatch(/Index Scan Backward using generation_runs_started_at/);
    expect(lines).not.toMatch(/Seq Scan/);
  });

  it("ADM-05 deleting a thing while its spans come in leaves no orphan and no refused span", { timeout: 120_000 }, async () => {
    const value = (key: string, text: string) => ({ key, value: { stringValue: text } });
    const { trace_id } = idsOf(77);
    const image = (n: number): Buffer =>
      Buffer.from(
        JSON.stringify({
          resourceSpans: [
            {
              resource: { attributes: [] },
              scopeSpans: [
                {
                  spans: [
                    {
                      traceId: trace_id,
                      spanId: (n + 1).toString(16).padStart(16, "0"),
                      name: "chat",
                      kind: 3,
                      startTimeUnixNano: String(BigInt(Date.now()) * 1_000_000n),
                      endTimeUnixNano: String(BigInt(Date.now() + 5) * 1_000_000n),
                      attributes: [value("gen_ai.operation.name", "chat"), value("gen_ai.request.model", "gpt-5"), value("user.id", "u77")],
                    },
                  ],
                },
              ],
            },
          ],
        }),
      );
    const outcomes: string[] = [];
    const sending = (async () => {
      for (let n = 0; n < 40; n++) outcomes.push((await rig.services.ingest(1, "traces", image(n))).kind);
    })();
    const erasing = (async () => {
      for (let n = 0; n < 5; n++) expect((await rig.send("/api/erase", { kind: "trace", value: trace_id })).status).toBe(200);
    })();
    await Promise.all([sending, erasing]);
    // Spans after the erasure are taken as before it: what the tombstone drops is answered as stored or as partly refused, never as a fault.
    expect(outcomes.filter((kind) => kind === "retryable" || kind === "rejected")).toEqual([]);
    await rig.send("/api/erase", { kind: "trace", value: trace_id });
    for (const table of ["generation_logs", "generation_attempts", "generation_scores", "outputs", "spans"]) {
      const [left] = await rig.owner`SELECT count(*)::int AS rows FROM ${rig.owner(table)} WHERE trace_id = ${trace_id}`;
      expect([table, left]).toEqual([table, { rows: 0 }]);
    }
  });
});

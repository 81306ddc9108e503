import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TraceRef } from "../../collector/refinement/look-up.ts";
import { mayBePlain, plainTraces } from "../../collector/refinement/plain-traces.ts";
import { refineTraces } from "../../collector/refinement/store.ts";
import { MARK_CALL, MARK_HTTP, MARK_RECORD, MARK_SECOND_CALL, needsRefinement } from "../../collector/rows/trace-marks.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { BASE_MS, logsOf, type SpanSpec, spanIdOf, TRACE, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";
import { chat, http, usage } from "../support/refinement-suite.ts";
import { traceShape } from "../support/trace-shapes.ts";

const HOUR_MS = 3_600_000;
const RUNS = process.env["GENSPAN_TEST_LONG"] === "1" ? 40 : 4;
const TRACES_PER_RUN = 250;

const refOf = (traceId: string): TraceRef => ({ projectId: 1, traceId, fromMillis: BASE_MS, toMillis: BASE_MS + HOUR_MS });

describe("a trace", () => {
  it("is worth asking about while nothing but calls is known of it", () => {
    expect([MARK_CALL, MARK_CALL | MARK_SECOND_CALL, MARK_CALL | MARK_HTTP, MARK_RECORD].map(mayBePlain)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describeEachServer("traces in which looking would change nothing", (server) => {
  let database: TestDatabase;
  let rig: PipelineRig;
  const marks = new Map<string, number>();
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rig = createPipelineRig(database.url, {
      committed({ traces }) {
        for (const { traceId, bits } of traces) marks.set(traceId, bits);
      },
    });
    await rig.refiner.stop();
  });
  afterAll(async () => {
    await rig.stop();
    await database[Symbol.asyncDispose]();
  });
  beforeEach(() => rig.empty("spans", "generation_logs", "generation_twins", "log_records", "generation_scores", "outputs"));

  const options = () => ({ sql: rig.sql, schema: "public" });
  const plainOf = async (...traceIds: string[]) => (await plainTraces(options(), traceIds.map(refOf))).map(({ traceId }) => traceId);

  const root = { id: "root", tookMs: 5_000 };
  const first = { id: "first", parent: "root", at: 10, attributes: { ...chat, ...usage(10, 1), "gen_ai.response.id": "r1" } };
  const second = { id: "second", parent: "root", at: 500, attributes: { ...chat, ...usage(20, 2), "gen_ai.response.id": "r2" } };
  const saying = (tokens: Record<string, number>) => ({ ...first, attributes: { ...chat, ...tokens } });
  const another = (more: Record<string, string | number>) => ({ ...second, attributes: { ...second.attributes, ...more } });

  it("are those with calls beside each other, in whatever times they ran", async () => {
    await rig.send(tracesOf(root, { ...first, tookMs: 4_000 }, second));
    expect(await plainOf(TRACE)).toEqual([TRACE]);
  });

  it("are those of which nothing is stored yet, without a sign", async () => {
    expect(await plainTraces(options(), [refOf(TRACE)])).toEqual([{ projectId: 1, traceId: TRACE, sign: undefined }]);
  });

  it("are told for many traces at once, each by its own rows, and none where none is asked for", async () => {
    const [one, other] = ["1".repeat(32), "2".repeat(32)];
    await rig.send(tracesOf({ ...root, trace: one }, { ...first, trace: one }, { ...another({ "gen_ai.response.id": "r1" }), trace: one }));
    await rig.send(tracesOf({ ...root, trace: other }, { ...first, trace: other }, { ...second, trace: other }));
    expect(await plainOf(one, other)).toEqual([other]);
    expect(await plainTraces(options(), [])).toEqual([]);
  });

  it.each<[string, readonly SpanSpec[]]>([
    ["a call directly below another", [root, first, { ...second, parent: "first" }]],
    ["a call below another, with a span between", [root, first, { id: "step", parent: "first" }, { ...second, parent: "step" }]],
    ["a span below a call", [root, first, second, { id: "work", parent: "second" }]],
    ["the same response told twice", [root, first, another({ "gen_ai.response.id": "r1" })]],
    ["the same tokens told twice", [root, first, another(usage(10, 1))]],
    [
      "the same tokens, once without saying that nothing went in",
      [root, saying({ "gen_ai.usage.output_tokens": 5 }), another(usage(0, 5))],
    ],
    ["a call without tokens", [root, first, { ...second, attributes: chat }]],
    ["a call that failed", [root, first, { ...second, error: "no answer" }]],
    ["a call for images", [root, first, another({ "gen_ai.operation.name": "image_generation" })]],
    ["a call of an item", [root, first, another({ "genspan.item.id": "i1" })]],
    ["a call that was sent again", [root, first, another({ "http.request.resend_count": 2 })]],
    ["a request over HTTP", [root, first, second, { id: "post", parent: "root", kind: 3, attributes: http(200) }]],
    ["a record of ours", [root, first, second, { id: "try", parent: "root", attributes: { "genspan.record": "attempt" } }]],
  ])("are not those with %s", async (_, spans) => {
    await rig.send(tracesOf(...spans));
    expect(await plainOf(TRACE)).toEqual([]);
  });

  it("are not those with content in log events", async () => {
    await rig.send(tracesOf(root, first, second));
    await rig.send(logsOf({ span: "first", name: "gen_ai.choice", body: { message: { content: "Hi" } } }), "logs");
    expect(await plainOf(TRACE)).toEqual([]);
  });

  it("are not those with evaluations, nor those with a call that answered with an image", async () => {
    await rig.send(tracesOf(root, first, second));
    await rig.sql`INSERT INTO outputs (project_id, trace_id, span_id, start_time, output_number, direction, modality, received_at)
      SELECT project_id, trace_id, span_id, start_time, 1, 'output', 'image', now() FROM generation_logs WHERE span_id = ${spanIdOf("first")}`;
    expect(await plainOf(TRACE)).toEqual([]);
    await rig.empty("outputs");
    expect(await plainOf(TRACE)).toEqual([TRACE]);
    const evaluation = { "gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 1 };
    await rig.send(tracesOf({ id: "judge", parent: "root", events: [{ name: "gen_ai.evaluation.result", attributes: evaluation }] }));
    expect(await rig.sql`SELECT FROM generation_scores`).toHaveLength(1);
    expect(await plainOf(TRACE)).toEqual([]);
    await rig.sql`UPDATE generation_scores SET "time" = 'epoch'`;
    expect(await plainOf(TRACE)).toEqual([]);
  });

  it("stay as they are when all that is known of them is read, as do those that no request gives a reason to look at, whatever the spans", async () => {
    let seed = 0;
    let told = 0;
    let unmarked = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(traceShape, { minLength: TRACES_PER_RUN, maxLength: TRACES_PER_RUN }), async (shapes) => {
        await rig.empty(
          "spans",
          "generation_logs",
          "generation_twins",
          "generation_attempts",
          "image_traces",
          "generation_runs",
          "generation_items",
        );
        const traces = shapes.map((spans) => ({ traceId: (++seed).toString(16).padStart(32, "c"), spans }));
        await rig.send(tracesOf(...traces.flatMap(({ traceId, spans }) => spans.map((span) => ({ ...span, trace: traceId })))));
        const refs = traces.map(({ traceId }) => refOf(traceId));
        const plain = await plainTraces(options(), refs);
        const { unchanged, open } = await refineTraces(options(), refs);
        const asSigned = new Map(unchanged.map(({ traceId, sign }) => [traceId, sign]));
        const withCalls = plain.filter(({ sign }) => sign !== undefined);
        told += withCalls.length;
        expect(withCalls.filter(({ traceId, sign }) => asSigned.get(traceId) !== sign)).toEqual([]);
        expect(plain.filter(({ traceId }) => open.includes(`1/${traceId}`))).toEqual([]);
        const calls = await rig.sql`SELECT trace_id, count(*)::int AS count FROM generation_logs GROUP BY trace_id`;
        const unread = calls.filter(({ trace_id: traceId }) => !needsRefinement(marks.get(traceId) ?? 0));
        unmarked += unread.filter(({ count }) => count > 1).length;
        expect(unread.filter(({ trace_id: traceId }) => !asSigned.has(traceId) || open.includes(`1/${traceId}`))).toEqual([]);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(told).toBeGreaterThan(RUNS * TRACES_PER_RUN * 0.05);
    expect(unmarked).toBeGreaterThan(RUNS * TRACES_PER_RUN * 0.005);
  }, 120_000);
});

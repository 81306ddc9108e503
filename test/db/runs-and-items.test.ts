import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { BASE_MS, type SpanSpec, spanIdOf, TRACE, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";

const RUN = "aaaaaaaa-0000-4000-8000-000000000001";
const ITEM = "bbbbbbbb-0000-4000-8000-000000000001";
const OTHER_TRACE = "11111111111111111111111111111111";
const at = (millis: number): Date => new Date(BASE_MS + millis);

const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5-nano", "gen_ai.provider.name": "openai" };
const usage = (input: number, output: number, reasoning: number) => ({
  "gen_ai.usage.input_tokens": input,
  "gen_ai.usage.output_tokens": output,
  "gen_ai.usage.reasoning.output_tokens": reasoning,
});
const call = (id: string, spec: Partial<SpanSpec> = {}): SpanSpec => ({
  id,
  tookMs: 50,
  ...spec,
  attributes: { ...chat, ...spec.attributes },
});

const announced: SpanSpec = {
  id: "pend",
  parent: "run",
  at: 0,
  tookMs: 0,
  attributes: {
    "genspan.record": "pending",
    "genspan.run.id": RUN,
    "genspan.run.status": "running",
    "genspan.run.kind": "questions",
    "genspan.run.requested": 50,
    "genspan.run.triggered_by": "scheduler",
  },
};
const progress: SpanSpec = {
  id: "progress",
  parent: "run",
  at: 1_000,
  tookMs: 0,
  attributes: {
    "genspan.record": "update",
    "genspan.run.id": RUN,
    "genspan.run.summary": JSON.stringify({ items_requested: 50, items_generated: 20 }),
  },
};
const summary = {
  items_requested: 50,
  items_generated: 48,
  generation_failures: 2,
  items_evaluated: 48,
  items_approved: 42,
  items_rejected: 6,
  avg_arbiter_score: 0.82,
  duplicates_found: 3,
  items_inserted: 39,
  total_api_calls: 101,
  provider_metrics: { openai: { generated: 30, api_calls: 60, failures: 1, evaluated: 30, approved: 27, rejected: 3 } },
  error_summary: { by_category: { rate_limit: 2 }, critical_count: 0 },
};
const ended: SpanSpec = {
  id: "run",
  at: 0,
  tookMs: 90_500,
  attributes: {
    "genspan.record": "run",
    "genspan.run.id": RUN,
    "genspan.run.status": "partial_failure",
    "genspan.run.exit_code": 1,
    "gen_ai.prompt.version": "2.1",
    "genspan.run.summary": JSON.stringify(summary),
  },
};
const item: SpanSpec = {
  id: "item",
  parent: "run",
  at: 10,
  tookMs: 500,
  attributes: {
    "genspan.record": "item",
    "genspan.item.id": ITEM,
    "genspan.item.kind": "problem",
    "genspan.item.title": "Articles",
    "gen_ai.prompt.version": "2.0",
    "genspan.quality.status": "pending_review",
    "genspan.entity.type": "problem",
    "genspan.entity.id": "77",
    "genspan.item.metadata": JSON.stringify({ level: "A2" }),
  },
};

const RUNS = process.env["GENSPAN_TEST_LONG"] === "1" ? 100 : 8;

describeEachServer("runs and items from telemetry", (server) => {
  let database: TestDatabase;
  let rigs: PipelineRig[];
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rigs = [createPipelineRig(database.url), createPipelineRig(database.url)];
  });
  const empty = async (): Promise<void> => {
    await rigs[0]!.empty("spans", "generation_logs", "generation_twins", "generation_runs", "generation_items", "image_traces");
  };
  afterEach(empty);
  afterAll(async () => {
    for (const rig of rigs) await rig.stop();
    await database[Symbol.asyncDispose]();
  });
  const settle = async (): Promise<void> => {
    for (const rig of rigs) await rig.refiner.settled();
  };
  async function send(...bodies: readonly object[]): Promise<void> {
    for (const body of bodies) expect((await rigs[0]!.send(body)).kind).toBe("accepted");
    await settle();
  }
  const rows = (table: string) => rigs[0]!.sql`SELECT * FROM ${rigs[0]!.sql(table)} ORDER BY 1, 2, 3`;
  const inOtherTrace = (body: object): object => JSON.parse(JSON.stringify(body).replaceAll(TRACE, OTHER_TRACE)) as object;

  const LATER = new Set(["received_at", "updated_at", "created_at"]);
  async function state(): Promise<unknown> {
    const tables = ["generation_runs", "generation_items", "generation_logs", "image_traces"];
    const all = await Promise.all(tables.map(async (table) => [table, await rows(table)] as const));
    return all.map(([table, found]) => [
      table,
      found.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !LATER.has(name) || table === "generation_items"))),
    ]);
  }

  async function expectOrderIndependent(parts: readonly object[]): Promise<void> {
    await empty();
    await send(...parts);
    const expected = withoutUpdates(await state());
    const permutation = fc.shuffledSubarray([...parts.keys()], { minLength: parts.length, maxLength: parts.length });
    const repeats = fc.array(fc.record({ part: fc.nat({ max: parts.length - 1 }), rig: fc.nat({ max: 1 }) }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(permutation, repeats, fc.nat({ max: 1 }), async (sequence, again, start) => {
        await settle();
        await empty();
        for (const [i, index] of sequence.entries()) await rigs[(i + start) % 2]!.send(parts[index]!);
        for (const { part, rig } of again) await rigs[rig]!.send(parts[part]!);
        await settle();
        for (const rig of rigs) await rig.refiner.sweep();
        await settle();
        expect(withoutUpdates(await state())).toEqual(expected);
      }),
      { numRuns: RUNS },
    );
  }
  const withoutUpdates = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (key, each: unknown) => (key === "updated_at" || key === "received_at" ? undefined : each)));

  describe("a run", () => {
    it("is running from its announcement, shows its progress, and is no model call", async () => {
      await send(tracesOf(announced), tracesOf(progress));
      expect(await rows("generation_logs")).toEqual([]);
      const [run] = await rows("generation_runs");
      expect(run).toMatchObject({
        id: RUN,
        run_id: RUN,
        kind: "questions",
        status: "running",
        started_at: at(0),
        completed_at: null,
        duration_seconds: null,
        items_requested: "50",
        items_generated: "20",
        generation_success_rate: 0.4,
        overall_success_rate: null,
        triggered_by: "scheduler",
        service_name: "test",
        closed_by: null,
        trace_id: TRACE,
        span_id: spanIdOf("run"),
      });
    });

    it("ends with its final record: every figure, the rates that follow, and what only the announcement said", async () => {
      await send(tracesOf(announced), tracesOf(progress), tracesOf(ended));
      const [run] = await rows("generation_runs");
      expect(run).toMatchObject({
        kind: "questions",
        triggered_by: "scheduler",
        status: "partial_failure",
        exit_code: 1,
        completed_at: at(90_500),
        duration_seconds: 90.5,
        items_generated: "48",
        items_inserted: "39",
        generation_success_rate: 0.96,
        approval_rate: 0.875,
        duplicate_rate: 3 / 42,
        overall_success_rate: 0.78,
        avg_arbiter_score: 0.82,
        prompt_version: "2.1",
        provider_metrics: summary.provider_metrics,
        error_summary: summary.error_summary,
        closed_by: "report",
      });
    });

    it("comes out the same in any order, repeated, and through two collectors, with all that happened in it", {
      timeout: 240_000,
    }, async () => {
      const sentence = (index: number) =>
        call(`s${index}`, {
          parent: "item",
          at: 20 + index * 60,
          attributes: { ...usage(100 + index, 20, 5), "genspan.item.index": 2 - index },
        });
      const elsewhere = call("far", { at: 400, attributes: { ...usage(7, 1, 0), "genspan.item.id": ITEM, "genspan.run.id": RUN } });
      await expectOrderIndependent([
        tracesOf(announced),
        tracesOf(progress, sentence(0)),
        tracesOf(sentence(1)),
        tracesOf(ended),
        tracesOf(item),
        inOtherTrace(tracesOf(elsewhere)),
        tracesOf({
          id: "u1",
          parent: "item",
          at: 2_000,
          tookMs: 0,
          attributes: { "genspan.record": "update", "genspan.quality.status": "approved" },
        }),
        tracesOf({
          id: "image",
          parent: "run",
          at: 30,
          attributes: { "genspan.record": "image", "genspan.image.request": JSON.stringify({ prompts: [{ prompt: "A cat" }] }) },
        }),
      ]);
      expect((await rows("generation_logs")).map((row) => [row["run_id"], row["item_id"]])).toEqual([
        [RUN, ITEM],
        [RUN, ITEM],
        [RUN, ITEM],
      ]);
      expect((await rows("image_traces")).map((row) => row["run_id"])).toEqual([RUN]);
      expect(await rows("generation_items")).toMatchObject([
        { item_id: ITEM, run_id: RUN, quality_status: "approved", generations_count: 3, total_input_tokens: "208", total_tokens: "249" },
      ]);
    });

    it("told of in two traces is one row, in which the end stands above the beginning", { timeout: 240_000 }, async () => {
      await expectOrderIndependent([tracesOf(announced), inOtherTrace(tracesOf({ ...ended, id: "elsewher" }))]);
      expect(await rows("generation_runs")).toMatchObject([
        { status: "partial_failure", kind: "questions", trace_id: OTHER_TRACE, span_id: spanIdOf("elsewher") },
      ]);
    });

    it("that says nothing of its outcome has succeeded, or failed with its span", async () => {
      const silent = (id: string, error?: string): SpanSpec => ({
        id,
        ...(error === undefined ? {} : { error }),
        attributes: { "genspan.record": "run" },
      });
      await send(tracesOf(silent("good")), inOtherTrace(tracesOf(silent("bad", "out of memory"))));
      const found = await rigs[0]!.sql`SELECT run_id, status FROM generation_runs ORDER BY status`;
      expect([...found]).toEqual([
        { run_id: `${OTHER_TRACE}-${spanIdOf("bad")}`, status: "failed" },
        { run_id: `${TRACE}-${spanIdOf("good")}`, status: "success" },
      ]);
    });

    it("with figures of the wrong kind keeps the others", async () => {
      const odd = JSON.stringify({
        items_requested: "ten",
        items_generated: 2 ** 70,
        items_inserted: 4,
        exit_code: 2 ** 40,
        error_summary: [],
        prompt_version: "a\u0000b",
      });
      await send(tracesOf({ ...ended, attributes: { "genspan.record": "run", "genspan.run.id": RUN, "genspan.run.summary": odd } }));
      expect(await rows("generation_runs")).toMatchObject([
        {
          items_requested: null,
          items_generated: null,
          items_inserted: "4",
          exit_code: null,
          error_summary: null,
          prompt_version: "a\uFFFDb",
        },
      ]);
    });

    it("gives its id to calls of its trace that lost their parent, and leaves those that name another run", async () => {
      const orphan = call("orphan", { parent: "unknown" });
      const named = call("named", { at: 60, attributes: { "genspan.run.id": "another" } });
      await send(tracesOf(orphan, named), tracesOf(announced));
      const found = await rigs[0]!.sql`SELECT span_id, run_id FROM generation_logs ORDER BY start_time`;
      expect([...found]).toEqual([
        { span_id: spanIdOf("orphan"), run_id: RUN },
        { span_id: spanIdOf("named"), run_id: "another" },
      ]);
    });

    it("gives its id to each of more calls than are looked at one by one", { timeout: 120_000 }, async () => {
      const calls = Array.from({ length: 5_001 }, (_, i) => call(`c${i}`, { parent: "run", at: i }));
      await send(tracesOf(...calls), tracesOf(ended));
      const found = await rigs[0]!.sql`SELECT run_id, count(*)::int AS calls FROM generation_logs GROUP BY run_id`;
      expect([...found]).toEqual([{ run_id: RUN, calls: 5_001 }]);
      expect(await rows("generation_runs")).toMatchObject([{ status: "partial_failure" }]);
    });

    it("of two in one trace takes the calls below it, through spans that are nothing of ours", async () => {
      const second = "aaaaaaaa-0000-4000-8000-000000000002";
      const other = { ...ended, id: "run2", attributes: { "genspan.record": "run", "genspan.run.id": second } };
      const between = { id: "step", parent: "run2" };
      await send(tracesOf(ended, other, between, call("inner", { parent: "step" }), call("lost", { at: 60, parent: "unknown" })));
      const found = await rigs[0]!.sql`SELECT run_id FROM generation_logs ORDER BY start_time`;
      expect(found.map((row) => row["run_id"])).toEqual([second, null]);
    });
  });

  describe("an item", () => {
    it("has the totals of its generations and a trace in the seed's keys, sentences in their order", async () => {
      await send(
        tracesOf(
          item,
          call("s1", {
            parent: "item",
            at: 20,
            attributes: { ...usage(150, 75, 500), "genspan.item.index": 1, "gen_ai.response.id": "resp-1" },
          }),
          call("s0", { parent: "item", at: 90, attributes: { ...usage(10, 5, 0), "genspan.item.index": 0 } }),
        ),
      );
      const [row] = await rows("generation_items");
      expect(row).toMatchObject({
        id: ITEM,
        item_id: ITEM,
        kind: "problem",
        title: "Articles",
        status: "completed",
        created_at: at(10),
        completed_at: at(510),
        prompt_version: "2.0",
        model: "gpt-5-nano",
        total_input_tokens: "160",
        total_output_tokens: "580",
        total_reasoning_tokens: "500",
        total_tokens: "740",
        generations_count: 2,
        quality_status: "pending_review",
        entity_type: "problem",
        entity_id: "77",
        generation_trace: {
          model: "gpt-5-nano",
          prompt_version: "2.0",
          total_input_tokens: 160,
          total_reasoning_tokens: 500,
          total_tokens: 740,
          quality_status: "pending_review",
          metadata: { level: "A2" },
          sentences: [
            { index: 0, generation_id: `${TRACE}-${spanIdOf("s0")}`, input_tokens: 10 },
            { index: 1, generation_id: `${TRACE}-${spanIdOf("s1")}`, input_tokens: 150, response_id: "resp-1", reasoning_tokens: 500 },
          ],
        },
      });
    });

    it("that only its generations name is made of them, and judged by the worst of them", async () => {
      const part = (id: string, at: number, status: string) =>
        call(id, { at, attributes: { ...usage(1, 1, 0), "genspan.item.id": "problem-9", "genspan.quality.status": status } });
      await send(tracesOf(part("a", 0, "approved"), part("b", 60, "pending_review")));
      expect(await rows("generation_items")).toMatchObject([
        { item_id: "problem-9", kind: null, status: null, quality_status: "pending_review", generations_count: 2, created_at: at(0) },
      ]);
    });

    it("loses a generation that a late update gives to another item", async () => {
      await send(
        tracesOf(
          call("a", { attributes: { "genspan.item.id": "first" } }),
          call("b", { at: 60, attributes: { "genspan.item.id": "first" } }),
        ),
      );
      await send(
        tracesOf({
          id: "u1",
          parent: "a",
          at: 900,
          tookMs: 0,
          attributes: { "genspan.record": "update", "genspan.item.id": "second" },
        }),
      );
      const found = await rigs[0]!.sql`SELECT item_id, generations_count FROM generation_items ORDER BY item_id`;
      expect([...found]).toEqual([
        { item_id: "first", generations_count: 1 },
        { item_id: "second", generations_count: 1 },
      ]);
    });

    it("counts each call once, however many instrumentations saw it", async () => {
      const outer = call("outer", {
        tookMs: 120,
        attributes: { ...usage(631, 35, 0), "gen_ai.response.id": "r1", "genspan.item.id": ITEM },
      });
      const inner = call("inner", { parent: "outer", at: 5, attributes: { ...usage(631, 35, 0), "gen_ai.response.id": "r1" } });
      await send(tracesOf(outer), tracesOf(inner));
      expect(await rows("generation_items")).toMatchObject([{ generations_count: 1, total_tokens: "666" }]);
    });

    it("keeps a reviewer's judgement whatever telemetry says later", async () => {
      await send(tracesOf(item));
      await rigs[0]!.sql`UPDATE generation_items SET review = '{"status": "rejected", "issues": ["too easy"]}'`;
      await send(tracesOf(call("s0", { parent: "item", at: 20 })));
      expect(await rows("generation_items")).toMatchObject([
        { quality_status: "rejected", quality_issues: ["too easy"], generations_count: 1, told: { quality_status: "pending_review" } },
      ]);
    });

    it("that was imported keeps what it was imported with when its calls are looked at, and its totals where they have none", async () => {
      const told = { kind: "problem", title: "Imported", created_at: at(0).toISOString(), quality_status: "approved", total_tokens: 900 };
      const times = { created_at: at(0), updated_at: at(0) };
      await rigs[0]!.sql`INSERT INTO generation_items ${rigs[0]!.sql({ project_id: 1, id: ITEM, item_id: ITEM, ...times, told } as never)}`;
      await send(tracesOf(call("late", { attributes: { "genspan.item.id": ITEM } })));
      expect(await rows("generation_items")).toMatchObject([
        { title: "Imported", kind: "problem", quality_status: "approved", total_tokens: "900", generations_count: 1, created_at: at(0) },
      ]);
    });

    it("that failed says why", async () => {
      await send(tracesOf({ ...item, error: "no usable sentence" }));
      expect(await rows("generation_items")).toMatchObject([
        { status: "failed", error_message: "no usable sentence", generations_count: 0 },
      ]);
    });
  });

  it("an update finds its call days later, through a collector that knows nothing of its trace", async () => {
    await send(tracesOf(call("old")));
    const fresh = createPipelineRig(database.url);
    try {
      const days = 9 * 24 * 3_600_000;
      await fresh.send(
        tracesOf({
          id: "u1",
          parent: "old",
          at: days,
          tookMs: 0,
          attributes: { "genspan.record": "update", "genspan.entity.type": "definitie", "genspan.entity.id": "456" },
        }),
      );
      await fresh.refiner.settled();
    } finally {
      await fresh.stop();
    }
    expect(await rows("generation_logs")).toMatchObject([{ entity_type: "definitie", entity_id: "456" }]);
  });

  it("a run that was committed and not yet looked at is found after a start", async () => {
    const now = tracesOf({ ...announced, at: Date.now() - BASE_MS - 60_000 });
    const first = createPipelineRig(database.url);
    await first.refiner.stop();
    await first.send(now);
    await first.stop();
    expect(await rows("generation_runs")).toEqual([]);
    const second = createPipelineRig(database.url);
    await second.refiner.sweep();
    await second.refiner.settled();
    await second.stop();
    expect(await rows("generation_runs")).toMatchObject([{ status: "running" }]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { BASE_MS, type SpanSpec, spanIdOf, TRACE, tracesOf } from "../../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../../support/pipeline-rig.ts";

type Row = Readonly<Record<string, unknown>>;
interface Page {
  readonly data: readonly Row[];
  readonly next: string | null;
}
interface Failure {
  readonly error: { readonly code: string; readonly message: string };
}

const id = (n: number): string => `30000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const answer = (text: string) => JSON.stringify([{ role: "assistant", parts: [{ type: "text", content: text }], finish_reason: "stop" }]);
const question = (text: string) => JSON.stringify([{ role: "user", parts: [{ type: "text", content: text }] }]);

interface Sentence {
  readonly text: string;
  readonly finish?: string;
}

/** One problem and its sentences, as the SDK sends them: item n begins n minutes after the first. */
function problem(n: number, sentences: readonly Sentence[], attributes: Record<string, string> = {}): SpanSpec[] {
  const start = n * 60_000;
  const item: SpanSpec = {
    id: `item${n}`,
    at: start,
    tookMs: 10_000,
    attributes: {
      "genspan.record": "item",
      "genspan.item.id": id(n),
      "genspan.item.kind": "problem",
      "genspan.item.title": `Problem ${n}`,
      "gen_ai.prompt.version": n > 2 ? "2.1" : "2.0",
      ...attributes,
    },
  };
  const calls = sentences.map(
    ({ text, finish = "stop" }, i): SpanSpec => ({
      id: `s${n}-${i}`,
      parent: `item${n}`,
      at: start + 100 + i * 1_000,
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": n === 3 ? "gpt-5-mini" : "gpt-5-nano",
        "gen_ai.response.id": `resp-${n}-${i}`,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50 + n,
        "gen_ai.usage.reasoning.output_tokens": 10 * n,
        "gen_ai.response.finish_reasons": [finish],
        "gen_ai.input.messages": question(`Write sentence ${i}`),
        "gen_ai.output.messages": answer(text),
        "genspan.item.index": i,
      },
    }),
  );
  return [item, ...calls];
}

const findingsOf = (page: Page, row: number): readonly Row[] => (page.data[row]?.["findings"] ?? []) as readonly Row[];

describeEachServer("items over the API", (server) => {
  let rig: ApiRig;
  let pipeline: PipelineRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
    pipeline = createPipelineRig(rig.database.url);
    const problems = [
      problem(1, [{ text: "Der Hund bellt." }, { text: "Die Katze schläft." }], { "genspan.quality.status": "approved" }),
      problem(2, [{ text: "I'm sorry, but I can't help with that." }]),
      problem(3, [{ text: '{"satz": "Der Hund', finish: "length" }], { "genspan.quality.status": "pending_review" }),
      problem(4, [{ text: "Ein FORBIDDEN Wort." }], { "genspan.entity.type": "problem", "genspan.entity.id": "77" }),
    ];
    for (const spans of problems) await pipeline.send(tracesOf(...spans));
    await pipeline.refiner.settled();
    await rig.owner`UPDATE generation_logs SET reasoning_content = 'Both answers are correct, I am just guessing.' WHERE span_id = ${spanIdOf("s4-0")}`;
  });
  afterAll(async () => {
    await pipeline?.stop();
    await rig?.[Symbol.asyncDispose]();
  });
  const refined = () => pipeline.refiner.settled();

  it.each([
    ["", [4, 3, 2, 1]],
    ["?quality=pending_review", [3]],
    ["?model=gpt-5-mini", [3]],
    ["?version=2.0", [2, 1]],
    ["?kind=problem&limit=2", [4, 3]],
    ["?entity=problem:77", [4]],
    ["?min_reasoning=35", [4]],
    ["?sort=-tokens&limit=2", [1, 4]],
    ["?q=problem+2", [2]],
    [`?item=${id(2)}`, [2]],
    [`?from=${new Date(BASE_MS + 3 * 60_000).toISOString()}`, [4, 3]],
  ])("are listed by %s", async (query, expected) => {
    const { status, body } = await rig.get<Page>(`/api/items${query}`);
    expect([status, body.data.map((item) => item["id"])]).toEqual([200, expected.map(id)]);
  });

  it("one is shown with the exact prompts, answers and response ids of its generations", async () => {
    const { body } = await rig.get<Row & { generation_trace: { sentences: readonly Row[] } }>(`/api/items/${id(1)}`);
    expect(body).toMatchObject({ item_id: id(1), title: "Problem 1", total_tokens: 302, quality_status: "approved", generations_count: 2 });
    expect(body.generation_trace).toMatchObject({
      model: "gpt-5-nano",
      prompt_version: "2.0",
      total_tokens: 302,
      quality_status: "approved",
    });
    expect(body.generation_trace.sentences).toMatchObject([
      {
        index: 0,
        generation_id: `${TRACE}-${spanIdOf("s1-0")}`,
        response_id: "resp-1-0",
        input_tokens: 100,
        prompt_text: question("Write sentence 0"),
        content: answer("Der Hund bellt."),
        reasoning_content: null,
      },
      { index: 1, content: answer("Die Katze schläft.") },
    ]);
    expect((await rig.get(`/api/items/${id(99)}`)).status).toBe(404);
  });

  it("statistics by model and version have SQL's numbers", async () => {
    const { body } = await rig.get<Row & { groups: readonly Row[] }>("/api/items/stats");
    expect(body).toMatchObject({ items: 4, generations: 5, by: "model", pending_review: 1, approved: 1, approval_rate: 1 });
    expect(body.groups).toMatchObject([
      { name: "gpt-5-nano", items: 3 },
      { name: "gpt-5-mini", items: 1, avg_tokens: 153, total_reasoning_tokens: 30, pending_review: 1 },
    ]);
    for (const group of body.groups) {
      const [sums] =
        await rig.owner`SELECT avg(total_tokens)::float8 AS avg, max(total_tokens)::int AS max FROM generation_items WHERE model = ${String(group["name"])}`;
      expect([group["avg_tokens"], group["max_tokens"]]).toEqual([sums?.["avg"], sums?.["max"]]);
    }
    const versions = await rig.get<{ groups: readonly Row[] }>("/api/items/stats?by=version");
    expect(versions.body.groups.map((group) => [group["name"], group["items"]])).toEqual([
      ["2.0", 2],
      ["2.1", 2],
    ]);
    expect((await rig.get("/api/items/stats?by=colour")).status).toBe(400);
  });

  describe("issues", () => {
    it("are seen in answers and reasoning: refusals, answers that break off, doubt", async () => {
      const { body } = await rig.get<Page & { looked_at: number }>("/api/items/issues");
      expect(body.looked_at).toBe(4);
      expect(body.data.map((item) => [item["id"], (item["findings"] as Row[]).map(({ issue, target }) => [issue, target])])).toEqual([
        [id(4), [["unsure_reasoning", "reasoning"]]],
        [id(3), [["cut_off", "output"]]],
        [id(2), [["refusal", "output"]]],
      ]);
      expect(findingsOf(body, 2)[0]).toMatchObject({
        generation_id: `${TRACE}-${spanIdOf("s2-0")}`,
        excerpt: expect.stringContaining("I'm sorry"),
      });
    });

    it("of items chosen by their quality are listed in any case", async () => {
      const { body } = await rig.get<Page>("/api/items/issues?quality=approved");
      expect(body.data.map((item) => [item["id"], item["findings"]])).toEqual([[id(1), []]]);
    });

    it("of a user's pattern are found at once; those of a rule that marks send their call and item to review", async () => {
      const rule = { pattern: "FORB[A-Z]+", marks: true };
      expect((await rig.send("/api/quality-rules/forbidden_word", rule, { method: "PUT" })).body).toMatchObject({
        ...rule,
        target: "output",
        built_in: false,
      });
      expect((await rig.send("/api/quality-rules/refusal", { marks: true }, { method: "PUT" })).status).toBe(200);
      const found = await rig.get<Page>("/api/items/issues?entity=problem:77");
      expect(findingsOf(found.body, 0).map(({ issue }) => issue)).toEqual(["unsure_reasoning", "forbidden_word"]);

      const applied = await rig.send<Row>("/api/quality-rules/apply", { from: "-1h" });
      expect(applied.body).toEqual({ looked_at: 5, marked: 2 });
      await refined();
      const items = await rig.get<Page>("/api/items?quality=pending_review");
      expect(items.body.data.map((item) => [item["id"], item["quality_issues"]])).toEqual([
        [id(4), ["forbidden_word"]],
        [id(3), null],
        [id(2), ["refusal"]],
      ]);
      const again = await rig.send<Row>("/api/quality-rules/apply", { from: "-1h" });
      expect(again.body["marked"]).toBe(0);
      const entries = await rig.owner`SELECT details FROM audit_log WHERE action = 'generation.mark' ORDER BY time`;
      expect(entries.map((entry) => entry["details"])).toEqual([{ issues: ["refusal"] }, { issues: ["forbidden_word"] }]);
    });

    it.each([
      ["a pattern that is none", "mine", { pattern: "(" }],
      ["a pattern of a built-in rule", "cut_off", { pattern: "x" }],
      ["a rule without a pattern", "mine", {}],
      ["a name with a space", "my rule", { pattern: "x" }],
    ])("refuse %s", async (_name, name, body) => {
      expect((await rig.send<Failure>(`/api/quality-rules/${encodeURIComponent(name)}`, body, { method: "PUT" })).status).toBe(400);
    });

    it("rules are listed with the built-in ones, and deleted", async () => {
      const { body } = await rig.get<{ data: readonly Row[] }>("/api/quality-rules");
      expect(body.data.map(({ name, marks }) => [name, marks])).toEqual([
        ["cut_off", false],
        ["empty_output", false],
        ["unsure_reasoning", false],
        ["forbidden_word", true],
        ["refusal", true],
      ]);
      const remove = () => rig.send("/api/quality-rules/forbidden_word", undefined, { method: "DELETE" });
      expect((await remove()).status).toBe(200);
      expect((await remove()).status).toBe(404);
    });
  });

  describe("a review", () => {
    const review = (n: number, body: Row) => rig.send<Row>(`/api/items/${id(n)}/review`, body);

    it("stands above what telemetry says, is written down, and can be taken back", async () => {
      const { status, body } = await review(3, {
        status: "rejected",
        issues: ["too easy"],
        score: 0.2,
        note: "B1 at most",
        reviewer: "ana",
      });
      expect([status, body["quality_status"], body["quality_issues"]]).toEqual([200, "rejected", ["too easy"]]);
      expect(body["generation_trace"]).toMatchObject({ quality_status: "rejected", quality_issues: ["too easy"] });
      expect(body["review"]).toMatchObject({ by: "ana", score: 0.2 });
      const [entry] = await rig.owner`SELECT actor, subject, details FROM audit_log WHERE action = 'item.review'`;
      expect(entry).toMatchObject({ subject: `item:${id(3)}`, details: { status: "rejected", reviewer: "ana" } });
      const undone = await rig.send<Row>(`/api/items/${id(3)}/review`, undefined, { method: "DELETE" });
      expect(undone.body).toMatchObject({ quality_status: "pending_review", review: null });
    });

    it("is taken back step by step, until nothing is left to take back", async () => {
      const undo = () => rig.send<Row>(`/api/items/${id(2)}/review`, undefined, { method: "DELETE" });
      const { quality_status, quality_issues } = (await rig.get<Row>(`/api/items/${id(2)}`)).body;
      await review(2, { status: "approved", note: "good", reviewer: "ana" });
      await review(2, { status: "rejected", issues: ["style"], reviewer: "ben" });
      const first = await undo();
      expect(first.body).toMatchObject({ quality_status: "approved", quality_issues, review: { by: "ana", note: "good" } });
      expect((await undo()).body).toMatchObject({ quality_status, quality_issues, review: null });
      expect((await undo()).status).toBe(409);
    });

    it("of an imported item goes without a trace when it is taken back", async () => {
      const trace = {
        model: "m",
        total_tokens: 3,
        quality_status: "pending_review",
        quality_issues: ["told"],
        sentences: [{ prompt_text: "a" }],
      };
      const file = JSON.stringify({ id: "imported-1", title: "t", generation_trace: trace });
      const headers = { "content-type": "application/x-ndjson" };
      const imported = await rig.app.request("http://localhost:4319/api/import", { method: "POST", body: `${file}\n`, headers });
      expect([imported.status, await imported.text()]).toEqual([200, expect.stringContaining('"items":1')]);
      const change = (method: string, body?: Row) => rig.send<Row>("/api/items/imported-1/review", body, { method });
      const qualityOf = ({ body }: { body: Row }) => {
        const inside = body["generation_trace"] as Row;
        return [body["quality_status"], body["quality_issues"], inside["quality_status"], inside["quality_issues"]];
      };
      expect(qualityOf(await change("POST", { status: "approved" }))).toEqual(["approved", ["told"], "approved", ["told"]]);
      expect(qualityOf(await change("POST", { status: "rejected", issues: ["x"] }))).toEqual(["rejected", ["x"], "rejected", ["x"]]);
      expect(qualityOf(await change("DELETE"))).toEqual(["approved", ["told"], "approved", ["told"]]);
      expect(qualityOf(await change("DELETE"))).toEqual(["pending_review", ["told"], "pending_review", ["told"]]);
    });

    it("that rejects says why", async () => {
      expect((await review(3, { status: "rejected" })).status).toBe(400);
      expect((await review(3, { status: "rejected", note: " " })).status).toBe(400);
      expect((await review(99, { status: "approved" })).status).toBe(404);
    });

    it("makes labelled examples for a judge, one a line", async () => {
      await review(4, { status: "rejected", issues: ["forbidden_word"], note: "not for children" });
      const response = await rig.app.request("http://localhost:4319/api/items/labels");
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-ndjson; charset=utf-8"]);
      const lines = (await response.text())
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Row);
      expect(lines.map(({ id: item, label, issues, note }) => [item, label, issues, note])).toEqual([
        [id(4), "rejected", ["forbidden_word"], "not for children"],
        [id(1), "approved", [], null],
      ]);
      expect(lines[0]?.["generations"]).toEqual([
        {
          id: `${TRACE}-${spanIdOf("s4-0")}`,
          model: "gpt-5-nano",
          system: null,
          prompt: question("Write sentence 0"),
          reasoning: "Both answers are correct, I am just guessing.",
          output: answer("Ein FORBIDDEN Wort."),
        },
      ]);
    });
  });
});

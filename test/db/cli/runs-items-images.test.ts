import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { type CommandRun, examplesOf, runOn, shellWords } from "../../support/cli-rig.ts";
import { describeEachServer } from "../../support/database.ts";

type Row = Readonly<Record<string, unknown>>;

const now = Date.now();
const minutesAgo = (minutes: number): Date => new Date(now - minutes * 60_000);
const runId = (n: number): string => `10000000-0000-4000-8000-00000000000${n}`;
const imageId = (n: number): string => `20000000-0000-4000-8000-00000000000${n}`;
const itemId = (n: number): string => `30000000-0000-4000-8000-00000000000${n}`;
const HOSTILE = '=cmd|"x"\n<b>,日本語\u202e';

const run = (n: number, values: Row): Row => ({
  project_id: 1,
  id: runId(n),
  run_id: runId(n),
  kind: "questions",
  started_at: minutesAgo(120 * n),
  completed_at: minutesAgo(120 * n - 2),
  duration_seconds: 120,
  status: "success",
  items_requested: 50,
  items_generated: 48,
  items_inserted: 40,
  overall_success_rate: 0.8,
  approval_rate: 0.9,
  prompt_version: "2.1",
  environment: "production",
  provider_metrics: { openai: { evaluated: 48, approved: 43, rejected: 5 } },
  error_summary: { by_category: { rate_limit: 2 } },
  created_at: minutesAgo(1),
  updated_at: minutesAgo(1),
  ...values,
});

const image = (n: number, values: Row): Row => ({
  project_id: 1,
  id: imageId(n),
  status: "completed",
  created_at: minutesAgo(n),
  model_used: "sdxl",
  models_tried: ["broken", "sdxl"],
  total_duration_ms: 3_600,
  image_generation_attempts: [
    { model: "broken", prompt: "A cat", success: false, error: HOSTILE, duration_ms: 100 },
    { model: "sdxl", prompt: "A cat", success: true, duration_ms: 3_500 },
  ],
  request_data: { prompts: [{ prompt: HOSTILE }] },
  entity_type: "lesson",
  entity_id: "lesson-1",
  received_at: minutesAgo(n),
  ...values,
});

const item = (n: number, values: Row): Row => ({
  project_id: 1,
  id: itemId(n),
  item_id: itemId(n),
  kind: "problem",
  title: HOSTILE,
  created_at: minutesAgo(n),
  updated_at: minutesAgo(n),
  model: "gpt-5-nano",
  prompt_version: "2.0",
  total_tokens: 300,
  generations_count: 1,
  quality_status: null,
  quality_issues: null,
  generation_trace: {
    sentences: [
      { index: 0, generation_id: `${"c".repeat(32)}-${String(n).repeat(16)}`, model: "gpt-5-nano", total_tokens: 300, status: "success" },
    ],
  },
  ...values,
});

const generation = (n: number): Row => ({
  project_id: 1,
  trace_id: "c".repeat(32),
  span_id: String(n).repeat(16),
  start_time: minutesAgo(n),
  dialect: "semconv",
  generation_status: "success",
  logged_at: minutesAgo(n),
  updated_at: minutesAgo(n),
  received_at: minutesAgo(n),
  item_id: itemId(n),
  prompt_full_text: `Prompt ${n}`,
  response_full_text: n === 2 ? "I'm sorry, I can't do that." : `Answer ${n}`,
  reasoning_content: `Thought ${n}`,
  content_state: "captured",
});

describeEachServer("commands for runs, items and images", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    const sql = rig.owner;
    await sql`TRUNCATE generation_runs, generation_items, image_traces, generation_logs`;
    const unfinished = { status: "running", completed_at: null, duration_seconds: null, items_inserted: null, overall_success_rate: null };
    await sql`INSERT INTO generation_runs ${sql([run(1, {}), run(2, { status: "failed", items_inserted: 10, overall_success_rate: 0.2, prompt_version: "2.0" }), run(9, unfinished)] as never)}`;
    await sql`INSERT INTO image_traces ${sql([image(1, {}), image(2, { status: "failed", model_used: null }), image(9, {})] as never)}`;
    await sql`INSERT INTO generation_items ${sql([item(1, { quality_status: "pending_review", quality_issues: ["too easy"] }), item(2, {}), item(3, { quality_status: "approved" })] as never)}`;
    await sql`INSERT INTO generation_logs ${sql([1, 2, 3].map(generation) as never)}`;
  });
  const genspan = (line: string): Promise<CommandRun> => runOn(rig, shellWords(line));
  const json = async <T = readonly Row[]>(line: string): Promise<T> => {
    const { code, out, notes } = await genspan(`${line} -o json`);
    expect([code, notes]).toEqual([0, ""]);
    return JSON.parse(out) as T;
  };

  it.each([
    ["run", ["list", "show", "compare", "stats", "trend", "stuck", "mark-failed"]],
    ["item", ["list", "inspect", "stats", "find-issues", "labels"]],
    ["image", ["list", "show", "stats", "delete"]],
  ])("every example in the help of %s works", async (noun, verbs) => {
    const examples = await examplesOf(rig, noun, verbs);
    expect(examples.length).toBeGreaterThan(2 * verbs.length);
    for (const verb of verbs) expect(examples.join("\n")).toContain(`genspan ${noun} ${verb}`);
    for (const example of [...new Set(examples)]) {
      const { code, notes } = await runOn(rig, shellWords(example).slice(1));
      // A check that finds something has its own exit code.
      expect([example, code, notes]).toEqual([example, example.includes("--fail-if-found") ? 10 : 0, expect.any(String)]);
    }
  });

  describe.each([
    ["run", 3],
    ["item", 3],
    ["image", 3],
  ])("%s list", (noun, count) => {
    it("parses as JSON, lines of JSON and CSV with hostile text", async () => {
      const rows = await json(`${noun} list`);
      expect(rows).toHaveLength(count);
      const lines = await genspan(`${noun} list -o jsonl`);
      expect(
        lines.out
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as Row),
      ).toEqual(rows);
      const csv = await genspan(`${noun} list -o csv`);
      expect(csv.out).not.toMatch(/(^|,)"?=cmd/m);
    });

    it("shows a table with one line per row", async () => {
      const { out } = await genspan(`${noun} list`);
      expect(out.trimEnd().split("\n")).toHaveLength(count + 1);
    });
  });

  describe("run", () => {
    it("show has breakdowns and losses below the run", async () => {
      const { out } = await genspan(`run show ${runId(1)}`);
      expect(out).toContain("losses");
      expect(out).toMatch(/generation +2\n/);
      expect(out).toMatch(/openai +\{"approved":43/);
      expect((await genspan(`run show ${runId(8)}`)).code).toBe(3);
    });

    it("compare puts runs beside each other with what changed", async () => {
      const { out } = await genspan(`run compare ${runId(1)} ${runId(2)} -o csv`);
      expect(out).toContain("overall_success_rate,0.8,0.2,-0.6000000000000001,worse\r\n");
      expect(out).toContain("prompt_version,2.1,2.0,,different\r\n");
    });

    it("stats has totals, providers, errors, versions and trends", async () => {
      const { out } = await genspan("run stats");
      for (const section of ["providers", "errors", "prompt versions", "trends"]) expect(out).toContain(`\n${section}\n`);
      expect(await json<Row>("run stats -f status=success")).toMatchObject({ runs: 1, overall_success_rate: 0.8 });
    });

    it("stuck lists what never ended, with exit code 10 on demand; mark-failed ends it", async () => {
      expect((await json("run stuck")).map((each) => each["id"])).toEqual([runId(9)]);
      expect((await genspan("run stuck --fail-if-found")).code).toBe(10);
      expect(await json<Row>(`run mark-failed ${runId(9)}`)).toEqual({ id: runId(9), status: "failed" });
      const after = await genspan("run stuck --fail-if-found");
      expect([after.code, (await genspan(`run mark-failed ${runId(9)}`)).code]).toEqual([0, 1]);
    });
  });

  describe("item", () => {
    it("inspect shows reasoning, prompt and output only when asked", async () => {
      const plain = await genspan(`item inspect ${itemId(1)}`);
      expect(plain.out).not.toContain("Thought 1");
      const { out } = await genspan(`item inspect ${itemId(1)} --show-reasoning --show-prompt --show-output`);
      expect(out).toContain("generation 0: prompt\nPrompt 1\n");
      expect(out).toContain("generation 0: reasoning\nThought 1\n");
      expect(out).toContain("generation 0: output\nAnswer 1\n");
      expect(await json<Row>(`item inspect ${itemId(1)}`)).toMatchObject({
        id: itemId(1),
        generation_trace: { sentences: [{ prompt_text: "Prompt 1", reasoning_content: "Thought 1", content: "Answer 1" }] },
      });
    });

    it("inspect counts the generations of an imported log that has no positions", async () => {
      await rig.owner`UPDATE generation_items SET generation_trace = '{"sentences": [{"reasoning_content": "First"}, {"reasoning_content": "Second"}]}' WHERE id = ${itemId(1)}`;
      const { out } = await genspan(`item inspect ${itemId(1)} --show-reasoning`);
      expect(out).toContain("generation 0: reasoning\nFirst\n");
      expect(out).toContain("generation 1: reasoning\nSecond\n");
    });

    it("find-issues lists noted issues and what the rules see", async () => {
      const rows = await json("item find-issues");
      expect(rows.map((row) => [row["id"], row["issues"]])).toEqual([
        [itemId(1), "too easy"],
        [itemId(2), "refusal"],
      ]);
      expect((await genspan("item find-issues --quality-status pending_review --fail-if-found")).code).toBe(10);
      expect((await genspan("item find-issues --quality-status rejected --fail-if-found")).code).toBe(0);
      expect((await json("item find-issues --quality-status approved")).map((row) => row["id"])).toEqual([itemId(3)]);
    });

    it("trace-stats is stats", async () => {
      expect(await json<Row>("item trace-stats --by version")).toEqual(await json<Row>("item stats --by version"));
    });

    it("labels are lines of JSON", async () => {
      const { out } = await genspan("item labels");
      expect(JSON.parse(out)).toMatchObject({
        id: itemId(3),
        label: "approved",
        generations: [{ prompt: "Prompt 3", output: "Answer 3" }],
      });
    });
  });

  describe("image", () => {
    it("show has the attempts in order", async () => {
      const { out } = await genspan(`image show ${imageId(1)}`);
      expect(out.indexOf("broken ")).toBeGreaterThan(out.indexOf("\nattempts\n"));
      expect(out.indexOf("sdxl ", out.indexOf("\nattempts\n"))).toBeGreaterThan(out.indexOf("broken ", out.indexOf("\nattempts\n")));
    });

    it("stats come by model in the suggested order, by day, or as a whole", async () => {
      const { out } = await genspan("image stats --by model -o jsonl");
      expect(
        out
          .trimEnd()
          .split("\n")
          .map((line) => (JSON.parse(line) as Row)["model"]),
      ).toEqual(["sdxl", "broken"]);
      expect(await json<Row>("image stats")).toMatchObject({ traces: 3, failed: 1, suggested_order: ["sdxl", "broken"] });
      expect((await genspan("image stats --by colour")).code).toBe(2);
    });

    it("delete takes one, or what the filter selects after a look; never all by mistake", async () => {
      expect((await genspan("image delete")).code).toBe(2);
      const asked = await genspan("image delete --all -f status=completed");
      expect([asked.code, asked.notes]).toEqual([2, expect.stringContaining("This deletes 2 image traces")]);
      expect(await json<Row>("image delete --all --dry-run")).toEqual({ would_delete: 3 });
      expect(await json<Row>(`image delete ${imageId(1)} --dry-run`)).toEqual({ would_delete: 1 });
      expect(await json("image list")).toHaveLength(3);
      expect(await json<Row>(`image delete ${imageId(1)}`)).toEqual({ success: true, deleted: 1 });
      expect((await genspan(`image delete ${imageId(1)}`)).code).toBe(3);
      expect(await json<Row>("image delete --all -f status=failed --yes")).toEqual({ success: true, deleted: 1 });
      expect((await json("image list")).map((row) => row["id"])).toEqual([imageId(9)]);
    });
  });
});

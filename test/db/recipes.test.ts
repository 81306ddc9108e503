import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../support/api-rig.ts";
import { runOn, shellWords } from "../support/cli-rig.ts";
import { describeEachServer } from "../support/database.ts";

const RECIPES = ["tracking-batch-runs.md", "reviewing-items.md", "choosing-image-models.md"] as const;

const blocksOf = (recipe: string, language: string): string[] =>
  Array.from(
    readFileSync(new URL(`../../docs/recipes/${recipe}`, import.meta.url), "utf8").matchAll(
      new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"),
    ),
    (match) => match[1] ?? "",
  );

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** The requests of a block: GETs one a line, anything else with its body below it. */
function requestsOf(block: string): Request[] {
  const [first = "", ...rest] = block.trim().split("\n");
  if (!first.startsWith("GET ")) {
    const [method = "", path = ""] = first.split(" ");
    return [{ method, path, body: JSON.parse(rest.join("\n")) }];
  }
  return [first, ...rest].map((line) => ({ method: "GET", path: line.slice("GET ".length), body: undefined }));
}

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

describeEachServer("recipes", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
    const { owner } = rig;
    const times = { created_at: minutesAgo(5), updated_at: minutesAgo(5) };
    const trace = { model: "gpt-5", total_reasoning_tokens: 2_000, sentences: [] };
    const item = { project_id: 1, id: "30000000-0000-4000-8000-000000000001", item_id: "p1", kind: "problem", title: "Articles", ...times };
    await owner`INSERT INTO generation_items ${owner({ ...item, generation_trace: trace, trace_id: "a".repeat(32) } as never)}`;
    const image = {
      project_id: 1,
      id: "20000000-0000-4000-8000-000000000001",
      status: "failed",
      created_at: minutesAgo(5),
      received_at: minutesAgo(5),
    };
    const attempts = [{ model: "sdxl", success: false, duration_ms: 100, prompt: "A cat" }];
    await owner`INSERT INTO image_traces ${owner({ ...image, models_tried: ["sdxl"], image_generation_attempts: attempts } as never)}`;
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  describe.each(RECIPES)("%s", (recipe) => {
    it("shows something to run", () => {
      expect(blocksOf(recipe, "http").length).toBeGreaterThan(0);
      expect(blocksOf(recipe, "sh").length).toBeGreaterThan(0);
      expect(blocksOf(recipe, "sql").length).toBeGreaterThan(0);
    });

    it.each(
      blocksOf(recipe, "http")
        .flatMap(requestsOf)
        .map((request) => [`${request.method} ${request.path}`, request] as const),
    )("%s answers", async (_name, { method, path, body }) => {
      const answered = method === "GET" ? await rig.get(path) : await rig.send(path, body, { method });
      expect([answered.status, answered.body]).toEqual([
        expect.toSatisfy((status: number) => status === 200 || status === 201),
        expect.anything(),
      ]);
    });

    it.each(blocksOf(recipe, "sh").flatMap((block) => block.trim().split("\n")))("`%s` works", async (line) => {
      const { code, notes } = await runOn(rig, shellWords(line).slice(1));
      expect([code, notes]).toEqual([
        line.includes("--fail-if-found") ? expect.toSatisfy((each: number) => each === 0 || each === 10) : 0,
        expect.any(String),
      ]);
    });

    it.each(blocksOf(recipe, "sql"))("%s gives rows", async (query) => {
      expect((await rig.owner.unsafe(query)).length).toBeGreaterThan(0);
    });
  });
});

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerationComparison } from "../../../collector/query/generations/compare.ts";
import type { GenerationDetail } from "../../../collector/query/generations/one.ts";
import type { GenerationStatistics } from "../../../collector/query/generations/statistics.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { generationId, idsOf, storeGenerations } from "../../support/generation-rows.ts";

/** What an exact prompt must survive: line ends of two kinds, characters beyond the basic plane, markup, and blanks at both ends. */
const PROMPT = `  Erkläre „Satz“ in 𝟛 Schritten 🧪\r\nzweite Zeile\n</script><b>&amp;\t${"Wort ".repeat(2_000)}\n`;

describeEachServer("one model call", (server) => {
  let rig: ApiRig;
  const START = new Date("2026-11-20T08:00:00.000Z");

  beforeAll(async () => {
    rig = await createApiRig(server);
    const prompt = { prompt_full_text: PROMPT, prompt_format: "text", prompt_template_name: "quiz", prompt_template_version: "2.0" };
    const modules = {
      prompt_modules_used: rig.owner.json(["base", "context"]),
      model_parameters: rig.owner.json({ seed_mode: "fixed", logit_bias: { "50256": -100 } }),
    };
    await storeGenerations(rig.owner, [
      {
        ...prompt,
        ...modules,
        start_time: START,
        model_name: "gpt-5",
        model_temperature: 0.7,
        duration_ms: 100,
        tokens_total: 30,
        cost_amount: "0.1",
        cost_currency: "USD",
      },
      {
        start_time: START,
        prompt_full_text: PROMPT.replace("zweite Zeile", "andere Zeile"),
        prompt_modules_used: rig.owner.json(["base", "examples"]),
        model_parameters: rig.owner.json({ seed_mode: "random", logit_bias: { "50256": -100 } }),
        model_name: "gpt-5",
        model_temperature: 1,
        duration_ms: 300,
        tokens_total: 50,
        cost_amount: "0.3",
        cost_currency: "USD",
      },
      { start_time: START, model_name: "claude", generation_status: "failed", duration_ms: 50 },
      { start_time: START, project_id: 2, model_name: "gpt-5" },
    ]);
    const attempt = { project_id: 1, ...idsOf(1), start_time: START, received_at: START };
    await rig.owner`INSERT INTO generation_attempts ${rig.owner([
      { ...attempt, attempt_number: 1, success: false, http_status: 429, duration_ms: 40 },
      { ...attempt, attempt_number: 2, success: true, http_status: 200, duration_ms: 60 },
    ])}`;
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  it("shows its prompt byte for byte, with its checksum, and its attempts in order", async () => {
    const { body } = await rig.get<GenerationDetail>(`/api/generations/${generationId(1)}`);
    expect(body["prompt_full_text"]).toBe(PROMPT);
    expect(body.prompt_sha256).toBe(createHash("sha256").update(PROMPT).digest("hex"));
    expect(body.attempts.map((attempt) => [attempt["attempt_number"], attempt["http_status"]])).toEqual([
      [1, 429],
      [2, 200],
    ]);
    expect(Object.keys(body)).not.toContain("project_id");
  });

  it("gives its prompt as a file of exactly these bytes", async () => {
    const response = await rig.app.request(`http://localhost/api/generations/${generationId(1)}/content/prompt`);
    expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(PROMPT))).toBe(true);
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="prompt.txt"');
    expect((await rig.get(`/api/generations/${generationId(3)}/content/prompt`)).status).toBe(404);
  });

  it("is found by its id in upper case, and not from another project", async () => {
    expect((await rig.get(`/api/generations/${generationId(1).toUpperCase()}`)).status).toBe(200);
    expect((await rig.get(`/api/generations/${generationId(4)}`)).status).toBe(404);
    expect((await rig.get(`/api/generations/${generationId(99)}`)).status).toBe(404);
    expect((await rig.get("/api/generations/nonsense")).status).toBe(400);
  });

  it("says of a call without a span whether it was announced or imported", async () => {
    await storeGenerations(rig.owner, [{ start_time: new Date(0), generation_status: "pending" }], 70);
    const about = async (n: number) => {
      const span = await rig.get<{ error: { message: string } }>(`/api/generations/${generationId(n)}/span`);
      const { body } = await rig.get<{ role: string }>(`/api/generations/${generationId(n)}/provenance`);
      return [span.status, span.body.error.message, body.role];
    };
    expect(await about(1)).toEqual([404, "this call was imported without a span", "imported"]);
    expect(await about(70)).toEqual([404, "this call was announced, and its own span has not come", "announced"]);
    await rig.owner`DELETE FROM generation_logs WHERE start_time < '2000-01-01'`;
    const other = await rig.get<{ error: { message: string } }>(`/api/generations/${generationId(4)}/span`);
    expect([other.status, other.body.error.message]).toEqual([404, "there is no such model call in this project"]);
  });

  it("is compared with another: parameters, results, modules, and the words that changed", async () => {
    const { body } = await rig.get<GenerationComparison>(`/api/generations/compare?a=${generationId(1)}&b=${generationId(2)}`);
    expect(body.parameters).toEqual([
      { name: "model_temperature", a: 0.7, b: 1 },
      { name: "prompt_template_name", a: "quiz", b: null },
      { name: "prompt_template_version", a: "2.0", b: null },
      { name: "seed_mode", a: "fixed", b: "random" },
    ]);
    expect(body.results.map(({ name }) => name)).toEqual(["tokens_total", "duration_ms", "cost_amount"]);
    expect(body.modules).toEqual({ added: ["examples"], removed: ["context"], kept: ["base"] });
    expect([body.prompt.added_lines, body.prompt.removed_lines]).toEqual([1, 1]);
    const removed = body.prompt.pieces!.find(({ op }) => op === "remove")!;
    expect(removed.words!.filter(({ op }) => op === "remove").map(({ text }) => text)).toEqual(["zweite"]);
    expect(body.response.equal).toBe(true);
  });

  describe("numbers of calls", () => {
    const statistics = async (query: string) => {
      const { status, body } = await rig.get<{ data: readonly GenerationStatistics[] }>(`/api/generations/stats?${query}`);
      expect(status).toBe(200);
      return body.data;
    };

    it("equal the rows, by model", async () => {
      expect(await statistics("by=model")).toMatchObject([
        { model: "gpt-5", generations: 2, succeeded: 2, error_rate: 0, tokens_total: 80, cost_amount: 0.4, p50_duration_ms: 200 },
        { model: "claude", generations: 1, failed: 1, error_rate: 1, tokens_total: null, cost_amount: null },
      ]);
    });

    it("follow the filter, and without a grouping are one row", async () => {
      expect(await statistics("status=success")).toMatchObject([{ generations: 2, avg_duration_ms: 200, unpriced: 0 }]);
      expect(await statistics("model=nothing")).toMatchObject([{ generations: 0, error_rate: null, p95_duration_ms: null }]);
      expect(await statistics("by=day,model&model=claude")).toMatchObject([{ day: "2026-11-20", model: "claude", generations: 1 }]);
    });

    it("know their groupings", async () => {
      expect((await rig.get("/api/generations/stats?by=nothing")).status).toBe(400);
      expect((await rig.get("/api/generations/stats?by=model,version,day,env")).status).toBe(400);
    });
  });
});

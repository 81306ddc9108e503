import { afterAll, beforeAll, expect, it } from "vitest";
import type { GenerationComparison } from "../../../collector/query/generations/compare.ts";
import type { GenerationSummary } from "../../../collector/query/generations/list.ts";
import type { GenerationDetail } from "../../../collector/query/generations/one.ts";
import type { GenerationStatistics } from "../../../collector/query/generations/statistics.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { type GenerationRow, generationId, storeGenerations } from "../../support/generation-rows.ts";

const PROMPT = "# DEFINITIE GENERATIE\n\nGenereer een definitie voor...";

/** What an application that writes definitions asks of its generation log: each question is one call. */
describeEachServer("the log of an application that generates definitions", (server) => {
  let rig: ApiRig;
  const definition = (n: number, row: GenerationRow = {}): GenerationRow => ({
    start_time: new Date(Date.UTC(2026, 10, 10 + (n % 3), 14, 23, n)),
    entity_type: "definitie",
    entity_id: String(455 + n),
    prompt_full_text: PROMPT,
    prompt_template_version: n < 4 ? "2.0" : "2.1-beta",
    prompt_template_name: "unified_definition_v2",
    prompt_modules_used: rig.owner.json(n < 4 ? ["base", "context", "examples", "validation"] : ["base", "context"]),
    model_name: "gpt-4-turbo-2024-04-09",
    model_temperature: 0.7,
    model_max_tokens: 2000,
    tokens_prompt: 1234,
    tokens_completion: 567,
    tokens_total: 1801 + n,
    duration_ms: 2345,
    response_finish_reason: "stop",
    response_id: "chatcmpl-AbCdEf123456",
    ...row,
  });

  beforeAll(async () => {
    rig = await createApiRig(server);
    await storeGenerations(rig.owner, [
      definition(1),
      definition(2),
      definition(3, {
        generation_status: "failed",
        error_type: "api_error",
        error_message: "boom",
        error_traceback: "Traceback …",
        tokens_total: null,
      }),
      definition(4),
      definition(5, { generation_status: "timeout", error_type: "timeout" }),
    ]);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  const list = async (query: string): Promise<readonly GenerationSummary[]> =>
    (await rig.get<{ data: GenerationSummary[] }>(`/api/generations?${query}`)).body.data;
  const numbers = async (query: string): Promise<readonly GenerationStatistics[]> =>
    (await rig.get<{ data: GenerationStatistics[] }>(`/api/generations/stats?${query}`)).body.data;

  it("get_by_definitie_id: which call made definition 456, with which prompt and parameters", async () => {
    const [call] = await list("entity=definitie:456");
    const { body } = await rig.get<GenerationDetail>(`/api/generations/${call!.id}`);
    expect(body).toMatchObject({
      prompt_full_text: PROMPT,
      prompt_template_version: "2.0",
      prompt_template_name: "unified_definition_v2",
      prompt_modules_used: ["base", "context", "examples", "validation"],
      model_name: "gpt-4-turbo-2024-04-09",
      model_temperature: 0.7,
      model_max_tokens: 2000,
      tokens_prompt: 1234,
      tokens_completion: 567,
      duration_ms: 2345,
      response_finish_reason: "stop",
      response_id: "chatcmpl-AbCdEf123456",
      generation_status: "success",
    });
    expect(await list("entity=definitie:999")).toEqual([]);
  });

  it("get_prompt_history: calls by template version, dates and status, newest first", async () => {
    const history = await list("version=2.0&from=2026-11-10&to=2026-11-13&status=success&limit=100");
    expect(history.map(({ entity_id }) => entity_id)).toEqual(["457", "456"]);
  });

  it("debugging: what failed, and where", async () => {
    const [failed] = await list("status=failed");
    const { body } = await rig.get<GenerationDetail>(`/api/generations/${failed!.id}`);
    expect(body).toMatchObject({
      error_type: "api_error",
      error_message: "boom",
      error_traceback: "Traceback …",
      prompt_full_text: PROMPT,
    });
  });

  it("token usage over time", async () => {
    const days = await numbers("by=day&status=success");
    expect(days.map((row) => [row["day"], row.generations, row.avg_tokens]).toSorted()).toEqual([
      ["2026-11-11", 2, 1803.5],
      ["2026-11-12", 1, 1803],
    ]);
  });

  it("most expensive prompts", async () => {
    expect((await list("status=success&sort=-tokens&limit=10")).map(({ tokens_total }) => tokens_total)).toEqual([1805, 1803, 1802]);
  });

  it("failure rate by template", async () => {
    const byVersion = await numbers("by=version");
    const rates = byVersion.map(
      (row) => [row["version"], row.generations, row.failed, row.timed_out, Math.round(100 * row.error_rate!)] as const,
    );
    expect(rates.toSorted()).toEqual([
      ["2.0", 3, 1, 0, 33],
      ["2.1-beta", 2, 0, 1, 50],
    ]);
  });

  it("A/B testing: two prompts compared, modules and all", async () => {
    const { body } = await rig.get<GenerationComparison>(`/api/generations/compare?a=${generationId(1)}&b=${generationId(4)}`);
    expect(body.prompt.equal).toBe(true);
    expect(body.modules).toEqual({ added: [], removed: ["examples", "validation"], kept: ["base", "context"] });
    expect(body.parameters).toEqual([{ name: "prompt_template_version", a: "2.0", b: "2.1-beta" }]);
  });

  it("link_to_definitie: a call is linked after its definition was saved", async () => {
    await storeGenerations(rig.owner, [definition(9, { entity_id: null })], 9);
    await rig.send(`/api/generations/${generationId(9)}/entity`, { type: "definitie", id: "777" }, { method: "PUT" });
    expect((await list("entity=definitie:777")).map(({ id }) => id)).toEqual([generationId(9)]);
  });

  it("export: generation logs as CSV", async () => {
    const response = await rig.app.request(
      "http://localhost/api/export/generations?format=csv&version=2.1-beta&max_tokens=1806&columns=entity_id,tokens_total",
    );
    expect((await response.text()).split("\r\n").slice(0, 3).toSorted()).toEqual(["459,1805", "460,1806", "entity_id,tokens_total"]);
  });
});

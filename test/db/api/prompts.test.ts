import { afterAll, beforeAll, expect, it } from "vitest";
import type { PromptComparison } from "../../../collector/query/prompts/compare.ts";
import type { PromptSummary, PromptVersion } from "../../../collector/query/prompts/versions.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { type GenerationRow, storeGenerations } from "../../support/generation-rows.ts";

const DAY_MS = 86_400_000;

describeEachServer("prompts", (server) => {
  let rig: ApiRig;
  const now = Date.now();

  const version = (name: string | null, calls: number, row: (i: number) => GenerationRow): GenerationRow[] =>
    Array.from({ length: calls }, (_, i) => ({
      start_time: new Date(now - (name === "2.0" ? 3 : 2) * DAY_MS + i * 1000),
      prompt_template_name: "quiz/sentences",
      prompt_template_version: name,
      prompt_format: "text",
      duration_ms: 1_000 + (i % 10) * 10,
      tokens_total: 100,
      cost_currency: "USD",
      cost_amount: "0.01",
      ...row(i),
    }));

  const parts = (content: string): string => JSON.stringify([{ type: "text", content }]);

  beforeAll(async () => {
    rig = await createApiRig(server);
    const topics = ["Verben", "Nomen", "Adjektive"];
    await storeGenerations(rig.owner, [
      ...version("2.0", 40, (i) => ({
        prompt_full_text: `Schreibe einen Satz.\nThema: ${topics[i % 3]}\nKurz.`,
        prompt_variables: rig.owner.json({ topic: topics[i % 3]! }),
        quality_status: i < 16 ? "approved" : "rejected",
        entity_type: "problem",
        entity_id: String(i),
        response_full_text: `alt ${i}`,
        model_temperature: 0.7,
        prompt_modules_used: rig.owner.json(["base"]),
      })),
      ...version("2.1", 40, (i) => ({
        prompt_full_text: `Schreibe zwei Sätze.\nThema: ${topics[i % 3]}\nKurz.`,
        prompt_variables: rig.owner.json({ topic: topics[i % 3]! }),
        quality_status: i < 34 ? "approved" : "rejected",
        entity_type: "problem",
        entity_id: String(i + 38),
        response_full_text: `neu ${i}`,
        model_temperature: 0.7,
        prompt_modules_used: rig.owner.json(["base", "examples"]),
      })),
      ...version("2.2", 6, (i) => ({ system_instructions: i === 0 ? "Sei genau." : "Sei sehr genau.", prompt_full_text: `Frage ${i}` })),
      ...version("2.3", 6, (i) => ({ prompt_full_text: `Frage ${i}` })),
      ...version("2.4", 300, (i) => ({ system_instructions: parts(i < 40 ? "Erst so." : "Dann so."), prompt_full_text: `Frage ${i}` })),
      ...version("2.8", 40, () => ({ cost_currency: "EUR", cost_amount: "5" })),
      ...version(null, 40, (i) => ({ entity_type: "problem", entity_id: String(i), response_full_text: "ohne" })),
      ...version("2.6", 60, (i) => ({ prompt_full_text: `Richtig? Aufgabe ${(i * 7) % 12}` })),
      ...version("2.7", 60, (i) => ({ prompt_full_text: i < 30 ? "Richtig?" : "Ist das richtig?" })),
      ...version("2.5", 6, (i) => ({
        prompt_format: "messages",
        prompt_full_text: JSON.stringify([{ role: "user", parts: [{ type: "text", content: `Fasse zusammen:\n"Zeile ${i}"\nEnde.` }] }]),
        prompt_variables: rig.owner.json({ text: `"Zeile ${i}"\nEnde` }),
      })),
    ]);
    await storeGenerations(rig.owner, [{ project_id: 2, prompt_template_name: "secret" }], 500);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  const PATH = `/api/prompts/${encodeURIComponent("quiz/sentences")}`;

  it("are found in the data of one project", async () => {
    const { body } = await rig.get<{ data: PromptSummary[] }>("/api/prompts");
    expect(body.data).toMatchObject([{ name: "quiz/sentences", versions: 10, generations: 598 }]);
    expect((await rig.get("/api/prompts/secret")).status).toBe(404);
  });

  it("have versions whose numbers equal the rows, and show drift only where the template itself changed", async () => {
    const { body } = await rig.get<{ versions: PromptVersion[] }>(PATH);
    const of = (name: string) => body.versions.find((each) => each.version === name)!;
    expect(of("2.0")).toMatchObject({
      generations: 40,
      approved: 16,
      reviewed: 40,
      approval_rate: 0.4,
      success_rate: 1,
      cost_amount: 0.4,
      cost_per_approved: 0.025,
      avg_tokens: 100,
    });
    expect(["2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7"].map((name) => [of(name).texts, of(name).drift])).toEqual([
      [1, false],
      [1, false],
      [2, true],
      [6, null],
      [2, true],
      [1, false],
      [12, null],
      [2, true],
    ]);
  });

  it("are compared: what changed in the text, what it did to the numbers, and what is noise", async () => {
    const { body } = await rig.get<PromptComparison>(`${PATH}/compare?a=2.0&b=2.1`);
    const change = (metric: string) => body.changes.find((each) => each.metric === metric)!;
    expect(change("approval_rate")).toMatchObject({ a: 0.4, b: 0.85, a_size: 40, b_size: 40, verdict: "different" });
    expect(change("duration_ms")).toMatchObject({ verdict: "noise" });
    expect(change("success_rate")).toMatchObject({ a: 1, b: 1, verdict: "noise" });
    expect(body.text).toMatchObject({ added_lines: 1, removed_lines: 1 });
    expect(body.text.pieces!.find(({ op }) => op === "equal")!.text).toContain("{{topic}}");
    expect(body.modules).toEqual({ added: ["examples"], removed: [], kept: ["base"] });
    expect(body.pairs.map(({ entity_id, a_response, b_response }) => [entity_id, a_response, b_response]).toSorted()).toEqual([
      ["38", "alt 38", "neu 0"],
      ["39", "alt 39", "neu 1"],
    ]);
  });

  it("are compared by the lines that their messages mean, not by those of JSON", async () => {
    const { body } = await rig.get<PromptComparison>(`${PATH}/compare?a=2.4&b=2.5`);
    expect(body.text.pieces!.filter(({ op }) => op === "add").map(({ text }) => text)).toEqual(["user:\nFasse zusammen:\n{{text}}."]);
    expect(body.text.pieces!.filter(({ op }) => op === "remove").map(({ text }) => text)).toEqual(["Dann so."]);
  });

  it("say when there are too few calls to tell", async () => {
    const { body } = await rig.get<PromptComparison>(`${PATH}/compare?a=2.1&b=2.2`);
    expect(body.changes.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 5 }, () => "too_few"));
    expect((await rig.get(`${PATH}/compare?a=2.1&b=9`)).status).toBe(404);
    expect((await rig.get(`${PATH}/compare?a=2.1`)).status).toBe(400);
  });

  it("are compared with the calls that name no version", async () => {
    const { status, body } = await rig.get<PromptComparison>(`${PATH}/compare?a=(none)&b=2.0`);
    expect([status, body.a.version, body.a.generations, body.b.version]).toEqual([200, null, 40, "2.0"]);
    expect(body.pairs).toHaveLength(10);
    expect(body.pairs[0]).toMatchObject({ a_response: "ohne", b_response: expect.stringMatching(/^alt/) });
    const missing = await rig.get<{ error: { message: string } }>(`${PATH}/compare?a=8&b=9`);
    expect([missing.status, missing.body.error.message]).toEqual([404, expect.stringContaining("(none)")]);
  });

  it("are not compared by cost where they are charged in two currencies", async () => {
    const metrics = async (a: string, b: string) =>
      (await rig.get<PromptComparison>(`${PATH}/compare?a=${a}&b=${b}`)).body.changes.map(({ metric }) => metric);
    expect(await metrics("2.1", "2.8")).toEqual(["success_rate", "approval_rate", "duration_ms", "tokens_total"]);
    expect(await metrics("2.0", "2.1")).toContain("cost_per_call");
  });

  it("follow a filter", async () => {
    const { body } = await rig.get<{ versions: PromptVersion[] }>(`${PATH}?version=2.1&quality=approved`);
    expect(body.versions).toMatchObject([{ version: "2.1", generations: 34 }]);
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { repriceCalls } from "../../collector/commands/generations/reprice.ts";
import { createPriceBook } from "../../collector/model/price.ts";
import { readPrices } from "../../collector/query/prices.ts";
import { describeEachServer } from "../support/database.ts";
import { BASE_MS, tracesOf } from "../support/otlp-json.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";

const CALL = {
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "openai",
  "gen_ai.request.model": "house-model",
  "gen_ai.usage.input_tokens": 1_000,
  "gen_ai.usage.output_tokens": 500,
};
const call = (attributes: Record<string, string | number>) => tracesOf({ id: "call", attributes: { ...CALL, ...attributes } });

const picture = (uri: string) => ({ type: "uri", modality: "image", mime_type: "image/png", uri });
const drawing = (id: string, count: number, attributes: Record<string, string | number> = {}) =>
  tracesOf({
    id,
    attributes: {
      "gen_ai.operation.name": "image_generation",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "house-painter",
      "gen_ai.input.messages": JSON.stringify([
        { role: "user", parts: [{ type: "text", content: "as this one" }, picture("https://pictures.example/asked.png")] },
      ]),
      "gen_ai.output.messages": JSON.stringify([
        {
          role: "assistant",
          parts: [
            { type: "text", content: "here" },
            ...Array.from({ length: count }, (_, i) => picture(`https://pictures.example/${i}.png`)),
          ],
          finish_reason: "stop",
        },
      ]),
      ...attributes,
    },
  });

describeEachServer("what calls cost", (server) => {
  const rig = usePipelineRig(server);
  afterEach(async () => {
    await rig.empty("spans", "generation_logs", "outputs", "model_prices");
    await rig.readPrices();
  });
  const cost = async () => (await rig.sql`SELECT cost_amount, cost_currency, cost_source FROM generation_logs`)[0];
  const repriced = async () =>
    repriceCalls(
      { writer: { sql: rig.sql, schema: "public" }, refine: async () => {}, projectId: 1, actor: "test" },
      {
        prices: createPriceBook((await readPrices(rig.sql, "public")).get(1)),
        from: new Date(BASE_MS - 86_400_000).toISOString(),
        to: new Date(BASE_MS + 86_400_000).toISOString(),
        dryRun: false,
      },
    );
  const setPrice = async (validFromMs: number, input: number) => {
    await rig.sql`INSERT INTO model_prices (project_id, provider_name, model_name, valid_from, currency, input_per_million, output_per_million, updated_at)
      VALUES (1, 'openai', 'house-model', ${new Date(validFromMs)}, 'EUR', ${input}, 20, now())`;
    await rig.readPrices();
  };

  it("a price in the table is charged, in its currency, from its day on", async () => {
    await setPrice(BASE_MS - 1_000, 10);
    await setPrice(BASE_MS + 86_400_000, 999);
    await rig.send(call({}));
    expect(await cost()).toEqual({ cost_amount: "0.02", cost_currency: "EUR", cost_source: "computed" });
  });

  it("is frozen: a later change of the price changes no row", async () => {
    await setPrice(BASE_MS - 1_000, 10);
    await rig.send(call({}));
    await rig.sql`UPDATE model_prices SET input_per_million = 1000`;
    await rig.readPrices();
    await rig.send(call({}));
    expect((await cost())?.["cost_amount"]).toBe("0.02");
  });

  it("a tier is charged by a price of its own alone", async () => {
    await setPrice(BASE_MS - 1_000, 10);
    await rig.send(call({ "openai.response.service_tier": "flex" }));
    expect(await cost()).toEqual({ cost_amount: null, cost_currency: null, cost_source: null });
    await rig.empty("spans", "generation_logs");
    await rig.sql`UPDATE model_prices SET model_name = 'house-model@flex'`;
    await rig.readPrices();
    await rig.send(call({ "openai.response.service_tier": "flex" }));
    expect(await cost()).toEqual({ cost_amount: "0.02", cost_currency: "EUR", cost_source: "computed" });
  });

  it("a price that is entered later charges tiers by their own alone, and estimates never", async () => {
    await rig.send(call({ "openai.response.service_tier": "flex" }));
    await rig.send(
      tracesOf(
        { id: "plain", attributes: CALL },
        { id: "estimated", attributes: { ...CALL, "gen_ai.operation.name": "image_generation", "gen_ai.request.image.size": "1024x1024" } },
      ),
    );
    await setPrice(BASE_MS - 1_000, 10);
    expect(await repriced()).toMatchObject({ examined: 2, changed: 1, unpriced_after: 1 });
    await rig.sql`INSERT INTO model_prices SELECT project_id, provider_name, 'house-model@flex', valid_from, currency, 5, 10, NULL, NULL, NULL, now() FROM model_prices`;
    expect(await repriced()).toMatchObject({ examined: 2, changed: 1, unpriced_after: 0 });
    const rows = await rig.sql`SELECT cost_amount FROM generation_logs ORDER BY cost_amount NULLS LAST`;
    expect(rows.map((row) => row["cost_amount"])).toEqual(["0.01", "0.02", null]);
  });

  describe("images", () => {
    const setImagePrice = async (each: number, tokens: number | null) => {
      await rig.sql`INSERT INTO model_prices (project_id, provider_name, model_name, valid_from, currency, image_each, input_per_million, output_per_million, updated_at)
        VALUES (1, 'openai', 'house-painter', ${new Date(BASE_MS - 1_000)}, 'EUR', ${each}, ${tokens}, ${tokens}, now())`;
      await rig.readPrices();
    };
    const TOKENS = { "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 500 };

    it.each([
      ["of a model that charges nothing else cost their price each, whatever the tokens", null, 3, TOKENS, "0.12"],
      ["cost it where no tokens are told", null, 1, {}, "0.04"],
      ["cost it beside the tokens", 100, 2, TOKENS, "0.23"],
      ["that were not drawn cost nothing: what was is unknown", null, 0, TOKENS, null],
      ["leave a cost unknown where the tokens have a price and are not told", 100, 2, {}, null],
      ["are in a cost that was sent", null, 3, { "gen_ai.usage.cost.amount": 0.36 }, "0.36"],
    ] as const)("%s", async (_, tokens, drawn, attributes, amount) => {
      await setImagePrice(0.04, tokens);
      await rig.send(drawing("drawn", drawn, attributes));
      expect((await cost())?.["cost_amount"]).toBe(amount);
    });

    it("are charged by a price that is entered later as by one that was there", async () => {
      await rig.send(drawing("drawn", 3, { "gen_ai.request.image.size": "1024x1024", ...TOKENS }));
      await rig.send(drawing("none", 0, TOKENS));
      await setImagePrice(0.04, null);
      expect(await repriced()).toMatchObject({ changed: 1, unpriced_after: 1 });
      const rows = await rig.sql`SELECT cost_amount, cost_currency FROM generation_logs ORDER BY cost_amount NULLS LAST`;
      expect(rows).toEqual([
        { cost_amount: "0.12", cost_currency: "EUR" },
        { cost_amount: null, cost_currency: null },
      ]);
      expect(await repriced()).toMatchObject({ changed: 0 });
    });
  });

  it("a model without a price has no cost", async () => {
    await rig.send(call({}));
    expect(await cost()).toEqual({ cost_amount: null, cost_currency: null, cost_source: null });
  });

  it("a cost that was sent stays what it is", async () => {
    await setPrice(BASE_MS - 1_000, 10);
    await rig.send(call({ "gen_ai.usage.cost.amount": 0.36, "gen_ai.usage.cost.currency": "USD" }));
    expect(await cost()).toEqual({ cost_amount: "0.36", cost_currency: "USD", cost_source: "sent" });
  });

  it("a model that everybody knows is charged its public list price", async () => {
    await rig.send(call({ "gen_ai.request.model": "gpt-4o-2024-08-06" }));
    expect(await cost()).toEqual({ cost_amount: "0.0075", cost_currency: "USD", cost_source: "computed" });
  });
});

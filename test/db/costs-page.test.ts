import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { tracesOf } from "../support/otlp-json.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";

const PAGE = readFileSync(new URL("../../docs/costs.md", import.meta.url), "utf8");

function block(name: string): string {
  const found = new RegExp(`\`\`\`${name}\n(.*?)\`\`\``, "s").exec(PAGE)?.[1];
  if (found === undefined) throw new Error(`the page has no block ${name}`);
  return found;
}

const call = (id: string, at: number) =>
  tracesOf({
    id,
    at,
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "house-model",
      "gen_ai.usage.input_tokens": 1_000,
      "gen_ai.usage.output_tokens": 500,
      "gen_ai.response.finish_reasons": ["stop"],
    },
  });

describeEachServer("the page about costs", (server) => {
  const rig = usePipelineRig(server);

  it("finds what has no price, sets one, and the next call is charged by it", async () => {
    await rig.send(call("before", 0));
    expect(await rig.sql.unsafe(block("sql unpriced"))).toEqual([
      { provider_name: "openai", model: "house-model", tier: null, calls: "1", tokens: "1500" },
    ]);
    for (let again = 0; again < 2; again++) await rig.sql.unsafe(block("sql set"));
    await rig.readPrices();
    await rig.send(call("after", 1_000));
    expect(await rig.sql`SELECT cost_amount, cost_currency, cost_source FROM generation_logs ORDER BY start_time`).toEqual([
      { cost_amount: null, cost_currency: null, cost_source: null },
      { cost_amount: "0.02", cost_currency: "EUR", cost_source: "computed" },
    ]);
  });
});

import { describe, expect, it } from "vitest";
import type { SpanSpec } from "../../support/otlp-json.ts";
import { generationsOf } from "../../support/told.ts";

type Attributes = NonNullable<SpanSpec["attributes"]>;
const CHAT: Attributes = {
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "openai",
  "gen_ai.request.model": "gpt-4o-mini",
  "gen_ai.usage.input_tokens": 1_000_000,
  "gen_ai.usage.output_tokens": 0,
};
const OURS = { "genspan.cost.amount": 2, "genspan.cost.currency": "EUR", "genspan.cost.source": "invoice" };
const LANGFUSE = { "langfuse.observation.cost_details": JSON.stringify({ total: 7 }) };

const costOf = (attributes: Attributes): unknown[] => {
  const [row] = generationsOf({ attributes: { ...CHAT, ...attributes } });
  return [row?.["cost_amount"], row?.["cost_currency"], row?.["cost_source"]];
};

describe("a cost that was sent keeps its own currency and source", () => {
  it.each([
    ["ours alone", OURS, ["2", "EUR", "invoice"]],
    ["ours in small letters", { ...OURS, "genspan.cost.currency": " eur" }, ["2", "EUR", "invoice"]],
    ["ours in what is no currency", { ...OURS, "genspan.cost.currency": "euros and cents" }, ["2", null, "invoice"]],
    ["ours without a currency", { "genspan.cost.amount": 2 }, ["2", null, "sent"]],
    ["one of OpenLIT beside ours", { ...OURS, "gen_ai.usage.cost": 0.36 }, ["0.36", "USD", "sent"]],
    ["one of Logfire beside ours", { ...OURS, "operation.cost": 0.36 }, ["0.36", "USD", "sent"]],
    ["one of OpenInference beside ours", { ...OURS, "llm.cost.total": 0.36 }, ["0.36", "USD", "sent"]],
    ["one of LiteLLM beside ours", { ...OURS, "gen_ai.cost.total_cost": 0.36 }, ["0.36", "USD", "sent"]],
    [
      "the conventions' beside OpenLIT's and ours",
      {
        ...OURS,
        "gen_ai.usage.cost": 9,
        "gen_ai.usage.cost.amount": 0.36,
        "gen_ai.usage.cost.currency": "GBP",
        "gen_ai.usage.cost.source": "provider",
      },
      ["0.36", "GBP", "provider"],
    ],
    ["the conventions' without a currency", { ...OURS, "gen_ai.usage.cost": 9, "gen_ai.usage.cost.amount": 0.36 }, ["0.36", null, "sent"]],
    [
      "the conventions' currency beside another's amount",
      { "gen_ai.usage.cost": 0.36, "gen_ai.usage.cost.currency": "EUR" },
      ["0.36", "USD", "sent"],
    ],
    ["one within JSON beside ours", { ...OURS, ...LANGFUSE }, ["2", "EUR", "invoice"]],
    [
      "one within JSON beside a currency of ours",
      { ...LANGFUSE, "genspan.cost.currency": "EUR", "genspan.cost.source": "invoice" },
      ["7", "USD", "sent"],
    ],
    [
      "parts that make no round sum in binary",
      { "langfuse.observation.cost_details": JSON.stringify({ input: 0.1, output: 0.2 }) },
      ["0.3", "USD", "sent"],
    ],
    [
      "parts beside a currency of ours",
      { "openinference.span.kind": "LLM", "llm.cost.prompt": 1, "llm.cost.completion": 2, "genspan.cost.currency": "EUR" },
      ["3", "USD", "sent"],
    ],
  ] as const)("%s", (_, attributes, expected) => {
    expect(costOf(attributes)).toEqual(expected);
  });

  it.each([
    ["is negative", -1],
    ["is no number", "a lot"],
    ["is NaN", "NaN"],
    ["is true", true],
    ["is absurd", 1e300],
  ])("one that %s gives way to the next", (_, amount) => {
    expect(costOf({ ...OURS, "gen_ai.usage.cost": amount })).toEqual(["2", "EUR", "invoice"]);
    expect(costOf({ ...LANGFUSE, "gen_ai.usage.cost": amount })).toEqual(["7", "USD", "sent"]);
    expect(costOf({ "gen_ai.usage.cost": amount, "genspan.cost.currency": "EUR" })).toEqual(["0.15", "USD", "computed"]);
  });

  it("a currency without an amount says nothing", () => {
    expect(costOf({ "gen_ai.request.model": "unheard-of", "genspan.cost.currency": "EUR", "genspan.cost.source": "invoice" })).toEqual([
      null,
      null,
      null,
    ]);
  });
});

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
const json = (value: unknown): string => JSON.stringify(value);
const costOf = (attributes: Attributes): unknown[] => {
  const [row] = generationsOf({ attributes: { ...CHAT, ...attributes } });
  return [row?.["cost_amount"], row?.["cost_source"], (row?.["additional_metadata"] as Record<string, unknown> | null)?.["service_tier"]];
};

describe("a call at another tier than the standard one has no cost, and says by which tier it was charged", () => {
  it.each([
    ["OpenAI's answer", { "openai.response.service_tier": "flex" }],
    ["its older name", { "gen_ai.openai.response.service_tier": "priority" }],
    ["an older name yet", { "gen_ai.response.service_tier": "scale" }],
    ["a request that nobody answers for", { "openai.request.service_tier": "flex" }],
    ["one of LangSmith", { "gen_ai.request.service_tier": "flex" }],
    ["one of Laminar that waits", { "gen_ai.request.batch": true }],
    [
      "the AI SDK",
      { "ai.operationId": "ai.generateText.doGenerate", "ai.response.providerMetadata": json({ openai: { serviceTier: "flex" } }) },
    ],
    ["settings of OpenInference", { "openinference.span.kind": "LLM", "llm.invocation_parameters": json({ service_tier: "flex" }) }],
    [
      "an answer within OpenInference",
      {
        "openinference.span.kind": "LLM",
        "output.value": json({ id: "r", choices: [{ message: { content: "Hi" } }], service_tier: "priority" }),
      },
    ],
    ["Anthropic's usage within Logfire", { "logfire.span_type": "span", "gen_ai.usage.raw": json({ service_tier: "batch" }) }],
  ])("%s", (_, attributes) => {
    const [amount, source, tier] = costOf(attributes);
    expect([amount, source]).toEqual([null, null]);
    expect(tier).toMatch(/^(flex|priority|scale|batch)$/);
  });

  it.each([
    ["no tier", {}],
    ["an answer at the default", { "openai.response.service_tier": "default" }],
    ["a request for any", { "openai.request.service_tier": "auto" }],
    [
      "a request for another one that was served at the standard",
      { "openai.request.service_tier": "priority", "openai.response.service_tier": "default" },
    ],
    ["Anthropic's standard", { "logfire.span_type": "span", "gen_ai.usage.raw": json({ service_tier: "standard" }) }],
    ["no batch", { "gen_ai.request.batch": false }],
  ])("%s costs the listed price", (_, attributes) => expect(costOf(attributes)).toEqual(["0.15", "computed", undefined]));

  it("a sent cost is that of its tier", () => {
    expect(costOf({ "openai.response.service_tier": "flex", "gen_ai.usage.cost": 0.075 })).toEqual(["0.075", "sent", "flex"]);
  });
});

describe("tokens that are cached for an hour", () => {
  const CLAUDE = {
    ...CHAT,
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.usage.input_tokens": 100_000,
    "gen_ai.usage.cache_creation.input_tokens": 100_000,
  };

  it.each([
    ["Laminar", { "gen_ai.usage.cache_creation.input_tokens.ephemeral_1h": 40_000 }],
    [
      "the provider's counts",
      { "logfire.span_type": "span", "gen_ai.usage.raw": json({ cache_creation: { ephemeral_1h_input_tokens: 40_000 } }) },
    ],
    [
      "the AI SDK",
      {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.response.providerMetadata": json({ anthropic: { usage: { cache_creation: { ephemeral_1h_input_tokens: 40_000 } } } }),
      },
    ],
  ])("cost their own price where %s tell them", (_, attributes) => {
    const [row] = generationsOf({ attributes: { ...CLAUDE, ...attributes } });
    // 60,000 at 3.75 and 40,000 at 6 dollars per million.
    expect(row).toMatchObject({
      cost_amount: "0.465",
      tokens_cache_write: 100_000,
      additional_metadata: { tokens_cache_write_1h: 40_000 },
    });
    expect(generationsOf({ attributes: CLAUDE })).toMatchObject([{ cost_amount: "0.375", additional_metadata: null }]);
  });
});

import { describe, expect, it } from "vitest";
import type { SpanSpec } from "../../support/otlp-json.ts";
import { generationsOf } from "../../support/told.ts";

type Attributes = NonNullable<SpanSpec["attributes"]>;
const CHAT: Attributes = { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m" };
const usage = (input: number, output: number): Attributes => ({ "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output });

const counts = (attributes: Attributes): unknown[] => {
  const [row] = generationsOf({ attributes });
  return ["prompt", "completion", "cache_read", "cache_write", "reasoning"].map((name) => row?.[`tokens_${name}`]);
};

describe("a count of cached tokens under two names", () => {
  it.each([
    ["the conventions' name decides", 9_216, 4_096, 9_216],
    ["their 0 is a count, and shadows the other", 0, 9_216, 0],
  ])("%s", (_, dotted, flat, expected) => {
    const names = [
      ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"],
      ["gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_read.input_tokens"],
    ] as const;
    // In either order of the attributes.
    for (const [first, second] of names) {
      const value = (name: string): number => (name.includes("cache_read.") ? dotted : flat);
      const told = counts({ ...CHAT, ...usage(13_675, 1), [first]: value(first), [second]: value(second) });
      expect(told).toEqual([13_675, 1, expected, null, null]);
    }
  });
});

describe("a count that makes no sense gives way to the next of its names", () => {
  it.each([-1, "", "NaN", "many", Number.NaN])("%s", (none) => {
    expect(
      counts({ ...CHAT, "gen_ai.usage.input_tokens": none, "gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.output_tokens": 5 }),
    ).toEqual([7, 5, null, null, null]);
    const cached = { "gen_ai.usage.cache_read.input_tokens": none, "gen_ai.usage.cache_read_input_tokens": 3 };
    expect(counts({ ...CHAT, ...usage(7, 5), ...cached })).toEqual([7, 5, 3, null, null]);
    expect(counts({ ...CHAT, "gen_ai.usage.input_tokens": none })).toEqual([null, null, null, null, null]);
  });

  it("a whole number in decimal text is a count", () => {
    expect(counts({ ...CHAT, "gen_ai.usage.input_tokens": "14", "gen_ai.usage.prompt_tokens": 7 })[0]).toBe(14);
  });
});

describe("the AI SDK over Anthropic, whose own input excludes what was cached", () => {
  const call = (attributes: Attributes, anthropic: object): Attributes => ({
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.model.id": "claude-sonnet-4-5",
    "ai.model.provider": "anthropic.messages",
    ...attributes,
    "ai.response.providerMetadata": JSON.stringify({ anthropic }),
  });
  const cached = { cache_creation_input_tokens: 20, cache_read_input_tokens: 100 };

  it.each([
    [
      "version 4: the provider's input",
      call({ "ai.usage.promptTokens": 500, "ai.usage.completionTokens": 9 }, { cacheCreationInputTokens: 20, cacheReadInputTokens: 100 }),
    ],
    [
      "version 5: the same, which the provider's usage proves",
      call(
        { "ai.usage.inputTokens": 500, "ai.usage.outputTokens": 9, "ai.usage.cachedInputTokens": 100 },
        { usage: { input_tokens: 500, ...cached } },
      ),
    ],
    [
      "version 6: the sum",
      call(
        { "ai.usage.inputTokens": 620, "ai.usage.outputTokens": 9, "ai.usage.cachedInputTokens": 100 },
        { usage: { input_tokens: 500, ...cached } },
      ),
    ],
  ])("%s", (_, attributes) => expect(counts(attributes)).toEqual([620, 9, 100, 20, null]));
});

describe("usage within JSON in the words of a provider", () => {
  const langfuse = (details: object): Attributes => ({
    "langfuse.observation.type": "generation",
    "langfuse.observation.usage_details": JSON.stringify(details),
  });
  it.each([
    [
      "OpenAI's chat: cached and reasoning inside",
      langfuse({
        prompt_tokens: 13_675,
        completion_tokens: 1_970,
        total_tokens: 15_645,
        prompt_tokens_details: { cached_tokens: 9_216 },
        completion_tokens_details: { reasoning_tokens: 956 },
      }),
      [13_675, 1_970, 9_216, null, 956],
    ],
    [
      "OpenAI's responses",
      langfuse({ input_tokens: 13_675, output_tokens: 9, input_tokens_details: { cached_tokens: 9_216 } }),
      [13_675, 9, 9_216, null, null],
    ],
    [
      "Anthropic's: cached outside, also where it is less than the input",
      langfuse({ input_tokens: 500, output_tokens: 9, cache_read_input_tokens: 100, cache_creation_input_tokens: 20 }),
      [620, 9, 100, 20, null],
    ],
    [
      "MLflow's",
      {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.chat.tokenUsage": JSON.stringify({ input_tokens: 500, output_tokens: 9, total_tokens: 509, cache_read_input_tokens: 100 }),
      },
      [500, 9, 100, null, null],
    ],
  ])("%s", (_, attributes, expected) => expect(counts(attributes)).toEqual(expected));
});

describe("buckets of Langfuse beside counts of the conventions", () => {
  const buckets = (details: object): Attributes => ({
    "langfuse.observation.type": "generation",
    "langfuse.observation.usage_details": JSON.stringify(details),
  });

  it("say nothing about counts that are not theirs: what the span has includes the cached and the reasoning tokens", () => {
    const details = { input: 4_459, input_cached_tokens: 9_216, output: 1_014, output_reasoning_tokens: 956 };
    expect(counts({ ...CHAT, ...usage(13_675, 1_970), ...buckets(details) })).toEqual([13_675, 1_970, 9_216, null, 956]);
    expect(counts({ ...CHAT, ...buckets(details) })).toEqual([13_675, 1_970, 9_216, null, 956]);
  });
});

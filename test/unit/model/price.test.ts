import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atTier, costOf, createPriceBook, type Price, specialTier } from "../../../collector/model/price.ts";
import data from "../../../collector/model/prices.json" with { type: "json" };
import { normalizeTokens, type RawTokens } from "../../../collector/model/tokens.ts";

const NOW = Date.UTC(2026, 10, 21);
const price = (change: Partial<Price> = {}): Price => ({
  provider: "openai",
  model: "m",
  validFrom: 0,
  currency: "USD",
  input: 2,
  output: 10,
  cacheRead: 0.5,
  cacheWrite: 2.5,
  ...change,
});
const raw = (change: Partial<RawTokens>): RawTokens => ({
  input: undefined,
  output: undefined,
  reasoning: undefined,
  cacheRead: undefined,
  cacheWrite: undefined,
  total: undefined,
  cacheOutsideInput: false,
  reasoningOutsideOutput: false,
  ...change,
});

describe("token counts come to one meaning", () => {
  it.each([
    [
      "5 uncached, 128,955 read, 1,253 written, counted apart",
      { input: 5, cacheRead: 128_955, cacheWrite: 1_253, cacheOutsideInput: true },
      130_213,
    ],
    ["the same from a sender that does not say so", { input: 5, cacheRead: 128_955, cacheWrite: 1_253 }, 130_213],
    ["13,675 of which 9,216 were cached", { input: 13_675, cacheRead: 9_216 }, 13_675],
  ])("%s", (_, tokens, prompt) => {
    expect(normalizeTokens(raw(tokens)).prompt).toBe(prompt);
  });

  it.each([
    ["1,970 of which 956 reasoning", { output: 1_970, reasoning: 956 }, 1_970],
    ["input + output = total: inside", { input: 100, output: 287, reasoning: 192, total: 387 }, 287],
    ["input + output + reasoning = total: outside", { input: 3, output: 95, reasoning: 192, total: 290 }, 287],
    ["a sender known to count it outside", { output: 95, reasoning: 40, reasoningOutsideOutput: true }, 135],
    ["more reasoning than output: it cannot be inside", { output: 10, reasoning: 50 }, 60],
    ["proof beats what the sender is known for", { input: 1, output: 50, reasoning: 20, total: 51, reasoningOutsideOutput: true }, 50],
  ])("%s", (_, tokens, completion) => {
    expect(normalizeTokens(raw(tokens)).completion).toBe(completion);
  });

  it("what makes no sense is unknown", () => {
    expect(normalizeTokens(raw({ input: -1, output: Number.NaN }))).toMatchObject({
      prompt: undefined,
      completion: undefined,
      total: undefined,
    });
  });
});

describe("the price of a model", () => {
  const shipped = createPriceBook();

  it.each([
    ["openai", "gpt-4o"],
    ["openai", "gpt-4o-2024-08-06"],
    ["openai", "openai/gpt-4o"],
    ["azure.ai.openai", "gpt-4o"],
    ["anthropic", "claude-3-5-sonnet-20241022"],
    ["gcp.vertex_ai", "models/gemini-2.5-pro"],
  ])("%s %s has a shipped one", (provider, model) => {
    expect(shipped.find(provider, model, NOW)?.input).toBeGreaterThan(0);
  });

  it.each([
    ["openai", "gpt-4o-of-our-own"],
    ["nobody", "gpt-4o"],
    ["openai", ""],
    [undefined, ""],
    // Sold by several, a hub's name of what anybody serves, and one of this machine.
    [undefined, "claude-opus-4-6"],
    [undefined, "openai/gpt-oss-120b"],
    [undefined, "mistral-small:latest"],
    [undefined, "mistral-small:24b"],
    ["aws.bedrock", "us-gov.amazon.nova-lite-v1:0"],
    ["aws.bedrock", "amazon.titan-embed-text-v2:0"],
    ["aws.bedrock", "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6"],
    ["openai", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
  ])("%s %s has none, and none is guessed", (provider, model) => {
    expect(shipped.find(provider, model, NOW)).toBeUndefined();
  });

  it.each([
    ["anthropic.claude-3-5-sonnet-20241022-v2:0", 3],
    ["us.anthropic.claude-3-5-sonnet-20241022-v2:0", 3],
    ["anthropic.claude-3-haiku-20240307-v1:0:48k", 0.25],
    // Profiles of a region cost a tenth more than the global one.
    ["global.anthropic.claude-sonnet-4-5-20250929-v1:0", 3],
    ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3],
    ["jp.anthropic.claude-haiku-4-5-20251001-v1:0", 1.1],
    ["eu.anthropic.claude-opus-4-6-v1", 5.5],
    ["us.anthropic.claude-opus-4-20250514-v1:0", 15],
    ["eu.amazon.nova-lite-v1:0", 0.06],
    ["amazon.nova-micro-v1:0", 0.035],
    ["global.amazon.nova-2-lite-v1:0", 0.3],
    ["apac.amazon.nova-pro-v1:0", 0.8],
    ["us.meta.llama3-3-70b-instruct-v1:0", 0.72],
    ["us.deepseek.r1-v1:0", 1.35],
    ["amazon.titan-embed-text-v1", 0.1],
    ["bedrock/us.amazon.nova-pro-v1:0", 0.8],
    ["arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3],
    ["arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-pro-v1:0", 0.8],
  ])("of Bedrock's %s is the shipped one of its model", (model, input) => {
    expect(shipped.find("aws.bedrock", model, NOW)?.input).toBe(input);
  });

  it("of one's own is found by every regional name of Bedrock, and beats the shipped one", () => {
    const book = createPriceBook([price({ provider: "aws.bedrock", model: "amazon.nova-lite", input: 7 })]);
    for (const model of ["amazon.nova-lite-v1:0", "eu.amazon.nova-lite-v1:0"]) expect(book.find("aws.bedrock", model, NOW)?.input).toBe(7);
  });

  it.each([
    ["gpt-4o", "openai"],
    ["gpt-4o-2024-08-06", "openai"],
    ["models/gemini-2.5-pro", "gcp.gemini"],
    ["mistral-large-latest", "mistral_ai"],
    ["eu.amazon.nova-lite-v1:0", "aws.bedrock"],
    ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock"],
  ])("of %s without a provider is that of %s, who alone has a model of that name", (model, provider) => {
    expect(shipped.find(undefined, model, NOW)?.provider).toBe(provider);
    expect(shipped.find("", model, NOW)?.provider).toBe(provider);
  });

  it("of a model without a provider is unknown once somebody else sells it, too", () => {
    const other = price({ provider: "azure.ai.openai", model: "gpt-4o" });
    expect(createPriceBook([other]).find(undefined, "gpt-4o", NOW)).toBeUndefined();
    expect(createPriceBook([other]).find(undefined, "gpt-4o-2024-08-06", NOW)).toBeUndefined();
    expect(createPriceBook([price({ model: "house-model" })]).find(undefined, "house-model", NOW)?.input).toBe(2);
  });

  it("is positive, and output costs between a fifth and twenty times what input costs", () => {
    const odd = data.prices.filter(
      ({ input = 0, output }) => input < 0 || (output !== undefined && input > 0 && (output / input < 0.2 || output / input > 20)),
    );
    expect(odd).toEqual([]);
    expect(data.prices.length).toBeGreaterThan(400);
  });

  it("says where it comes from and when, provider by provider", () => {
    expect(data.compiled_from).toMatch(/^\S+ \(https:/);
    expect(Date.parse(data.checked)).toBeLessThan(NOW);
    const providers = new Set(data.prices.map(({ provider }) => provider));
    expect([...providers].filter((provider) => !Object.hasOwn(data.sources, provider))).toEqual([]);
  });

  it("a version of its own wins over its family", () => {
    const mini = shipped.find("openai", "gpt-4o-mini", NOW)?.input;
    expect(mini).toBeLessThan(shipped.find("openai", "gpt-4o", NOW)?.input ?? 0);
  });

  it("is the one that was valid at the time of the call", () => {
    const book = createPriceBook([
      price({ validFrom: Date.UTC(2026, 0, 1), input: 4 }),
      price({ validFrom: Date.UTC(2025, 0, 1), input: 2 }),
    ]);
    const inputAt = (at: number) => book.find("openai", "m", at)?.input;
    expect([inputAt(Date.UTC(2024, 11, 31)), inputAt(Date.UTC(2025, 5, 1)), inputAt(NOW)]).toEqual([undefined, 2, 4]);
  });

  it.each([
    ["flex", "flex"],
    [" Priority ", "priority"],
    ["BATCH", "batch"],
    ["auto", undefined],
    ["default", undefined],
    ["standard", undefined],
    ["on_demand", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("a tier named %s is charged as %s", (tier, expected) => expect(specialTier(tier)).toBe(expected));

  it("at a tier is one's own, under the name of the tier; list prices tell none", () => {
    expect(shipped.find("openai", atTier("gpt-4o", "flex"), NOW)).toBeUndefined();
    expect(shipped.find("anthropic", "claude-3-5-sonnet@20241022", NOW)?.input).toBe(3);
    expect(shipped.find("anthropic", "claude-3-5-sonnet@latest", NOW)?.input).toBe(3);
    const book = createPriceBook([price({ model: "gpt-4o@flex", input: 1.25 })]);
    for (const model of ["gpt-4o", "gpt-4o-2024-08-06", "openai/GPT-4o"]) {
      expect(book.find("openai", atTier(model, "flex"), NOW)?.input).toBe(1.25);
      expect(book.find("openai", atTier(model, "priority"), NOW)).toBeUndefined();
      expect(book.find("openai", model, NOW)?.input).toBe(2.5);
    }
  });

  it("of one's own replaces the shipped one", () => {
    expect(createPriceBook([price({ model: "gpt-4o", input: 77 })]).find("openai", "gpt-4o", NOW)?.input).toBe(77);
  });
});

describe("the cost of a call", () => {
  const cost = (tokens: Partial<RawTokens>, change?: Partial<Price>) => costOf(normalizeTokens(raw(tokens)), price(change));

  it("charges uncached, read, written and produced tokens each at their price", () => {
    expect(cost({ input: 1_000_000, cacheRead: 400_000, cacheWrite: 100_000, output: 50_000 })).toBeCloseTo(1 + 0.2 + 0.25 + 0.5, 12);
  });

  it("charges reasoning once, as part of the completion", () => {
    expect(cost({ input: 0, output: 1_970, reasoning: 956 })).toBeCloseTo(0.0197, 12);
  });

  it("charges cached tokens like others where they have no price of their own", () => {
    expect(cost({ input: 1_000_000, cacheRead: 500_000, output: 0 }, { cacheRead: undefined })).toBeCloseTo(2, 12);
  });

  it("charges what is kept in the cache for an hour at its own price, and never more of it than was written", () => {
    const hour = (cacheWriteHour: number, change?: Partial<Price>) =>
      costOf(
        { prompt: 1_000_000, completion: 0, cacheRead: undefined, cacheWrite: 400_000, cacheWriteHour },
        price({ cacheWriteHour: 4, ...change }),
      );
    expect([hour(0), hour(100_000), hour(400_000), hour(900_000)]).toEqual([2.2, 2.35, 2.8, 2.8]);
    expect(hour(400_000, { cacheWriteHour: undefined })).toBe(2.2);
  });

  it("charges the whole call more where its prompt is longer than the price allows", () => {
    const longContext = { above: 200_000, input: 4, output: 15, cacheRead: 1, cacheWrite: 5 };
    const at = (prompt: number) => cost({ input: prompt, output: 100_000, cacheRead: 100_000 }, { longContext });
    expect(at(200_000)).toBeCloseTo(0.2 + 0.05 + 1, 12);
    expect(at(200_001)).toBeCloseTo(0.400004 + 0.1 + 1.5, 12);
  });

  it("a shipped price of long prompts ends with the day on which it was given up", () => {
    const above = (at: number) => createPriceBook().find("anthropic", "claude-opus-4-6", at)?.longContext?.above;
    expect([above(Date.UTC(2026, 2, 12)), above(Date.UTC(2026, 2, 13))]).toEqual([200_000, undefined]);
  });

  it("a shipped price of long prompts is the higher one", () => {
    const gemini = createPriceBook().find("gcp.gemini", "gemini-2.5-pro", NOW);
    expect(gemini).toMatchObject({ input: 1.25, output: 10, longContext: { above: 200_000, input: 2.5, output: 15 } });
    const claude = createPriceBook().find("anthropic", "claude-sonnet-4-5", NOW);
    expect(claude).toMatchObject({ cacheWrite: 3.75, cacheWriteHour: 6, longContext: { above: 200_000, cacheWriteHour: 12 } });
    type Shipped = (typeof data.prices)[number] & {
      cache_write_1h?: number;
      long_context?: { above: number; input: number; output: number };
    };
    for (const { input, output = 0, cache_write: write, cache_write_1h: hour, long_context: long } of data.prices as Shipped[]) {
      if (hour !== undefined) expect(hour).toBeGreaterThan(write ?? input);
      if (long !== undefined) expect([long.above > 100_000, long.input > input, long.output > output]).toEqual([true, true, true]);
    }
  });

  it("is unknown where a count or a price that it needs is", () => {
    expect(cost({})).toBeUndefined();
    expect(cost({ output: 5 })).toBeUndefined();
    expect(cost({ input: 5 })).toBeUndefined();
    expect(cost({ input: 0, output: 5 }, { output: undefined })).toBeUndefined();
    expect(cost({ input: 5 }, { output: undefined })).toBeCloseTo(0.00001, 12);
  });

  it("never is negative and grows with every count", () => {
    const count = fc.nat({ max: 10_000_000 });
    fc.assert(
      fc.property(count, count, count, (input, output, more) => {
        const before = cost({ input, output }) ?? -1;
        const after = cost({ input: input + more, output }) ?? -1;
        expect(before).toBeGreaterThanOrEqual(0);
        expect(after).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});

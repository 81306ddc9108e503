import { describe, expect, it } from "vitest";
import { attemptsOf } from "../../../collector/refinement/attempts.ts";
import { foldCalls } from "../../../collector/refinement/fold.ts";
import { rowsFromTraces } from "../../support/encoding.ts";
import type { SpanSpec } from "../../support/otlp-json.ts";
import { recording } from "../../support/recordings.ts";
import { generationsOf, toldOf } from "../../support/told.ts";
import { callFactsOf } from "./call-facts.ts";

type Row = Record<string, unknown>;
type Attributes = NonNullable<SpanSpec["attributes"]>;

const json = (value: unknown): string => JSON.stringify(value);
const CHAT: Attributes = { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o" };
const usage = (input: number, output: number): Attributes => ({ "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output });

/** The only row of one span. */
function row(attributes: Attributes, more: Omit<SpanSpec, "id" | "attributes"> = {}): Row {
  const rows = generationsOf({ ...more, attributes });
  expect(rows).toHaveLength(1);
  return rows[0]!;
}
const counts = (each: Row): Row =>
  Object.fromEntries(Object.entries(each).filter(([name, value]) => name.startsWith("tokens_") && value !== null));
const sums = (rows: readonly Row[]): number[] =>
  ["tokens_prompt", "tokens_completion"].map((column) => rows.reduce((sum, each) => sum + Number(each[column] ?? 0), 0));

describe("trap 1: wrappers repeat the usage of the calls within", () => {
  const agent = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.provider.name": "microsoft.agent_framework",
    "gen_ai.request.model": "unknown",
  };

  it("a wrapper of 631 and 35 over a chat of 631 and 35 counts 631 and 35", () => {
    const rows = generationsOf(
      { attributes: { ...agent, ...usage(631, 35) } },
      { parent: "s0", attributes: { ...CHAT, ...usage(631, 35) } },
    );
    expect(sums(rows)).toEqual([631, 35]);
  });

  it.each([
    ["vercel-legacy", "generateText", [21, 18]],
    ["vercel-otel", "generateText-tools-multistep", [96, 52]],
    ["vercel-otel", "agent", [111, 52]],
  ] as const)("%s %s counts what was asked and answered", (client, name, total) => {
    expect(sums(rowsFromTraces(recording(client, name).body).generations)).toEqual(total);
  });

  it("the wrapper keeps its usage in its attributes", () => {
    const { spans } = rowsFromTraces(recording("vercel-otel", "agent").body);
    const wrappers = spans.map((span) => span["attributes"] as Row).filter((each) => each["gen_ai.operation.name"] === "invoke_agent");
    expect(wrappers).toMatchObject([{ "gen_ai.usage.input_tokens": 111 }]);
  });

  it("aggregated usage is no usage", () => {
    const run = { "gen_ai.request.model": "m", "pydantic_ai.all_messages": "[]", "gen_ai.aggregated_usage.input_tokens": 9 };
    expect(generationsOf({ attributes: run })).toEqual([]);
  });
});

describe("trap 2: two instrumentations tell one call", () => {
  const counted = (rows: readonly Row[]) =>
    foldCalls(rows.map(callFactsOf), { parents: new Map(), apart: new Set(), tries: new Set() }).counted.map(({ call }) => call);

  it.each(["messages", "messages-tools", "messages-thinking"])("%s of two instrumentations is folded by the id of its answer", (name) => {
    const { generations } = rowsFromTraces(recording("anthropic-openinference", name).body);
    expect(counted(generations)).toHaveLength(generations.length / 2);
    expect(new Set(counted(generations).map(({ dialect }) => dialect))).toEqual(new Set(["semconv"]));
  });

  it("a call below a call of the same model is the same one, the innermost counts", () => {
    const rows = generationsOf(
      { attributes: { "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o" } },
      { parent: "s0", at: 10, tookMs: 50, attributes: { ...CHAT, "gen_ai.response.model": "gpt-4o-2024-08-06" } },
    );
    expect(counted(rows).map(({ dialect }) => dialect)).toEqual(["semconv"]);
  });

  it("two calls beside each other with other answers are two", () => {
    const rows = generationsOf(
      { parent: "p", attributes: { ...CHAT, "gen_ai.response.id": "a" } },
      { parent: "p", attributes: { ...CHAT, "gen_ai.response.id": "b" } },
    );
    expect(counted(rows)).toHaveLength(2);
  });
});

describe("trap 3: two dialects on one span", () => {
  it.each([
    { ...CHAT, ...usage(39, 5), "openinference.span.kind": "LLM", "llm.token_count.prompt": 39, "llm.token_count.completion": 5 },
    { ...CHAT, ...usage(39, 5), "gen_ai.usage.prompt_tokens": 39, "gen_ai.usage.completion_tokens": 5 },
  ])("one value per concept, never a sum", (attributes) => {
    expect(counts(row(attributes))).toEqual({ tokens_prompt: 39, tokens_completion: 5, tokens_total: 44 });
  });
});

describe("trap 4: cached tokens inside or outside of the input", () => {
  it("5 uncached, 128,955 read and 1,253 written are an input of 130,213", () => {
    const claude = {
      "span.type": "llm_request",
      model: "m",
      input_tokens: 5,
      output_tokens: 1,
      cache_read_tokens: 128_955,
      cache_creation_tokens: 1_253,
    };
    const langfuse = {
      "langfuse.observation.type": "generation",
      "langfuse.observation.usage_details": json({
        input: 5,
        output: 1,
        cache_read_input_tokens: 128_955,
        cache_creation_input_tokens: 1_253,
      }),
    };
    for (const attributes of [claude, langfuse]) {
      expect(counts(row(attributes))).toMatchObject({ tokens_prompt: 130_213, tokens_cache_read: 128_955, tokens_cache_write: 1_253 });
    }
  });

  it("an input of 13,675 with 9,216 cached has 4,459 that were not", () => {
    const { tokens_prompt: input, tokens_cache_read: cached } = row({
      ...CHAT,
      ...usage(13_675, 1),
      "gen_ai.usage.cache_read.input_tokens": 9_216,
    });
    expect([input, cached, Number(input) - Number(cached)]).toEqual([13_675, 9_216, 4_459]);
  });

  it.each([
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cache_read_tokens",
    "gen_ai.usage.input_cached_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "llm.token_count.prompt_details.cache_read",
    "ai.usage.cachedInputTokens",
  ])("%s is a part of the input", (name) => {
    expect(counts(row({ ...CHAT, ...usage(10, 1), [name]: 4 }))).toMatchObject({ tokens_prompt: 10, tokens_cache_read: 4 });
  });

  it("two spellings are one count, the conventions' own first, even where it is 0", () => {
    const both = { "gen_ai.usage.cache_read.input_tokens": 0, "gen_ai.usage.cache_read_input_tokens": 4 };
    expect(counts(row({ ...CHAT, ...usage(10, 1), ...both }))).toMatchObject({ tokens_prompt: 10, tokens_cache_read: 0 });
  });

  it("more cached than input proves that it was outside", () => {
    const attributes = { ...CHAT, ...usage(5, 1), "gen_ai.usage.cache_read.input_tokens": 100 };
    expect(counts(row(attributes))).toMatchObject({ tokens_prompt: 105, tokens_total: 106 });
  });
});

describe("trap 5: reasoning tokens inside or outside of the output", () => {
  const reasoning = (count: number): Attributes => ({ "gen_ai.usage.reasoning.output_tokens": count });

  it("an output of 1,970 of which 956 are reasoning stays 1,970", () => {
    expect(counts(row({ ...CHAT, ...usage(7, 1_970), ...reasoning(956) }))).toMatchObject({
      tokens_completion: 1_970,
      tokens_reasoning: 956,
    });
  });

  it.each([
    ["input + output = total: inside", 287],
    ["input + output + reasoning = total: outside", 95],
  ])("%s", (_, output) => {
    const attributes = { ...CHAT, ...usage(3, output), ...reasoning(192), "gen_ai.usage.total_tokens": 290 };
    expect(counts(row(attributes))).toEqual({ tokens_prompt: 3, tokens_completion: 287, tokens_total: 290, tokens_reasoning: 192 });
  });

  it("details are breakdowns, never added", () => {
    const details = { "gen_ai.usage.details.reasoning_tokens": 956, "gen_ai.usage.details.text_completion_tokens": 1_014 };
    expect(counts(row({ ...CHAT, ...usage(7, 1_970), ...details }))).toMatchObject({ tokens_completion: 1_970, tokens_total: 1_977 });
  });
});

describe("trap 6: a sent cost wins, a computed one knows of caches", () => {
  const priced = { ...CHAT, ...usage(1_000_000, 0) };

  it.each([
    { "operation.cost": 0.36 },
    { "gen_ai.usage.cost": 0.36 },
    { "openinference.span.kind": "LLM", "llm.cost.total": 0.36 },
    { "langfuse.observation.type": "generation", "langfuse.observation.cost_details": json({ input: 0.1, output: 0.26 }) },
  ])("0.36 stays 0.36 in %o", (cost) => {
    expect(row({ ...priced, ...cost })).toMatchObject({ cost_amount: "0.36", cost_currency: "USD", cost_source: "sent" });
  });

  it("a negative cost is none: the price stands in", () => {
    const [known, unknown] = [priced, { ...CHAT, "gen_ai.request.model": "unheard-of", "gen_ai.response.model": "unheard-of" }].map(
      (each) => row({ ...each, "gen_ai.usage.cost": -1 }),
    );
    expect(known).toMatchObject({ cost_amount: row(priced)?.["cost_amount"], cost_source: "computed" });
    expect(unknown?.["cost_amount"]).toBeNull();
  });

  it("cached tokens cost less than others", () => {
    const [full, cached] = [priced, { ...priced, "gen_ai.usage.cache_read.input_tokens": 500_000 }].map((each) => row(each));
    expect([full?.["cost_source"], cached?.["cost_source"]]).toEqual(["computed", "computed"]);
    expect(Number(cached?.["cost_amount"])).toBeLessThan(Number(full?.["cost_amount"]));
    expect(Number(cached?.["cost_amount"])).toBeGreaterThan(Number(full?.["cost_amount"]) / 2);
  });

  it("an unknown price leaves no cost", () => {
    expect(row({ ...priced, "gen_ai.request.model": "nobody-knows-it" })["cost_amount"]).toBeNull();
  });
});

it("trap 7: image tokens from a table of sizes are marked as estimated and charge nothing", () => {
  const [image] = rowsFromTraces(recording("traceloop", "images.2").body).generations;
  expect(image).toMatchObject({ tokens_completion: 2112, additional_metadata: { tokens_estimated: true }, cost_amount: null });
});

it("trap 8: a stream in two spans is one call, the half with the answer", () => {
  const request = json({ model: "gpt-4o", messages: [{ role: "user", content: "Hi" }], stream: true });
  const rows = generationsOf(
    { name: "Chat Completion with 'gpt-4o'", attributes: { ...CHAT, "logfire.span_type": "span", request_data: request } },
    {
      name: "streaming response from 'gpt-4o' took 1.5s",
      attributes: {
        ...CHAT,
        ...usage(7, 5),
        "logfire.span_type": "log",
        request_data: request,
        response_data: json({ combined_chunk_content: "Ho" }),
      },
    },
  );
  expect(sums(rows)).toEqual([7, 5]);
  expect(rows).toHaveLength(1);
});

describe("trap 9: a span that still runs", () => {
  it("is announced under the key that its end will have", () => {
    const [pending, ended] = rowsFromTraces(recording("logfire", "span-callback").body).generations;
    expect([pending?.["generation_status"], ended?.["generation_status"]]).toEqual(["pending", "success"]);
    expect([pending?.["span_id"], pending?.["start_time"]]).toEqual([ended?.["span_id"], ended?.["start_time"]]);
  });
});

describe("trap 28: attempts of one call", () => {
  it("LiveKit and the conventions count resends", () => {
    expect(toldOf({ name: "llm_request", attributes: { ...CHAT, "lk.retry_count": 2 } })).toMatchObject([{ attempts_count: 3 }]);
    expect(toldOf({ attributes: { ...CHAT, "http.request.resend_count": 1 } })).toMatchObject([{ attempts_count: 2 }]);
  });

  it("failed calls right before one of the same parent are its attempts", () => {
    const failed = { parent: "p", error: "overloaded", attributes: { ...CHAT, "error.type": "overloaded" } };
    const rows = generationsOf(
      { ...failed, at: 0, tookMs: 10 },
      { ...failed, at: 20, tookMs: 10, attributes: { ...failed.attributes, "gen_ai.request.model": "gpt-4o-mini" } },
      { parent: "p", at: 40, attributes: { ...CHAT, "gen_ai.request.model": "claude" } },
    );
    const calls = rows.map((row) => ({ call: callFactsOf(row), twins: [] }));
    const attempts = attemptsOf(calls[2]!, [], calls);
    expect(attempts?.map(({ number, model, success }) => [number, model, success])).toEqual([
      [1, "gpt-4o", false],
      [2, "gpt-4o-mini", false],
      [3, "claude", true],
    ]);
  });
});

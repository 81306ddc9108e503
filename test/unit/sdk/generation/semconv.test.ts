import { describe, expect, it } from "vitest";
import { type GenerationStart, generate, read, startGeneration } from "../../../../sdk/index.ts";
import { recorded } from "../../../support/sdk/recorded.ts";
import { faultsOf } from "../../../support/sdk/semconv-oracle.ts";
import type { SunkSpan } from "../../../support/sdk/sink.ts";

const FULL: GenerationStart = {
  model: "gpt-5-nano",
  provider: "openai",
  prompt: { name: "riddle", version: "3", modules: ["base"], variables: { level: 3, nested: { a: 1n }, word: "stone" } },
  messages: [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "What is it?" },
        { type: "image_url", image_url: { url: "data:image/png;base64,aGVsbG8=" } },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c1", type: "function", function: { name: "look", arguments: '{"at":"it"}' } }],
    },
    { role: "tool", tool_call_id: "c1", content: "a stone" },
  ],
  system: "You pose riddles.",
  tools: [{ type: "function", name: "look", parameters: { type: "object" } }],
  params: {
    temperature: 1,
    maxTokens: 500,
    topP: 0.9,
    topK: 40,
    frequencyPenalty: 0,
    presencePenalty: 0.5,
    seed: 7,
    stop: "END",
    reasoningEffort: "low",
    choices: 2,
    outputType: "text",
  },
  stream: true,
  conversationId: "c-1",
  userId: "u-1",
  entity: { type: "riddle", id: 5 },
  metadata: { a: 1 },
};

const ANSWER = {
  id: "chatcmpl-1",
  model: "gpt-5-nano-2025-08-07",
  created: 1_763_000_000,
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "A stone.", reasoning_content: "Hm." } }],
  usage: {
    prompt_tokens: 20,
    completion_tokens: 9,
    total_tokens: 29,
    completion_tokens_details: { reasoning_tokens: 4 },
    prompt_tokens_details: { cached_tokens: 3 },
  },
};

describe("records of generations, by the semantic conventions themselves", () => {
  it("have no fault with everything that can be said", async () => {
    const { generations } = await recorded(() =>
      generate(FULL, async (generation) => {
        generation.firstToken();
        return ANSWER;
      }),
    );
    expect(generations.map(faultsOf)).toEqual([[]]);
    const names = Object.keys(generations[0]!.attributes).filter((name) => name.startsWith("gen_ai."));
    expect(names.length).toBeGreaterThan(28);
  });

  it.each<[string, GenerationStart]>([
    ["the least that can be said", { model: "claude-sonnet-5" }],
    ["one plain text", { model: "m", provider: "own", prompt: { text: "Why?" } }],
    ["embeddings", { model: "e", provider: "own", operation: "embeddings", messages: [{ role: "user", content: "text" }] }],
    ["parameters that are no numbers", { model: "m", provider: "own", params: { temperature: Number.NaN, maxTokens: 10.4 } }],
  ])("have no fault with %s", async (_, start) => {
    const { generations } = await recorded(() => startGeneration(start).succeed({ text: "ok" }));
    expect(generations.map(faultsOf)).toEqual([[]]);
  });

  it.each([
    ["an error", (g: ReturnType<typeof startGeneration>) => g.fail(new TypeError("no"))],
    ["a time-out", (g: ReturnType<typeof startGeneration>) => g.timeout()],
    ["a cancellation", (g: ReturnType<typeof startGeneration>) => g.cancel()],
    ["an abandoned scope", (g: ReturnType<typeof startGeneration>) => g[Symbol.dispose]()],
  ])("have no fault after %s", async (_, end) => {
    const { generations } = await recorded(() => end(startGeneration(FULL)));
    expect(generations.map(faultsOf)).toEqual([[]]);
  });

  it("have no fault with content switched off, and no content", async () => {
    const { generations } = await recorded(() => generate(FULL, () => ANSWER, read.openaiChat), { content: "metadata" });
    expect(generations.map(faultsOf)).toEqual([[]]);
    expect(JSON.stringify(generations)).not.toMatch(/stone|riddles|What is it/);
  });

  it("say their exception as the conventions do", async () => {
    const { generations } = await recorded(() => startGeneration(FULL).fail(new TypeError("no")));
    expect(generations[0]!.events).toEqual([
      {
        name: "exception",
        attributes: {
          "exception.type": "TypeError",
          "exception.message": "no",
          "exception.stacktrace": expect.stringContaining("TypeError: no"),
        },
      },
    ]);
  });
});

describe("the oracle itself", () => {
  it("finds what is wrong", async () => {
    const { generations } = await recorded(() => startGeneration(FULL).succeed({ text: "ok" }));
    const [good] = generations;
    const wrong = (attributes: Record<string, unknown>, more: Partial<SunkSpan> = {}): string[] =>
      faultsOf({ ...good!, ...more, attributes: { ...good!.attributes, ...attributes } });
    expect(wrong({ "gen_ai.system": "openai" })).toEqual(["gen_ai.system has been replaced"]);
    expect(wrong({ "gen_ai.request.seed": "7" })).toEqual(["gen_ai.request.seed is no int"]);
    expect(wrong({ "gen_ai.made.up": 1 })).toEqual(["gen_ai.made.up is no attribute of an inference span"]);
    expect(wrong({ "gen_ai.provider.name": undefined })).toContain("gen_ai.provider.name is missing");
    expect(wrong({}, { kind: 1, name: "x" })).toHaveLength(2);
    expect(wrong({ "error.type": "x" })).toHaveLength(1);
    expect(wrong({ "gen_ai.input.messages": '[{"role":"user","content":"a"}]' })).toHaveLength(1);
  });
});

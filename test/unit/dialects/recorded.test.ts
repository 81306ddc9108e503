import { describe, expect, it } from "vitest";
import { rowsFromTraces } from "../../support/encoding.ts";
import { recording, recordingsOf } from "../../support/recordings.ts";

const ANSWER = "The quick brown fox answers politely. Grüße, 你好, emoji 🎉 included.";
const MINI = { model_name: "gpt-4o-mini", response_model: "gpt-4o-mini-2024-07-18" };
const counts = (input: number, output: number) => ({ tokens_prompt: input, tokens_completion: output, tokens_total: input + output });

type Row = Record<string, unknown>;

const callsOf = (client: string, name: string): Row[] => rowsFromTraces(recording(client, name).body).generations;
const spansOf = (client: string): string[] =>
  recordingsOf(client)
    .filter(({ path }) => path.endsWith("/v1/traces"))
    .map(({ name }) => name);

const textIn = (content: unknown, type = "text"): string[] =>
  (JSON.parse(String(content)) as { parts: Row[] }[]).flatMap(({ parts }) =>
    parts.filter((part) => part["type"] === type).map((part) => String(part["content"])),
  );
const rolesIn = (content: unknown): string[] => (JSON.parse(String(content)) as { role: string }[]).map(({ role }) => role);
const toolCallsIn = (content: unknown): unknown[] =>
  (JSON.parse(String(content)) as { parts: Row[] }[]).flatMap(({ parts }) => parts.filter((part) => part["type"] === "tool_call"));

/** What the cases of the OpenAI clients asked for and what the provider answered: the same whatever instrumentation looked on. */
const CHAT: Readonly<Record<string, Row>> = {
  chat: { ...MINI, ...counts(29, 18), response_finish_reason: "stop", model_temperature: 0.7, model_max_tokens: 200 },
  "chat-10kb": { ...MINI, ...counts(2633, 18), response_finish_reason: "stop" },
  "chat-429-retry-ok": { model_name: "fake-429-then-ok", ...counts(29, 18), response_finish_reason: "stop" },
  "chat-content-filter": { model_name: "fake-filter", ...counts(29, 1), response_finish_reason: "content_filter" },
  "chat-json-schema": { ...MINI, ...counts(29, 14), response_finish_reason: "stop" },
  "chat-length": { model_name: "fake-length", ...counts(29, 3), response_finish_reason: "length" },
  "chat-multimodal": { ...MINI, ...counts(37, 18), response_finish_reason: "stop" },
  "chat-n2": { ...MINI, ...counts(29, 36), response_finish_reason: "stop" },
  "chat-parse": { ...MINI, ...counts(29, 14), response_finish_reason: "stop" },
  "chat-reasoning": {
    model_name: "gpt-5-nano-reason",
    response_model: "gpt-5-nano-2025-08-07",
    ...counts(29, 146),
    response_finish_reason: "stop",
  },
  "chat-refusal": { model_name: "fake-refuse", ...counts(29, 1), response_finish_reason: "stop" },
  responses: { model_name: "gpt-5-nano", response_model: "gpt-5-nano-2025-08-07", ...counts(3, 287), response_finish_reason: "stop" },
  "responses-image-tool": { model_name: "gpt-4o", ...counts(3, 46), response_finish_reason: "stop" },
};

describe.each([
  ["openinference-openai", "openinference"],
  ["traceloop", "semconv"],
])("bodies recorded from %s", (client, dialect) => {
  const cases = Object.entries(CHAT).filter(([name]) => spansOf(client).includes(name));

  it("cover the cases", () => expect(cases.length).toBeGreaterThanOrEqual(13));

  it.each(cases)("%s is one call with the model, counts and reason that the provider gave", (name, expected) => {
    const calls = callsOf(client, name);
    expect(calls).toHaveLength(1);
    const { model_temperature: _t, model_max_tokens: _m, ...told } = expected;
    expect(calls[0]).toMatchObject({
      ...(client === "traceloop" ? told : expected),
      dialect,
      operation_name: "chat",
      provider_name: "openai",
      generation_status: "success",
      prompt_format: "messages",
      response_format: "messages",
      content_state: "captured",
    });
    expect(calls[0]?.["response_id"]).toMatch(/^(chatcmpl|resp)-fake/);
  });

  it("the question is the prompt and the answer the response, with every character", () => {
    const [call] = callsOf(client, "chat");
    expect(rolesIn(call?.["prompt_full_text"])).toEqual(["system", "user"]);
    expect(textIn(call?.["prompt_full_text"])).toEqual(["You are a terse assistant.", 'Define "fox". Grüße 你好 🎉']);
    expect(textIn(call?.["response_full_text"])).toEqual([ANSWER]);
  });

  it("an image of the question is a reference to its bytes", () => {
    const [call] = callsOf(client, "chat-multimodal");
    expect(String(call?.["prompt_full_text"])).toMatch(/"uri":"genspan-blob:[0-9a-f]{64}"/);
    expect(textIn(call?.["prompt_full_text"])).toEqual(["What is this?"]);
  });
});

describe("OpenInference of the OpenAI client", () => {
  it("an announced stream without usage, then a call of a tool, then its answer, are three calls", () => {
    const calls = callsOf("openinference-openai", "chat-tools");
    expect(calls.map((call) => [call["tokens_prompt"], call["tokens_completion"], call["response_finish_reason"]])).toEqual([
      [null, null, "stop"],
      [29, 34, "tool_call"],
      [102, 18, "stop"],
    ]);
    expect(toolCallsIn(calls[1]?.["response_full_text"])).toEqual([
      { type: "tool_call", id: "call-fake000445", name: "get_weather", arguments: { city: "Utrecht", unit: "celsius" } },
    ]);
    expect(rolesIn(calls[2]?.["prompt_full_text"])).toEqual(["system", "user", "assistant", "tool"]);
    expect(JSON.parse(String(calls[1]?.["tool_definitions"]))).toMatchObject([{ function: { name: "get_weather" } }]);
  });

  it("reasoning is part of the completion", () => {
    expect(callsOf("openinference-openai", "chat-reasoning")[0]).toMatchObject({ tokens_completion: 146, tokens_reasoning: 128 });
    expect(callsOf("openinference-openai", "responses")[0]).toMatchObject({ tokens_completion: 287, tokens_reasoning: 192 });
  });

  it("template, session and user of the context reach the row", () => {
    expect(callsOf("openinference-openai", "chat-context")[0]).toMatchObject({
      prompt_template_version: "2.1",
      prompt_variables: { term: "fox" },
      conversation_id: "s-1",
      user_id: "u-1",
      additional_metadata: { definitie_id: 456 },
    });
  });

  it("a refusal is the answer", () => {
    expect(textIn(callsOf("openinference-openai", "chat-refusal")[0]?.["response_full_text"])).toEqual(["I cannot help with that."]);
  });

  it("an image made by a tool is a reference to its bytes", () => {
    expect(String(callsOf("openinference-openai", "responses-image-tool")[0]?.["response_full_text"])).toContain('"uri":"genspan-blob:');
  });

  it("an embedding is a call whose prompt is its texts, without the vectors", () => {
    expect(callsOf("openinference-openai", "embeddings")).toMatchObject([
      {
        operation_name: "embeddings",
        model_name: "text-embedding-3-small",
        prompt_full_text: '["a","b"]',
        response_full_text: null,
        content_state: "captured",
      },
    ]);
  });

  it("a conversation whose answer was dropped by its sender keeps all its messages and says that it is incomplete", () => {
    const [call] = callsOf("openinference-longchat", "chat-100-messages");
    expect(rolesIn(call?.["prompt_full_text"])).toHaveLength(100);
    expect(call).toMatchObject({ response_full_text: null, content_state: "truncated" });
  });
});

describe("Traceloop beyond the conventions", () => {
  it("a span made by hand is a call with its indexed prompt", () => {
    expect(callsOf("traceloop", "manual-llm")).toMatchObject([
      { dialect: "traceloop", operation_name: "chat", model_name: "m-1", tokens_prompt: 1, tokens_completion: 2, tokens_total: 3 },
    ]);
    expect(textIn(callsOf("traceloop", "manual-llm")[0]?.["prompt_full_text"])).toEqual(["hi"]);
  });

  it("counts of image calls are marked as estimated and charge nothing", () => {
    expect(callsOf("traceloop", "images.2")).toMatchObject([
      {
        operation_name: "image_generation",
        model_name: "gpt-image-1",
        additional_metadata: { tokens_estimated: true },
        cost_amount: null,
        model_parameters: { "image.size": "1024x1024", "image.quality": "low", "image.count": 2 },
      },
    ]);
  });

  it("an exception on a span without a status is a failure", () => {
    expect(callsOf("traceloop", "images-500")[0]).toMatchObject({
      generation_status: "failed",
      error_type: "Error",
      error_message: "500 The server had an error while processing your request",
    });
  });

  it.each(["workflow.2", "workflow.3", "workflow-agent-tool", "workflow-agent-tool.2"])(
    "%s has wrappers only and counts nothing",
    (name) => {
      expect(callsOf("traceloop", name)).toEqual([]);
    },
  );
});

describe("Anthropic's client", () => {
  const cached = { ...counts(1010, 24), tokens_cache_read: 900, tokens_cache_write: 100 };

  it.each([
    ["messages", { ...cached, response_finish_reason: "end_turn" }],
    ["messages-thinking", { ...counts(1010, 45), tokens_cache_read: 900, tokens_cache_write: 100, response_finish_reason: "end_turn" }],
    ["messages-stream-helper", { response_finish_reason: "end_turn" }],
  ])("%s counts cached tokens once and has its own reason", (name, expected) => {
    expect(callsOf("anthropic-native-content", name)[0]).toMatchObject({
      operation_name: "chat",
      provider_name: "anthropic",
      model_name: "claude-sonnet-4-5",
      generation_status: "success",
      ...expected,
    });
  });

  it("thoughts are reasoning, not answer", () => {
    const [call] = callsOf("anthropic-native-content", "messages-thinking");
    expect(call?.["reasoning_content"]).toBe("Let me think about the fox.");
    expect(textIn(call?.["response_full_text"])).toEqual([ANSWER]);
  });

  it("a call that was sent again says how often", () => {
    expect(callsOf("anthropic-native-content", "messages-529")[0]).toMatchObject({
      generation_status: "failed",
      error_type: "overloaded_error",
      attempts_count: 2,
    });
  });

  it("seen by OpenInference as well is two rows of one response, to be folded", () => {
    const calls = callsOf("anthropic-openinference", "messages");
    expect(calls.map((call) => call["dialect"])).toEqual(["openinference", "semconv"]);
    expect(calls[0]?.["response_id"]).toBe(calls[1]?.["response_id"]);
    for (const call of calls) expect(call).toMatchObject(cached);
  });
});

describe("the Vercel AI SDK's own attributes", () => {
  const call = (name: string): Row => {
    const calls = callsOf("vercel-legacy", name);
    expect(calls).toHaveLength(1);
    return calls[0]!;
  };
  const common = { dialect: "vercel-ai", provider_name: "openai", generation_status: "success" };

  it.each([
    ["generateText", { ...MINI, ...counts(21, 18), response_finish_reason: "stop" }],
    ["generateObject", { ...MINI, ...counts(11, 14), response_finish_reason: "stop" }],
    ["generateText-output", { ...MINI, ...counts(11, 14) }],
    ["generateText-429-retry-ok", { model_name: "fake-429-then-ok", ...counts(8, 18) }],
    ["generateText-image-input", { ...MINI, ...counts(56, 18) }],
    ["streamText", { ...MINI, ...counts(10, 18), response_finish_reason: "stop" }],
    ["generateText-responses", { model_name: "gpt-5-nano", ...counts(18, 287), tokens_reasoning: 192 }],
    ["streamText-responses", { model_name: "gpt-5-nano", ...counts(18, 287), tokens_reasoning: 192 }],
  ])("%s counts the inner span and not the one around it", (name, expected) => {
    expect(call(name)).toMatchObject({ ...common, ...expected, operation_name: "chat", content_state: "captured" });
  });

  it.each([
    ["generateText-tools-multistep", [13, 34], [83, 18]],
    ["generateText-tool-error", [13, 34], [84, 18]],
    ["streamText-tools", [10, 34], [80, 18]],
    ["agent", [20, 34], [91, 18]],
  ])("%s is two calls, each with its own counts", (name, first, second) => {
    const calls = callsOf("vercel-legacy", name);
    expect(calls.map((each) => [each["tokens_prompt"], each["tokens_completion"]])).toEqual([first, second]);
    expect(calls.map((each) => each["response_finish_reason"])).toEqual(["tool_call", "stop"]);
    expect(toolCallsIn(calls[0]?.["response_full_text"])).toMatchObject([
      { name: "get_weather", arguments: { city: "Utrecht", unit: "celsius" } },
    ]);
    expect(JSON.parse(String(calls[0]?.["tool_definitions"]))).toMatchObject([{ type: "function", name: "get_weather" }]);
  });

  it.each([
    ["embed", "a", 2],
    ["embedMany", '["a","b"]', 3],
  ])("%s is one embedding call", (name, prompt, tokens) => {
    expect(call(name)).toMatchObject({
      ...common,
      operation_name: "embeddings",
      prompt_full_text: prompt,
      tokens_prompt: tokens,
      response_full_text: null,
    });
  });

  it.each([
    ["generateText-400", "failed", "AI_APICallError"],
    ["generateText-500", "failed", "AI_RetryError"],
    ["generateText-timeout", "timeout", "TimeoutError"],
  ])("%s ends as %s", (name, status, type) => {
    expect(call(name)).toMatchObject({ generation_status: status, error_type: type });
  });

  it("the system prompt, reasoning and the time to the first token are there", () => {
    expect(rolesIn(call("generateText")["prompt_full_text"])).toEqual(["system", "user"]);
    expect(call("generateText-responses")["reasoning_content"]).toContain("Considering the fox");
    expect(call("streamText")["time_to_first_token_ms"]).toBeCloseTo(10.085853, 5);
  });

  it("a call that records nothing has no content and says so", () => {
    expect(call("generateText-norecord")).toMatchObject({ ...counts(9, 18), prompt_full_text: null, content_state: "absent" });
  });

  it("content that its sender cut keeps its text and says so", () => {
    for (const each of callsOf("wire-vercel-attrlimit60", "generateText-tools-multistep")) {
      expect(each).toMatchObject({ prompt_format: "text", content_state: "truncated" });
      expect(String(each["prompt_full_text"])).toHaveLength(60);
    }
  });
});

describe("Logfire", () => {
  it("spans that are no model calls make no rows, pending or not", () => {
    for (const name of ["pending", "pending.2", "log-error"]) expect(callsOf("logfire", name)).toEqual([]);
  });
});

describe("a span of Logfire that speaks of a model", () => {
  it("is announced and then ended under one key", () => {
    const calls = callsOf("logfire", "span-callback");
    expect(calls.map((call) => call["generation_status"])).toEqual(["pending", "success"]);
    expect(calls[0]?.["span_id"]).toBe(calls[1]?.["span_id"]);
    expect(calls[0]?.["start_time"]).toEqual(calls[1]?.["start_time"]);
    expect(calls[0]?.["parent_span_id"]).toBeNull();
  });
});

describe("an instrumentation that captures no content", () => {
  it("leaves prompt and response unknown and keeps the counts", () => {
    const names = spansOf("otel-openai-nocontent").filter((name) => callsOf("otel-openai-nocontent", name).length > 0);
    expect(names.length).toBeGreaterThan(2);
    for (const each of names.flatMap((name) => callsOf("otel-openai-nocontent", name))) {
      expect(each).toMatchObject({ prompt_full_text: null, response_full_text: null, content_state: "absent" });
    }
  });
});

import { describe, expect, it } from "vitest";
import { rowsFromTraces } from "../../support/encoding.ts";
import { recording } from "../../support/recordings.ts";

const MINI = { model_name: "gpt-4o-mini", response_model: "gpt-4o-mini-2024-07-18" };
const counts = (input: number, output: number) => ({ tokens_prompt: input, tokens_completion: output, tokens_total: input + output });

type Row = Record<string, unknown>;

const callsOf = (client: string, name: string): Row[] => rowsFromTraces(recording(client, name).body).generations;
const rolesIn = (content: unknown): string[] => (JSON.parse(String(content)) as { role: string }[]).map(({ role }) => role);
const toolCallsIn = (content: unknown): unknown[] =>
  (JSON.parse(String(content)) as { parts: Row[] }[]).flatMap(({ parts }) => parts.filter((part) => part["type"] === "tool_call"));

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

import { describe, expect, it } from "vitest";
import { encodeBody, rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { recording, recordingsOf } from "../../support/recordings.ts";

const onlyGeneration = (client: string, name: string) => {
  const { generations } = rowsFromTraces(recording(client, name).body);
  expect(generations).toHaveLength(1);
  return generations[0]!;
};

const parts = (text: unknown): unknown => JSON.parse(text as string);

describe("bodies recorded from OpenTelemetry's instrumentation of the OpenAI client", () => {
  it("a chat call keeps every parameter it was asked with", () => {
    expect(onlyGeneration("otel-openai", "chat")).toMatchObject({
      operation_name: "chat",
      provider_name: "openai",
      model_name: "gpt-4o-mini",
      model_temperature: 0.7,
      model_max_tokens: 200,
      model_top_p: 0.9,
      model_frequency_penalty: 0.1,
      model_presence_penalty: 0.2,
      model_stop_sequences: ["\n\n"],
      response_finish_reason: "stop",
      generation_status: "success",
      content_state: "absent",
      dialect: "semconv",
    });
  });

  it("tokens are those the provider reported", () => {
    const row = onlyGeneration("otel-openai", "chat");
    expect(row["tokens_prompt"]).toBeGreaterThan(0);
    expect(row["tokens_completion"]).toBeGreaterThan(0);
    expect(row["tokens_total"]).toBe(Number(row["tokens_prompt"]) + Number(row["tokens_completion"]));
  });

  it.each([
    ["chat-500", "failed"],
    ["chat-400", "failed"],
    ["chat-429", "failed"],
    ["chat-timeout", "timeout"],
  ])("%s ends as %s with the client's error class", (name, status) => {
    const row = onlyGeneration("otel-openai", name);
    expect(row["generation_status"]).toBe(status);
    expect(row["error_type"]).toMatch(/Error$/);
    expect(row["error_message"]).toBeTruthy();
    expect(row["tokens_prompt"]).toBeNull();
  });

  it("two calls of one tool conversation are two rows, the first ending in a tool call", () => {
    const { generations } = rowsFromTraces(recording("otel-openai", "chat-tools").body);
    expect(generations.map((row) => row["response_finish_reason"])).toEqual(["tool_call", "stop"]);
  });

  it("an answer cut off by its length says so", () => {
    expect(onlyGeneration("otel-openai", "chat-length")["response_finish_reason"]).toBe("length");
  });

  it("embeddings are one call without completion tokens", () => {
    const row = onlyGeneration("otel-openai", "embeddings");
    expect(row).toMatchObject({ operation_name: "embeddings", model_name: "text-embedding-3-small", tokens_completion: null });
    expect(row["tokens_prompt"]).toBeGreaterThan(0);
    expect(row["tokens_total"]).toBe(row["tokens_prompt"]);
  });

  it("prompts travel as log records that name their span", () => {
    const span = rowsFromTraces(recording("otel-openai", "chat").body).spans[0]!;
    const logs = rowsOf(encodeBody(recording("otel-openai", "chat.2").body, "logs"), "log_records");
    expect(logs.map((row) => row["event_name"])).toEqual(["gen_ai.system.message", "gen_ai.user.message", "gen_ai.choice"]);
    for (const log of logs) expect(log).toMatchObject({ trace_id: span["trace_id"], span_id: span["span_id"] });
    expect(logs[1]!["body"]).toMatchObject({ content: 'Define "fox". Grüße 你好 🎉' });
  });
});

describe("bodies recorded from the Vercel AI SDK", () => {
  it("generateText: the chat step alone is a generation, with prompt and answer word for word", () => {
    const { spans, generations } = rowsFromTraces(recording("vercel-otel", "generateText").body);
    expect(spans.map((row) => (row["attributes"] as Record<string, unknown>)["gen_ai.operation.name"]).sort()).toEqual([
      "agent_step",
      "chat",
      "invoke_agent",
    ]);
    expect(generations).toHaveLength(1);
    const row = generations[0]!;
    expect(row).toMatchObject({
      operation_name: "chat",
      model_name: "gpt-4o-mini",
      model_temperature: 0.7,

      prompt_format: "messages",
    });
    expect(JSON.stringify([parts(row["prompt_full_text"]), row["system_instructions"]])).toContain("You are terse");
    expect(parts(row["prompt_full_text"])).toContainEqual({ role: "user", parts: [{ type: "text", content: "Define fox" }] });
    expect(row["content_state"]).toBe("captured");
  });

  it("moved content leaves the attributes of the span and the span says what moved", () => {
    const { spans, generations } = rowsFromTraces(recording("vercel-otel", "generateText").body);
    const span = spans.find((row) => row["span_id"] === generations[0]!["span_id"])!;
    expect(Object.keys(span["attributes"] as object)).not.toContain("gen_ai.input.messages");
    expect(Number(span["content_moved"]) & 3).toBe(3);
    const wrapper = spans.find((row) => (row["attributes"] as Record<string, unknown>)["gen_ai.operation.name"] === "invoke_agent")!;
    expect(Object.keys(wrapper["attributes"] as object)).toContain("gen_ai.input.messages");
    expect(wrapper["content_moved"]).toBeNull();
  });

  it("a conversation of several steps counts each call once and the totals of its wrappers never", () => {
    const { spans, generations } = rowsFromTraces(recording("vercel-otel", "generateText-tools-multistep").body);
    const usage = (row: Record<string, unknown>): number =>
      Number((row["attributes"] as Record<string, unknown>)["gen_ai.usage.input_tokens"] ?? 0);
    const agent = spans.find((row) => (row["attributes"] as Record<string, unknown>)["gen_ai.operation.name"] === "invoke_agent")!;
    expect(generations).toHaveLength(2);
    expect(generations.reduce((sum, row) => sum + Number(row["tokens_prompt"]), 0)).toBe(usage(agent));
  });

  it("a reasoning part becomes reasoning_content", () => {
    const row = onlyGeneration("vercel-otel", "generateText-responses");
    expect(row["reasoning_content"]).toContain("I weigh two readings of the sentence.");
  });

  it("inputs that were not to be recorded are absent, not empty", () => {
    const row = onlyGeneration("vercel-otel", "generateText-norecord");
    expect(row).toMatchObject({ prompt_full_text: null, response_full_text: null, content_state: "absent" });
    expect(JSON.stringify(row, (_, value) => (typeof value === "bigint" ? String(value) : value))).not.toContain("secret");
  });
});

describe("every recorded body", () => {
  const all = ["otel-openai", "vercel-otel", "nodesdk-defaults", "wire-vercel-gzip-proto"].flatMap(recordingsOf);

  it("is there", () => {
    expect(all.length).toBeGreaterThan(80);
  });

  it.each(all.filter(({ path }) => path === "/v1/traces").map((each) => [`${each.client}/${each.name}`, each] as const))(
    "%s: each span is a row that PostgreSQL's formats accept",
    (_, { body }) => {
      const { spans, request } = rowsFromTraces(body);
      expect(request.refusedItems).toEqual([]);
      expect(spans).toHaveLength(request.received);
      expect(spans.length).toBeGreaterThan(0);
      for (const span of spans) {
        expect(span["trace_id"]).toMatch(/^[0-9a-f]{32}$/);
        expect(span["span_id"]).toMatch(/^[0-9a-f]{16}$/);
        expect(span["ingest_notes"]).toBeNull();
        expect(Number(span["duration_ns"])).toBeGreaterThanOrEqual(0);
      }
    },
  );
});

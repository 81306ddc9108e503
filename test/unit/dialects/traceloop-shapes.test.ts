import { describe, expect, it } from "vitest";
import { message, text } from "../../support/openai-cases.ts";
import type { SpanSpec } from "../../support/otlp-json.ts";
import { generationsOf, toldOf } from "../../support/told.ts";

type Row = Record<string, unknown>;
type Attributes = NonNullable<SpanSpec["attributes"]>;

function call(attributes: Attributes): Row {
  const rows = toldOf({ attributes: { "llm.request.type": "chat", "gen_ai.request.model": "m", ...attributes } });
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

describe("a Traceloop span", () => {
  it.each(["workflow", "task", "agent", "tool", "session"])("of kind %s is counted nowhere, whatever usage it repeats", (kind) => {
    const usage = { "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 9, "llm.request.type": "chat" };
    expect(toldOf({ attributes: { "traceloop.span.kind": kind, ...usage } })).toEqual([]);
  });

  it.each([
    ["chat", "chat"],
    ["completion", "text_completion"],
    ["embedding", "embeddings"],
    ["rerank", "rerank"],
  ])("of type %s is a call of %s", (type, operation) => {
    expect(call({ "llm.request.type": type })["operation_name"]).toBe(operation);
  });

  it("of a vector database is no call", () => {
    expect(toldOf({ attributes: { "db.system": "pinecone", "traceloop.entity.name": "query", "db.vector.query.top_k": 3 } })).toEqual([]);
  });
});

describe("indexed messages", () => {
  it("are read with calls of tools and their results", () => {
    expect(
      call({
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be terse",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": '[{"type":"text","text":"Weather?"}]',
        "gen_ai.prompt.2.role": "assistant",
        "gen_ai.prompt.2.tool_calls.0.id": "c1",
        "gen_ai.prompt.2.tool_calls.0.name": "get_weather",
        "gen_ai.prompt.2.tool_calls.0.arguments": '{"city":"Utrecht"}',
        "gen_ai.prompt.3.role": "tool",
        "gen_ai.prompt.3.tool_call_id": "c1",
        "gen_ai.prompt.3.content": "12C",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "12 degrees",
        "gen_ai.completion.0.finish_reason": "stop",
      }),
    ).toMatchObject({
      prompt_full_text: [
        message("system", text("Be terse")),
        message("user", text("Weather?")),
        message("assistant", { type: "tool_call", id: "c1", name: "get_weather", arguments: { city: "Utrecht" } }),
        message("tool", { type: "tool_call_response", id: "c1", response: "12C" }),
      ],
      response_full_text: [{ ...message("assistant", text("12 degrees")), finish_reason: "stop" }],
      response_finish_reason: "stop",
    });
  });

  it("give way to messages of the conventions on the same span", () => {
    const current = JSON.stringify([message("user", text("the whole"))]);
    expect(call({ "gen_ai.input.messages": current, "gen_ai.prompt.0.content": "a part" })["prompt_full_text"]).toEqual([
      message("user", text("the whole")),
    ]);
  });

  it("are told from the attribute of the same name without an index", () => {
    expect(call({ "gen_ai.prompt": '[{"role":"user","content":"Hi"}]' })["prompt_full_text"]).toEqual([message("user", text("Hi"))]);
    expect(call({ "gen_ai.prompt": "Hi" })["prompt_full_text"]).toBe("Hi");
  });

  it("with endless indexes, gaps and names of prototypes do no harm", () => {
    const row = call({
      "gen_ai.prompt.999999999.content": "far",
      "gen_ai.prompt.0.content": "near",
      "gen_ai.prompt.__proto__.content": "no",
      "gen_ai.prompt.constructor.prototype.polluted": "no",
    });
    expect(row["prompt_full_text"]).toEqual([message("user", text("near")), message("user", text("far"))]);
    expect(({} as Row)["polluted"]).toBeUndefined();
  });

  it.each(["gen_ai.prompt.name", "gen_ai.prompt.count", "gen_ai.prompt.__proto__.role", "gen_ai.prompt.99999999999999999999.role"])(
    "are read beside %s",
    (name) => {
      const told = call({ "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Hi", [name]: "greeting" });
      expect(told["prompt_full_text"]).toEqual([message("user", text("Hi"))]);
    },
  );

  it("come in the order of their indexes, however large these are", () => {
    const told = call({ "gen_ai.prompt.9999999999.content": "second", "gen_ai.prompt.0.content": "first" });
    expect(told["prompt_full_text"]).toEqual([message("user", text("first")), message("user", text("second"))]);
  });

  it("whose content is JSON that was cut keep it as text", () => {
    expect(call({ "gen_ai.prompt.0.content": '[{"type":"text","text":"Wea' })["prompt_full_text"]).toEqual([
      message("user", text('[{"type":"text","text":"Wea')),
    ]);
  });
});

describe("counts and settings", () => {
  it("of Gemini have thoughts outside of the output: 13 and 32 and 64 are 109", () => {
    expect(
      call({
        "gen_ai.usage.input_tokens": 13,
        "gen_ai.usage.output_tokens": 32,
        "gen_ai.usage.reasoning_tokens": 64,
        "gen_ai.usage.total_tokens": 109,
      }),
    ).toMatchObject({ tokens_prompt: 13, tokens_completion: 96, tokens_reasoning: 64, tokens_total: 109 });
  });

  it("of OpenAI have reasoning inside of the output", () => {
    expect(
      call({
        "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.output_tokens": 1_970,
        "llm.usage.reasoning_tokens": 956,
        "llm.usage.total_tokens": 2_000,
      }),
    ).toMatchObject({ tokens_completion: 1_970, tokens_reasoning: 956, tokens_total: 2_000 });
  });

  it.each([
    [{ "gen_ai.usage.cache_read_input_tokens": 128_955, "gen_ai.usage.cache_creation_input_tokens": 1_253 }],
    [{ "gen_ai.usage.cache_read_input_tokens": 128_955, "gen_ai.usage.cache_write_input_tokens": 1_253 }],
    [
      {
        "gen_ai.usage.cache_read_input_tokens": 128_955,
        "gen_ai.usage.cache_read.input_tokens": 128_955,
        "gen_ai.usage.cache_creation.input_tokens": 1_253,
      },
    ],
  ])("of 5 uncached with %o make a prompt of 130,213", (cached) => {
    expect(call({ "gen_ai.usage.input_tokens": 5, ...cached })).toMatchObject({
      tokens_prompt: 130_213,
      tokens_cache_read: 128_955,
      tokens_cache_write: 1_253,
    });
  });

  it("of old have their own names", () => {
    expect(
      call({
        "llm.frequency_penalty": 0.1,
        "llm.presence_penalty": 0.2,
        "llm.top_k": 5,
        "llm.chat.stop_sequences": ["x"],
        "gen_ai.request.max_completion_tokens": 100,
        "gen_ai.request.reasoning_effort": "low",
        "gen_ai.response.stop_reason": "end_turn",
        "llm.user": "u-1",
        "llm.request.functions.0.name": "get_weather",
        "llm.request.functions.0.parameters": '{"type":"object"}',
        "traceloop.prompt.key": "define",
        "traceloop.prompt.version": 3,
        "traceloop.prompt.template_variables": '{"term":"fox"}',
      }),
    ).toMatchObject({
      model_frequency_penalty: 0.1,
      model_presence_penalty: 0.2,
      model_top_k: 5,
      model_stop_sequences: ["x"],
      model_max_tokens: 100,
      model_reasoning_level: "low",
      response_finish_reason: "end_turn",
      user_id: "u-1",
      tool_definitions: [{ name: "get_weather", parameters: { type: "object" } }],
      prompt_template_name: "define",
      prompt_template_version: "3",
      prompt_variables: { term: "fox" },
    });
  });
});

describe("LangChain under Traceloop", () => {
  const metadata = {
    "gen_ai.system": "Langchain",
    "gen_ai.request.model": "unknown",
    "traceloop.association.properties.ls_provider": "anthropic",
    "traceloop.association.properties.ls_model_name": "claude-sonnet-4-5",
    "traceloop.association.properties.ls_temperature": 0.3,
    "traceloop.association.properties.thread_id": "t-1",
    "traceloop.association.properties.order": "42",
  };

  it("names provider and model in its metadata", () => {
    expect(call(metadata)).toMatchObject({
      provider_name: "anthropic",
      model_name: "claude-sonnet-4-5",
      model_temperature: 0.3,
      conversation_id: "t-1",
      additional_metadata: { order: "42" },
    });
  });

  it("is no provider itself", () => {
    expect(call({ "gen_ai.system": "Langchain" })).not.toHaveProperty("provider_name");
  });
});

it("an image call charges nothing for counts that its instrumentation made up", () => {
  const attributes = {
    "gen_ai.provider.name": "openai",
    "gen_ai.operation.name": "image_generation",
    "gen_ai.request.model": "gpt-image-1",
    "gen_ai.request.image.size": "1024x1024",
    "gen_ai.usage.input_tokens": 6,
    "gen_ai.usage.output_tokens": 2_112,
  };
  expect(generationsOf({ attributes })).toMatchObject([{ cost_amount: null, additional_metadata: { tokens_estimated: true } }]);
});

import { describe, expect, it } from "vitest";
import { message, text } from "../../support/openai-cases.ts";
import type { SpanSpec } from "../../support/otlp-json.ts";
import { generationsOf, toldOf } from "../../support/told.ts";

type Row = Record<string, unknown>;
type Attributes = NonNullable<SpanSpec["attributes"]>;
type Span = Omit<SpanSpec, "id">;

const json = (value: unknown): string => JSON.stringify(value);
const PNG = "iVBORw0KGgo=";
const CHAT = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.system": "openai" };

function only(span: Span): Row {
  const rows = toldOf(span);
  expect(rows).toHaveLength(1);
  return rows[0]!;
}
const call = (attributes: Attributes): Row => only({ attributes: { ...CHAT, ...attributes } });

describe("LiteLLM", () => {
  const request: Span = {
    name: "litellm_request",
    attributes: {
      "gen_ai.system": "openai",
      "gen_ai.request.model": "gpt-4o",
      "llm.request.type": "acompletion",
      "llm.is_streaming": "False",
      "llm.user": "u-1",
      hidden_params: json({ model_id: "x", response_cost: 0.36 }),
      "metadata.user_api_key_hash": "h",
      "gen_ai.prompt.0.role": "user",
      "gen_ai.prompt.0.content": "Hi",
      "gen_ai.completion.0.role": "assistant",
      "gen_ai.completion.0.content": "Ho",
      "gen_ai.completion.0.finish_reason": "stop",
      "gen_ai.usage.prompt_tokens": 7,
      "gen_ai.usage.completion_tokens": 2,
      "gen_ai.usage.total_tokens": 9,
    },
  };
  const raw: Span = {
    name: "raw_gen_ai_request",
    parent: "s0",
    attributes: {
      "llm.openai.model": "gpt-4o",
      "llm.openai.messages": "[]",
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.usage.input_tokens": 7,
    },
  };

  it("is one call, whatever lies below it", () => {
    expect(toldOf(request, raw)).toEqual([
      {
        dialect: "semconv",
        operation_name: "chat",
        provider_name: "openai",
        model_name: "gpt-4o",
        prompt_full_text: [message("user", text("Hi"))],
        prompt_format: "messages",
        response_full_text: [{ ...message("assistant", text("Ho")), finish_reason: "stop" }],
        response_format: "messages",
        tokens_prompt: 7,
        tokens_completion: 2,
        tokens_total: 9,
        response_finish_reason: "stop",
        user_id: "u-1",
        model_parameters: { stream: false },
        additional_metadata: { user_api_key_hash: "h" },
        generation_status: "success",
        content_state: "captured",
      },
    ]);
  });

  it.each([
    [{ hidden_params: json({ response_cost: 0.36 }) }, "0.36"],
    [{ "gen_ai.cost.total_cost": 0.36, hidden_params: json({ response_cost: null }) }, "0.36"],
    [{ "litellm.cost.total": 0.5 }, "0.5"],
    [{ hidden_params: "{cut" }, null],
  ])("with %o has the cost that it sent", (attributes, cost) => {
    const [row] = generationsOf({ attributes: { ...CHAT, ...attributes } });
    expect([row?.["cost_amount"], row?.["cost_currency"]]).toEqual([cost, cost === null ? null : "USD"]);
  });

  it.each([
    ["aembedding", "embeddings"],
    ["image_generation", "image_generation"],
    ["atext_completion", "text_completion"],
  ])("%s is %s", (type, operation) => {
    const { "gen_ai.operation.name": _none, ...bare } = CHAT;
    expect(only({ attributes: { ...bare, "llm.request.type": type, "gen_ai.cost.total_cost": 0 } })["operation_name"]).toBe(operation);
  });
});

describe("OpenLIT", () => {
  const openlit = (attributes: Attributes, events: Span["events"] = []): Row =>
    only({ attributes: { ...CHAT, "gen_ai.sdk.version": "1.36", ...attributes }, events });

  it("has -1, empty texts and empty lists for what was not set", () => {
    const unset = {
      "gen_ai.request.max_tokens": -1,
      "gen_ai.request.seed": "",
      "gen_ai.request.top_k": -1,
      "gen_ai.request.stop_sequences": [],
      "gen_ai.request.user": "",
      "gen_ai.usage.input_tokens": -1,
      "gen_ai.response.finish_reasons": [],
    };
    expect(openlit(unset)).toEqual({
      dialect: "semconv",
      operation_name: "chat",
      provider_name: "openai",
      model_name: "m",
      generation_status: "success",
      content_state: "absent",
    });
  });

  it.each([
    [{ "gen_ai.response.image": "https://example.org/fox.png" }, [{ type: "uri", modality: "image", uri: "https://example.org/fox.png" }]],
    [
      { "gen_ai.response.image.0": PNG, "gen_ai.content.revised_prompt.0": "A fox" },
      [{ ...stored(8), type: "uri", revised_prompt: "A fox" }],
    ],
    [
      { "gen_ai.response.image": ["https://example.org/1.png", "[base64_image_data]"] },
      [{ type: "uri", modality: "image", uri: "https://example.org/1.png" }, text("[base64_image_data]")],
    ],
  ])("with %o answered an image", (attributes, parts) => {
    const row = openlit({
      ...attributes,
      "gen_ai.operation.name": "image",
      "gen_ai.request.image_size": "1024x1024",
      "gen_ai.request.image_style": "vivid",
    });
    expect(row).toMatchObject({
      operation_name: "image_generation",
      model_parameters: { image_size: "1024x1024", image_style: "vivid" },
      response_full_text: [message("assistant", ...parts)],
    });
  });

  it("has its content in events, as lines of text or as messages", () => {
    const lines = openlit({}, [
      { name: "gen_ai.content.prompt", attributes: { "gen_ai.prompt": "user: Hi" } },
      { name: "gen_ai.content.completion", attributes: { "gen_ai.completion": "Ho" } },
    ]);
    expect(lines).toMatchObject({ prompt_full_text: "user: Hi", prompt_format: "text", response_full_text: "Ho" });
    const messages = openlit({}, [
      { name: "gen_ai.content.prompt", attributes: { "gen_ai.input.messages": json([{ role: "user", content: "Hi" }]) } },
    ]);
    expect(messages["prompt_full_text"]).toEqual([message("user", text("Hi"))]);
  });

  it("tells reasoning, calls of tools and its own cost", () => {
    const [row] = generationsOf({
      attributes: {
        ...CHAT,
        "gen_ai.sdk.version": "1.36",
        "gen_ai.content.reasoning": "Hm.",
        "gen_ai.response.tool_calls": json([{ id: "c1", function: { name: "get_weather", arguments: "{}" } }]),
        "gen_ai.usage.cost": 0.36,
      },
    });
    expect(row).toMatchObject({ reasoning_content: "Hm.", cost_amount: "0.36", cost_currency: "USD", cost_source: "sent" });
    expect(String(row?.["response_full_text"])).toContain('"get_weather"');
  });

  it.each(["vectordb", "invoke_workflow", "execute_task"])("%s is counted nowhere", (operation) => {
    expect(
      toldOf({
        attributes: { "gen_ai.sdk.version": "1.36", "gen_ai.operation.name": operation, "gen_ai.system": "x", "gen_ai.request.model": "m" },
      }),
    ).toEqual([]);
  });
});

function stored(sizeBytes: number): Row {
  return {
    type: "uri",
    modality: "image",
    mime_type: "image/png",
    uri: expect.stringMatching(/^genspan-blob:[0-9a-f]{64}$/),
    size_bytes: sizeBytes,
  };
}

describe("Google's agent development kit", () => {
  const request = {
    model: "gemini-2.5-flash",
    contents: [{ role: "user", parts: [{ text: "Hi" }] }],
    config: {
      system_instruction: "Be terse",
      temperature: 0.1,
      max_output_tokens: 9,
      tools: [{ function_declarations: [{ name: "get_weather" }] }],
    },
  };
  const response = {
    content: { role: "model", parts: [{ text: "Hm.", thought: true }, { text: "Ho" }] },
    finish_reason: "STOP",
    usage_metadata: { prompt_token_count: 39, candidates_token_count: 5, thoughts_token_count: 64, cached_content_token_count: 9 },
  };
  const adk = (asked: string, answered: string, more: Attributes = {}): Span => ({
    name: "call_llm",
    attributes: {
      "gen_ai.system": "gcp.vertex.agent",
      "gen_ai.request.model": "gemini-2.5-flash",
      "gcp.vertex.agent.session_id": "s-1",
      "gcp.vertex.agent.llm_request": asked,
      "gcp.vertex.agent.llm_response": answered,
      ...more,
    },
  });

  it("tells the whole request and answer; thoughts are outside of its output", () => {
    expect(toldOf(adk(json(request), json(response)))).toEqual([
      {
        dialect: "google-adk",
        operation_name: "generate_content",
        provider_name: "gcp.gen_ai",
        model_name: "gemini-2.5-flash",
        model_temperature: 0.1,
        model_max_tokens: 9,
        system_instructions: [text("Be terse")],
        tool_definitions: request.config.tools,
        prompt_full_text: [message("user", text("Hi"))],
        prompt_format: "messages",
        response_full_text: [message("assistant", { type: "reasoning", content: "Hm." }, text("Ho"))],
        response_format: "messages",
        reasoning_content: "Hm.",
        tokens_prompt: 39,
        tokens_completion: 69,
        tokens_total: 108,
        tokens_reasoning: 64,
        tokens_cache_read: 9,
        response_finish_reason: "stop",
        conversation_id: "s-1",
        generation_status: "success",
        content_state: "captured",
      },
    ]);
  });

  it("without content is still a call", () => {
    expect(only(adk("{}", "{}"))).toMatchObject({ dialect: "google-adk", model_name: "gemini-2.5-flash", content_state: "absent" });
  });

  it("whose request was cut keeps it as text", () => {
    const cut = json(request).slice(0, 40);
    expect(generationsOf(adk(cut, "{}"))).toMatchObject([{ prompt_full_text: cut, content_state: "truncated" }]);
  });

  it("with OpenInference on the same span is counted once", () => {
    const both = {
      "openinference.span.kind": "LLM",
      "llm.token_count.prompt": 39,
      "gen_ai.usage.input_tokens": 39,
      "gen_ai.usage.output_tokens": 5,
    };
    expect(only(adk(json(request), "{}", both))).toMatchObject({ tokens_prompt: 39, tokens_completion: 5, tokens_total: 44 });
  });

  it("names who serves a model that is not Google's", () => {
    expect(only(adk("{}", "{}", { "gen_ai.request.model": "anthropic/claude-sonnet-4-5" }))["provider_name"]).toBe("anthropic");
  });

  it.each([
    [{ "gen_ai.operation.name": "execute_tool", "gcp.vertex.agent.tool_call_args": "{}", "gcp.vertex.agent.llm_request": "{}" }],
    [{ "gen_ai.operation.name": "invoke_agent", "gen_ai.system": "gcp.vertex.agent", "gen_ai.agent.name": "a" }],
  ])("around its calls, as in %o, is counted nowhere", (attributes) => {
    expect(toldOf({ attributes })).toEqual([]);
  });
});

describe("LangSmith", () => {
  const langsmith = (attributes: Attributes): Row =>
    only({ attributes: { "langsmith.span.kind": "llm", "gen_ai.request.model": "gpt-4o", ...attributes } });

  it("keeps metadata and tags, but no project as a conversation", () => {
    expect(
      langsmith({
        "langsmith.metadata.ls_provider": "openai",
        "langsmith.metadata.ls_max_tokens": 9,
        "langsmith.metadata.revision_id": "r-1",
        "langsmith.metadata.thread_id": "t-1",
        "langsmith.span.tags": "a, b",
        "langsmith.trace.session_id": "my-project",
      }),
    ).toMatchObject({
      provider_name: "openai",
      model_max_tokens: 9,
      conversation_id: "t-1",
      additional_metadata: { revision_id: "r-1", thread_id: "t-1", tags: ["a", "b"] },
    });
  });

  it("around a client of OpenAI has its bodies", () => {
    expect(
      langsmith({
        "gen_ai.prompt": json({ model: "gpt-4o", messages: [{ role: "user", content: "Hi" }] }),
        "gen_ai.completion": json({
          id: "c-1",
          model: "gpt-4o-2024-08-06",
          choices: [{ message: { role: "assistant", content: "Ho" }, finish_reason: "stop" }],
        }),
      }),
    ).toMatchObject({
      prompt_full_text: [message("user", text("Hi"))],
      response_full_text: [{ ...message("assistant", text("Ho")), finish_reason: "stop" }],
      response_id: "c-1",
      response_finish_reason: "stop",
    });
  });

  it.each(["chain", "tool", "retriever", "prompt", "parser"])("%s is counted nowhere", (kind) => {
    expect(toldOf({ attributes: { "langsmith.span.kind": kind, "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 9 } })).toEqual(
      [],
    );
  });
});

describe("Strands", () => {
  const strands: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "strands-agents",
    "gen_ai.request.model": "m",
    "event_loop.cycle_id": "c",
  };

  it("tells content in events, as lists of pieces, and is no provider", () => {
    const span: Span = {
      attributes: { ...strands, "gen_ai.server.time_to_first_token": 250 },
      events: [
        { name: "gen_ai.system.message", attributes: { content: json([{ text: "Be terse" }]) } },
        { name: "gen_ai.user.message", attributes: { content: json([{ text: "Weather?" }]) } },
        {
          name: "gen_ai.assistant.message",
          attributes: { content: json([{ toolUse: { toolUseId: "t1", name: "get_weather", input: {} } }]) },
        },
        { name: "gen_ai.tool.message", attributes: { content: json([{ toolResult: { toolUseId: "t1", content: [{ text: "12C" }] } }]) } },
        { name: "gen_ai.choice", attributes: { finish_reason: "end_turn", message: json([{ text: "12 degrees" }]) } },
      ],
    };
    const row = only(span);
    expect(row).not.toHaveProperty("provider_name");
    expect(row).toMatchObject({
      prompt_full_text: [
        message("system", text("Be terse")),
        message("user", text("Weather?")),
        message("assistant", { type: "tool_call", id: "t1", name: "get_weather", arguments: {} }),
        message("tool", { type: "tool_call_response", id: "t1", response: [{ text: "12C" }] }),
      ],
      response_full_text: [{ ...message("assistant", text("12 degrees")), finish_reason: "end_turn" }],
      response_finish_reason: "end_turn",
    });
    expect(generationsOf(span)[0]?.["time_to_first_token_ms"]).toBe(250);
  });

  it("with an answer as plain text has it", () => {
    const events = [{ name: "gen_ai.choice", attributes: { finish_reason: "end_turn", message: "12 degrees" } }];
    expect(only({ attributes: strands, events })["response_full_text"]).toEqual([
      { ...message("assistant", text("12 degrees")), finish_reason: "end_turn" },
    ]);
  });

  it("counts once what it sends under two names, and cached tokens that its total proves to be outside", () => {
    const usage = {
      "gen_ai.usage.prompt_tokens": 10,
      "gen_ai.usage.input_tokens": 10,
      "gen_ai.usage.completion_tokens": 5,
      "gen_ai.usage.output_tokens": 5,
      "gen_ai.usage.cache_read_input_tokens": 7,
      "gen_ai.usage.cache_write_input_tokens": 1,
      "gen_ai.usage.total_tokens": 23,
    };
    expect(only({ attributes: { ...strands, ...usage } })).toMatchObject({ tokens_prompt: 18, tokens_completion: 5, tokens_total: 23 });
  });

  it("an agent repeats the usage of its calls and is counted nowhere", () => {
    expect(toldOf({ attributes: { ...strands, "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 10 } })).toEqual([]);
  });
});

describe("Semantic Kernel and Microsoft's agent framework", () => {
  it("an early kernel has names of its own", () => {
    const span: Span = {
      attributes: {
        "gen_ai.operation.name": "chat.completions",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.finish_reason": "stop",
        "gen_ai.response.prompt_tokens": 9,
        "gen_ai.response.completion_tokens": 2,
      },
      events: [
        { name: "gen_ai.content.prompt", attributes: { "gen_ai.prompt": json([{ role: "user", content: "Hi" }]) } },
        { name: "gen_ai.content.completion", attributes: { "gen_ai.completion": json([{ role: "assistant", content: "Ho" }]) } },
      ],
    };
    expect(only(span)).toMatchObject({
      operation_name: "chat",
      tokens_prompt: 9,
      tokens_completion: 2,
      response_finish_reason: "stop",
      prompt_full_text: [message("user", text("Hi"))],
      response_full_text: [message("assistant", text("Ho"))],
    });
  });

  it("a later kernel has one event per message, whole or as bare text", () => {
    const content = (value: string): Attributes => ({ "gen_ai.event.content": value });
    const events = [
      { name: "gen_ai.user.message", attributes: content(json({ role: "user", content: "Hi" })) },
      { name: "gen_ai.user.message", attributes: content("bare") },
      {
        name: "gen_ai.choice",
        attributes: content(json({ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Ho" } })),
      },
    ];
    expect(only({ attributes: CHAT, events })).toMatchObject({
      prompt_full_text: [message("user", text("Hi")), message("user", text("bare"))],
      response_full_text: [{ ...message("assistant", text("Ho")), finish_reason: "stop" }],
      response_finish_reason: "stop",
    });
  });

  it("an agent of 631 and 35 over a chat of 631 and 35 counts 631 and 35", () => {
    const usage = { "gen_ai.usage.input_tokens": 631, "gen_ai.usage.output_tokens": 35 };
    const agent = {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.provider.name": "microsoft.agent_framework",
      "gen_ai.request.model": "unknown",
    };
    const rows = toldOf(
      { name: "invoke_agent a", attributes: { ...agent, ...usage } },
      { parent: "s0", attributes: { ...CHAT, ...usage } },
    );
    expect(rows.map((row) => [row["tokens_prompt"], row["tokens_completion"]])).toEqual([[631, 35]]);
  });

  it("is no provider", () => {
    expect(call({ "gen_ai.provider.name": "microsoft.agent_framework" })).not.toHaveProperty("provider_name");
  });
});

describe("Koog", () => {
  it("mixes the conventions with indexed messages", () => {
    expect(
      call({
        "koog.node.name": "ask",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "Hi",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "Ho",
        "gen_ai.completion.0.finish_reason": "stop",
      }),
    ).toMatchObject({
      prompt_full_text: [message("user", text("Hi"))],
      response_full_text: [{ ...message("assistant", text("Ho")), finish_reason: "stop" }],
    });
  });

  it.each(["create_agent", "invoke_agent", "execute_tool"])("%s is counted nowhere", (operation) => {
    expect(
      toldOf({ attributes: { ...CHAT, "gen_ai.operation.name": operation, "koog.agent.name": "a", "gen_ai.usage.input_tokens": 9 } }),
    ).toEqual([]);
  });
});

describe("Spring AI", () => {
  it("a chat client and its advisors around a call are counted nowhere", () => {
    const around = (kind: string): Span => ({
      name: `spring_ai ${kind}`,
      attributes: { "gen_ai.operation.name": "framework", "gen_ai.system": "spring_ai", "spring.ai.kind": kind, "gen_ai.prompt": "Hi" },
    });
    const rows = toldOf(around("chat_client"), around("advisor"), {
      name: "chat gpt-4o",
      attributes: { ...CHAT, "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 2, "gen_ai.usage.total_tokens": 11 },
      events: [{ name: "gen_ai.content.prompt", attributes: { "gen_ai.prompt": "Hi" } }],
    });
    expect(rows).toMatchObject([{ dialect: "semconv", tokens_prompt: 9, tokens_total: 11, prompt_full_text: "Hi" }]);
  });
});

describe("CrewAI under Traceloop", () => {
  it("counts the calls and neither crew, agent nor task, which repeat their usage", () => {
    const usage = { "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 2, "gen_ai.request.model": "gpt-4o" };
    const around = (kind: string): Span => ({
      name: `crewai.${kind}`,
      attributes: { "gen_ai.system": "crewai", "traceloop.span.kind": kind, ...usage },
    });
    const rows = toldOf(around("workflow"), around("agent"), around("task"), {
      name: "gpt-4o.llm",
      attributes: { "gen_ai.system": "crewai", ...usage },
    });
    expect(rows).toEqual([
      {
        dialect: "semconv",
        model_name: "gpt-4o",
        tokens_prompt: 9,
        tokens_completion: 2,
        tokens_total: 11,
        generation_status: "success",
        content_state: "absent",
      },
    ]);
  });
});

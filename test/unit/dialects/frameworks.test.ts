import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { rowsFromTraces } from "../../support/encoding.ts";
import { type SpanSpec, tracesOf } from "../../support/otlp-json.ts";

type Row = Record<string, unknown>;
type Attributes = NonNullable<SpanSpec["attributes"]>;

const rowsOf = (...spans: readonly Omit<SpanSpec, "id">[]): Row[] => {
  const body = tracesOf(...spans.map((span, i) => ({ ...span, id: `s${i}` })));
  return rowsFromTraces(transcodeJson(Buffer.from(JSON.stringify(body)), "traces")).generations;
};
const json = (value: unknown): string => JSON.stringify(value);

/** One call as each framework would tell it; none of them was recorded, so these stand for what their sources say. */
const CALLS: readonly (readonly [dialect: string, attributes: Attributes, expected: Row, name?: string])[] = [
  [
    "claude-code",
    {
      "span.type": "claude_code.llm_request",
      model: "claude-sonnet-4-5",
      input_tokens: 5,
      output_tokens: "40",
      cache_read_tokens: 128_955,
      cache_creation_tokens: 1_253,
      stop_reason: "tool_use",
      user_prompt: "<REDACTED>",
      cost_usd: 0.36,
    },
    {
      provider_name: "anthropic",
      tokens_prompt: 130_213,
      tokens_completion: 40,
      tokens_cache_read: 128_955,
      tokens_cache_write: 1_253,
      response_finish_reason: "tool_call",
      prompt_full_text: null,
      content_state: "redacted",
      cost_amount: "0.36",
      cost_currency: "USD",
    },
  ],
  [
    "genkit",
    {
      "genkit:type": "action",
      "genkit:metadata:subtype": "model",
      "genkit:name": "googleai/gemini-2.5-flash",
      "genkit:input": json({ messages: [{ role: "user", content: [{ text: "Hi" }] }], config: { temperature: 0.4 } }),
      "genkit:output": json({
        message: { role: "model", content: [{ text: "Hello" }] },
        finishReason: "stop",
        usage: { inputTokens: 13, outputTokens: 96, thoughtsTokens: 64, totalTokens: 109 },
      }),
    },
    {
      model_name: "gemini-2.5-flash",
      provider_name: "gcp.gemini",
      model_temperature: 0.4,
      tokens_prompt: 13,
      tokens_completion: 96,
      tokens_reasoning: 64,
      response_finish_reason: "stop",
      prompt_full_text: json([{ role: "user", parts: [{ type: "text", content: "Hi" }] }]),
      response_full_text: json([{ role: "assistant", parts: [{ type: "text", content: "Hello" }], finish_reason: "stop" }]),
    },
  ],
  [
    "mlflow",
    {
      "mlflow.spanType": '"CHAT_MODEL"',
      "mlflow.spanInputs": json({ model: "gpt-4o", messages: [{ role: "user", content: "Hi" }], temperature: 0 }),
      "mlflow.spanOutputs": json({ id: "c1", choices: [{ finish_reason: "stop", message: { role: "assistant", content: "Hello" } }] }),
      "mlflow.chat.tokenUsage": json({ input_tokens: 9, output_tokens: 2, total_tokens: 11 }),
    },
    { model_name: "gpt-4o", model_temperature: 0, tokens_total: 11, response_id: "c1", response_finish_reason: "stop" },
  ],
  [
    "langsmith",
    {
      "langsmith.span.kind": "llm",
      "langsmith.metadata.ls_provider": "openai",
      "langsmith.metadata.ls_model_name": "gpt-4o",
      "gen_ai.prompt": json({ messages: [[{ lc: 1, type: "constructor", id: ["langchain", "HumanMessage"], kwargs: { content: "Hi" } }]] }),
      "gen_ai.completion": json({
        generations: [[{ message: { lc: 1, id: ["AIMessage"], kwargs: { content: "Hello" } } }]],
      }),
      "langsmith.usage_metadata": json({
        input_tokens: 13_675,
        output_tokens: 20,
        total_tokens: 13_695,
        input_token_details: { cache_read: 9_216 },
      }),
    },
    {
      provider_name: "openai",
      model_name: "gpt-4o",
      tokens_prompt: 13_675,
      tokens_cache_read: 9_216,
      prompt_full_text: json([{ role: "user", parts: [{ type: "text", content: "Hi" }] }]),
      response_full_text: json([{ role: "assistant", parts: [{ type: "text", content: "Hello" }] }]),
    },
  ],
  [
    "google-adk",
    {
      "gen_ai.system": "gcp.vertex.agent",
      "gen_ai.request.model": "gemini-2.0-flash",
      "gcp.vertex.agent.llm_request": json({
        model: "gemini-2.0-flash",
        contents: [{ role: "user", parts: [{ text: "Hi" }] }],
        config: { temperature: 0.1 },
      }),
      "gcp.vertex.agent.llm_response": json({
        content: { role: "model", parts: [{ text: "Hello" }] },
        usage_metadata: { prompt_token_count: 39, candidates_token_count: 5, total_token_count: 44 },
      }),
      "llm.token_count.prompt": 39,
    },
    { model_name: "gemini-2.0-flash", model_temperature: 0.1, tokens_prompt: 39, tokens_completion: 5, tokens_total: 44 },
  ],
  [
    "livekit",
    {
      "gen_ai.request.model": "gpt-4o",
      "lk.chat_ctx": json({ items: [{ role: "user", content: ["Hi"] }] }),
      "lk.response.text": "Hello",
      "lk.retry_count": 1,
    },
    { model_name: "gpt-4o", response_full_text: "Hello", attempts_count: 2 },
    "llm_request",
  ],
  [
    "laminar",
    {
      "lmnr.span.type": "LLM",
      "gen_ai.request.model": "gpt-4o",
      "lmnr.span.input": json([{ role: "user", content: "Hi" }]),
      "lmnr.span.output": "Hello",
    },
    { model_name: "gpt-4o", prompt_format: "messages", response_full_text: "Hello" },
  ],
  [
    "haystack",
    {
      "haystack.component.type": "OpenAIChatGenerator",
      "haystack.component.input": json({ messages: [{ role: "user", content: "Hi" }] }),
      "haystack.component.output": json({
        replies: [
          {
            role: "assistant",
            content: "Hello",
            meta: { model: "gpt-4o", finish_reason: "stop", usage: { prompt_tokens: 7, completion_tokens: 2 } },
          },
        ],
      }),
    },
    { model_name: "gpt-4o", tokens_prompt: 7, tokens_completion: 2, response_finish_reason: "stop" },
  ],
  [
    "mastra",
    { "mastra.span.type": "model_generation", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 3 },
    { model_name: "gpt-4o", tokens_prompt: 3 },
  ],
  [
    "gemini-cli",
    {
      "gen_ai.agent.name": "gemini-cli",
      "gen_ai.operation.name": "llm_call",
      "gen_ai.request.model": "gemini-2.5-pro",
      "gen_ai.usage.input_tokens": 4,
    },
    { provider_name: "gcp.gemini", tokens_prompt: 4 },
  ],
  [
    "langfuse",
    {
      "langfuse.observation.type": "generation",
      "langfuse.observation.model.name": "gpt-5",
      "langfuse.observation.model.parameters": json({ temperature: 0.2, user: "u" }),
      "langfuse.observation.input": json([{ role: "user", content: "Hi" }]),
      "langfuse.observation.output": json({ role: "assistant", content: "Hello" }),
      "langfuse.observation.usage_details": json({ input: 3, output: 95, output_reasoning_tokens: 192, total: 290 }),
      "langfuse.observation.cost_details": json({ input: 0.1, output: 0.26 }),
      "langfuse.observation.prompt.name": "define",
      "langfuse.observation.prompt.version": 3,
      "langfuse.observation.level": "ERROR",
      "langfuse.observation.status_message": "it broke",
    },
    {
      model_name: "gpt-5",
      model_temperature: 0.2,
      model_parameters: { user: "u" },
      tokens_prompt: 3,
      tokens_completion: 287,
      tokens_reasoning: 192,
      cost_amount: "0.36",
      prompt_template_name: "define",
      prompt_template_version: "3",
      generation_status: "failed",
      error_message: "it broke",
    },
  ],
];

const TOLD = CALLS.map(([dialect, attributes, expected, name = "call"]) => ({ dialect, attributes, expected, name }));

describe.each(TOLD)("$dialect", ({ dialect, attributes, expected, name }) => {
  it("is understood as one call", () => {
    const rows = rowsOf({ name, attributes });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ dialect, ...expected });
  });
});

/** What is around calls, or below them, in the words of each framework. */
const WRAPPERS: readonly (readonly [name: string, attributes: Attributes])[] = [
  ["claude_code.interaction", { "span.type": "interaction", model: "claude", input_tokens: 5 }],
  ["claude_code.tool", { "span.type": "claude_code.tool", model: "claude" }],
  ["flow", { "genkit:type": "flow", "genkit:name": "flow", "genkit:output": json({ usage: { inputTokens: 5 } }) }],
  ["chain", { "mlflow.spanType": '"CHAIN"', "mlflow.chat.tokenUsage": json({ input_tokens: 9 }) }],
  ["chain", { "langsmith.span.kind": "chain", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 9 }],
  [
    "raw_gen_ai_request",
    { "llm.openai.model": "gpt-4o", "gen_ai.request.model": "gpt-4o", "gen_ai.system": "openai", "gen_ai.usage.input_tokens": 9 },
  ],
  ["agent_turn", { "lk.agent_name": "a", "gen_ai.request.model": "gpt-4o", "gen_ai.system": "openai" }],
  ["tool", { "lmnr.span.type": "TOOL", "gen_ai.request.model": "gpt-4o" }],
  ["pipeline", { "haystack.pipeline.input_data": "{}", "gen_ai.request.model": "gpt-4o" }],
  ["agent", { "openinference.span.kind": "AGENT", "gen_ai.request.model": "gpt-4o", "llm.token_count.prompt": 9 }],
  [
    "agent run",
    {
      "logfire.span_type": "span",
      "pydantic_ai.all_messages": "[]",
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.aggregated_usage.input_tokens": 9,
    },
  ],
  ["span", { "langfuse.observation.type": "agent", "langfuse.observation.model.name": "gpt-4o" }],
  ["workflow", { "traceloop.span.kind": "workflow", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 9 }],
  ["run", { "mastra.span.type": "agent_run", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 9 }],
];

it.each(WRAPPERS)("%s with %o is counted nowhere", (name, attributes) => {
  expect(rowsOf({ name, attributes })).toEqual([]);
});

it.each([1.7e305, 1e300, -1])("a stream that is told to have taken %d seconds took as long as its span", (duration) => {
  const answered = {
    "logfire.span_type": "log",
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "m",
    request_data: json({ model: "m", stream: true }),
    response_data: json({ combined_chunk_content: "Ho" }),
  };
  expect(rowsOf({ name: "streaming", tookMs: 7, attributes: { ...answered, duration } })).toMatchObject([{ duration_ms: 7 }]);
});

describe("two dialects on one span", () => {
  it("give one value per concept, never a sum", () => {
    const attributes = {
      "openinference.span.kind": "LLM",
      "llm.model_name": "gpt-4o",
      "llm.token_count.prompt": 39,
      "llm.token_count.completion": 5,
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.usage.input_tokens": 39,
      "gen_ai.usage.prompt_tokens": 39,
      "gen_ai.usage.output_tokens": 5,
    };
    expect(rowsOf({ name: "call", attributes })).toMatchObject([{ tokens_prompt: 39, tokens_completion: 5, tokens_total: 44 }]);
  });
});

describe("what frameworks say about time and unset values", () => {
  it("Strands tells milliseconds, OpenLIT seconds, under the same name", () => {
    const call = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.provider.name": "openai" };
    const strands = rowsOf({ name: "c", attributes: { ...call, "event_loop.cycle_id": "1", "gen_ai.server.time_to_first_token": 250 } });
    const openlit = rowsOf({ name: "c", attributes: { ...call, "gen_ai.sdk.version": "1", "gen_ai.server.time_to_first_token": 0.25 } });
    expect([strands[0]?.["time_to_first_token_ms"], openlit[0]?.["time_to_first_token_ms"]]).toEqual([250, 250]);
  });

  it.each([
    ["Strands by its provider, beside a cost of OpenLIT", { "gen_ai.provider.name": "strands-agents", "gen_ai.usage.cost": 0.1 }, 250, 250],
    [
      "Strands by its old provider, beside a sign of OpenLIT",
      { "gen_ai.system": "strands-agents", "gen_ai.application_name": "a" },
      250,
      250,
    ],
    ["Strands by its own names, beside OpenLIT's", { "gen_ai.event.start_time": "t", "gen_ai.sdk.version": "1" }, 250, 250],
    ["OpenLIT", { "gen_ai.provider.name": "openai", "gen_ai.usage.cost": 0.1 }, 0.25, 250],
    ["another one: that of the metric", { "gen_ai.provider.name": "openai" }, 0.25, 250],
    [
      "one that tells it by the conventions, too",
      { "gen_ai.system": "strands-agents", "gen_ai.response.time_to_first_chunk": 0.3 },
      250,
      300,
    ],
  ])("the unit of the time to the first token: %s", (_, attributes, time, millis) => {
    const call = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.server.time_to_first_token": time };
    expect(rowsOf({ name: "c", attributes: { ...call, ...attributes } })).toMatchObject([{ time_to_first_token_ms: millis }]);
  });

  it("a framework is not a provider", () => {
    const attributes = {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "m",
      "gen_ai.system": "strands-agents",
      "event_loop.cycle_id": "1",
    };
    expect(rowsOf({ name: "c", attributes })[0]?.["provider_name"]).toBeNull();
  });

  it("a framework gives way to the provider that LangSmith's metadata name", () => {
    const attributes = { "langsmith.span.kind": "llm", "gen_ai.system": "langchain", "langsmith.metadata.ls_provider": "openai" };
    expect(rowsOf({ name: "c", attributes })[0]?.["provider_name"]).toBe("openai");
  });

  it("-1 and an empty text are unset", () => {
    const attributes = {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "m",
      "gen_ai.sdk.version": "1",
      "gen_ai.request.max_tokens": -1,
      "gen_ai.request.seed": "",
      "gen_ai.usage.input_tokens": -1,
    };
    expect(rowsOf({ name: "c", attributes })[0]).toMatchObject({ model_max_tokens: null, model_seed: null, tokens_prompt: null });
  });
});

describe("hostile attribute names", () => {
  it("indexes without end and names of prototypes do no harm", () => {
    const attributes = {
      "openinference.span.kind": "LLM",
      "llm.model_name": "m",
      "llm.input_messages.0.message.content": "Hi",
      "llm.input_messages.999999999.message.content": "far",
      "llm.input_messages.0.message.__proto__.polluted": "yes",
      "llm.input_messages.__proto__.message.content": "no",
      "llm.input_messages.constructor.prototype.polluted": "yes",
    };
    const rows = rowsOf({ name: "call", attributes });
    expect(rows).toHaveLength(1);
    expect(String(rows[0]!["prompt_full_text"])).toMatch(/"Hi".*"far"/);
    expect(({} as Row)["polluted"]).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";
import { ANSWER, type Asked, message, OPENAI_CASES, text, toolCall } from "../../support/openai-cases.ts";
import { recordingsOf } from "../../support/recordings.ts";
import { toldBy } from "../../support/told.ts";

type Row = Record<string, unknown>;

/** What OpenInference tells of a call: nothing of what answered a stream of chat (no counts, no id, no model), everything of the rest. */
function expected(asked: Asked): Row {
  const answer = {
    tokens_prompt: asked.input,
    tokens_completion: asked.output,
    tokens_total: asked.input + asked.output,
    tokens_reasoning: asked.reasoning,
    tokens_cache_read: asked.cached,
    response_model: asked.answeredBy,
    response_id: expect.stringMatching(asked.api === "chat" ? /^chatcmpl-fake/ : /^resp-fake/),
  };
  const thoughts = asked.answers.flat().find(({ type }) => type === "reasoning")?.["content"];
  return {
    dialect: "openinference",
    operation_name: "chat",
    provider_name: "openai",
    model_name: asked.model,
    ...asked.settings,
    ...(Object.keys(asked.parameters).length === 0 ? {} : { model_parameters: asked.parameters }),
    ...(asked.tools.length === 0 ? {} : { tool_definitions: asked.tools }),
    prompt_full_text: asked.prompt,
    prompt_format: "messages",
    response_full_text: answersOf(asked),
    response_format: "messages",
    ...(thoughts === undefined ? {} : { reasoning_content: thoughts }),
    ...(asked.streamed ? {} : answer),
    response_finish_reason: asked.finish,
    generation_status: "success",
    content_state: "captured",
  };
}

/** Chat completions name the reason in each message; each item of the responses API is a message of its own. */
function answersOf({ api, answers, finish }: Asked): unknown {
  if (api === "responses") return answers.flat().map((part) => message("assistant", part));
  return answers.map((parts) => ({ ...message("assistant", ...parts), finish_reason: finish }));
}

const client = "openinference-openai";
const LEFT_OVER = ["chat-stream-cut", "chat-stream-helper", "chat-context", "embeddings"];

describe("every body of OpenInference's instrumentation of the OpenAI client", () => {
  const names = recordingsOf(client).map(({ name }) => name);

  it("has its case", () => {
    expect(names.filter((name) => OPENAI_CASES[name] === undefined).sort()).toEqual(LEFT_OVER.toSorted());
  });

  it.each(names.filter((name) => OPENAI_CASES[name] !== undefined))("%s says what was asked and answered, and nothing else", (name) => {
    const rows = toldBy(client, name);
    // A stream that the case before had left open ends up in the body of this one.
    const own = name === "chat-tools" ? rows.slice(1) : rows;
    expect(own).toEqual(OPENAI_CASES[name]?.map(expected));
  });

  it.each(["chat-stream-cut", "chat-stream-helper"])("%s is a stream of which nothing is known but its text", (name) => {
    expect(toldBy(client, name)).toEqual(OPENAI_CASES["chat-stream-nousage"]?.map(expected));
  });

  it("a context of session, user, template, tags and metadata reaches the row", () => {
    const [plain] = OPENAI_CASES["chat-stream-nousage"]!;
    expect(toldBy(client, "chat-context")).toEqual([
      {
        ...expected({ ...plain!, streamed: false, parameters: {} }),
        prompt_template_version: "2.1",
        prompt_variables: { term: "fox" },
        conversation_id: "s-1",
        user_id: "u-1",
        additional_metadata: { definitie_id: 456, tags: ["a"] },
      },
    ]);
  });

  it("an embedding is a call whose prompt is its texts, without the vectors and without an answer", () => {
    expect(toldBy(client, "embeddings")).toEqual([
      {
        dialect: "openinference",
        operation_name: "embeddings",
        provider_name: "openai",
        model_name: "text-embedding-3-small",
        prompt_full_text: ["a", "b"],
        prompt_format: "text",
        generation_status: "success",
        content_state: "captured",
      },
    ]);
  });
});

describe("a long conversation", () => {
  it("whose sender dropped attributes keeps all its messages and says that its answer is missing", () => {
    const messages = Array.from({ length: 100 }, (_, i) => message(i % 2 === 1 ? "assistant" : "user", text(`m${i}`)));
    expect(recordingsOf("openinference-longchat").map(({ name }) => name)).toEqual(["chat-100-messages"]);
    expect(toldBy("openinference-longchat", "chat-100-messages")).toEqual([
      {
        dialect: "openinference",
        operation_name: "chat",
        provider_name: "openai",
        model_name: "gpt-4o-mini",
        response_model: "gpt-4o-mini-2024-07-18",
        prompt_full_text: messages,
        prompt_format: "messages",
        generation_status: "success",
        content_state: "truncated",
      },
    ]);
  });
});

/** What the cases of Anthropic's client asked and got, as OpenInference tells it. */
const anthropic = (more: Row, input = 1010, output = 24): Row => ({
  dialect: "openinference",
  operation_name: "chat",
  provider_name: "anthropic",
  model_name: "claude-sonnet-4-5",
  response_model: "claude-sonnet-4-5",
  model_max_tokens: 200,
  prompt_full_text: [message("user", text("Define fox"))],
  prompt_format: "messages",
  response_full_text: [{ ...message("assistant", ANSWER), finish_reason: "end_turn" }],
  response_format: "messages",
  tokens_prompt: input,
  tokens_completion: output,
  tokens_total: input + output,
  tokens_cache_read: 900,
  tokens_cache_write: 100,
  response_finish_reason: "end_turn",
  generation_status: "success",
  content_state: "captured",
  ...more,
});
const id = { response_id: expect.stringMatching(/^msg-fake/) };
const THINKING = { thinking: { type: "enabled", budget_tokens: 2000 } };
const THOUGHT = { type: "reasoning", content: "Let me think about the fox." };
const thought = {
  reasoning_content: THOUGHT.content,
  response_full_text: [{ ...message("assistant", THOUGHT, ANSWER), finish_reason: "end_turn" }],
};
const tools = {
  tool_definitions: [{ name: "get_weather", description: "w", input_schema: { type: "object", properties: { city: { type: "string" } } } }],
};
const calling = message("assistant", text("I'll check."), toolCall("toolu"));
const result = { type: "tool_call_response", id: expect.stringMatching(/^toolu-fake/), response: "12C" };

const ANTHROPIC: Readonly<Record<string, readonly Row[]>> = {
  messages: [
    anthropic({
      ...id,
      model_temperature: 0.5,
      model_top_k: 5,
      prompt_full_text: [message("system", text("Be terse")), message("user", text("Define fox"))],
    }),
  ],
  "messages-thinking": [anthropic({ ...id, ...thought, model_max_tokens: 4000, model_parameters: THINKING }, 1010, 45)],
  "messages-stream": [anthropic({ ...thought, model_parameters: { stream: true, ...THINKING } }, 1010, 45)],
  "messages-stream-helper": [anthropic({ model_parameters: { stream: true } })],
  "messages-tools": [
    anthropic(
      { ...id, ...tools, response_full_text: [{ ...calling, finish_reason: "tool_call" }], response_finish_reason: "tool_call" },
      1010,
      37,
    ),
    anthropic({ ...id, ...tools, prompt_full_text: [message("user", text("Define fox")), calling, message("user", result)] }, 1080),
  ],
};

const failed = (model: string, type: string, said: string): Row => ({
  dialect: "openinference",
  operation_name: "chat",
  provider_name: "anthropic",
  model_name: model,
  model_max_tokens: 10,
  prompt_full_text: [message("user", text("Define fox"))],
  prompt_format: "messages",
  generation_status: "failed",
  error_type: type,
  error_message: expect.stringContaining(said),
  error_traceback: expect.stringContaining(type),
  content_state: "captured",
});

describe("every body of OpenInference's instrumentation of Anthropic's client", () => {
  const client = "anthropic-openinference";
  const cases: Readonly<Record<string, readonly Row[]>> = {
    ...ANTHROPIC,
    "messages-429": [failed("fake-429", "RateLimitError", "Number of requests has exceeded your rate limit")],
    "messages-529": [failed("fake-529", "OverloadedError", "Overloaded")],
  };

  it("has its case", () => {
    expect(
      recordingsOf(client)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(Object.keys(cases).toSorted());
  });

  it.each(Object.entries(cases))("%s says what was asked and answered, and nothing else", (name, rows) => {
    expect(toldBy(client, name).filter((row) => row["dialect"] === "openinference")).toEqual(rows);
  });

  it.each(Object.keys(ANTHROPIC))("%s is told a second time by the client itself, with the same counts", (name) => {
    const counts = (dialect: string) =>
      toldBy(client, name)
        .filter((row) => row["dialect"] === dialect)
        .map((row) => [row["tokens_prompt"], row["tokens_completion"], row["tokens_cache_read"], row["tokens_cache_write"]]);
    expect(counts("semconv")).toEqual(counts("openinference"));
  });

  it("both tell the same id of the answer, by which they can be folded", () => {
    const ids = toldBy(client, "messages").map((row) => row["response_id"]);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });
});

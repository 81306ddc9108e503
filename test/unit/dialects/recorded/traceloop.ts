import { expect } from "vitest";
import { type Asked, message, OPENAI_CASES, QUESTION, text } from "../../../support/openai-cases.ts";
import { type ClientCases, calls, noCalls, type Row, UNKNOWN_PATH } from "./client-cases.ts";

/** Settings that it sends on. */
const SENT = ["model_temperature", "model_max_tokens", "model_top_p", "model_frequency_penalty", "model_presence_penalty"];

/** What Traceloop tells of a call: the first answer, no reasoning, no cached tokens, and few settings. */
function expected(asked: Asked, more: Row = {}): Row {
  const settings = Object.entries(asked.settings).filter(
    ([name]) => SENT.includes(name) && !(name === "model_max_tokens" && asked.reasoning === 128),
  );
  const answer = asked.answers[0]?.filter(({ type }) => type !== "reasoning") ?? [];
  return {
    dialect: "semconv",
    operation_name: "chat",
    provider_name: "openai",
    model_name: asked.model,
    ...Object.fromEntries(settings),
    ...(asked.tools.length === 0 || asked.api === "responses" ? {} : { tool_definitions: asked.tools }),
    prompt_full_text: asked.prompt,
    prompt_format: "messages",
    response_full_text: [{ ...message("assistant", ...answer), finish_reason: asked.finish }],
    response_format: "messages",
    response_model: asked.answeredBy,
    response_id: expect.stringMatching(asked.api === "chat" ? /^chatcmpl-fake/ : /^resp-fake/),
    tokens_prompt: asked.input,
    tokens_completion: asked.output,
    tokens_total: asked.input + asked.output,
    response_finish_reason: asked.finish,
    generation_status: "success",
    content_state: "captured",
    ...more,
  };
}

const callOf = (name: string, index = 0): Asked => OPENAI_CASES[name]![index]!;
const plain: Asked = { ...callOf("chat"), settings: {} };
/** Of a stream it counts the tokens itself, as text without the wrapping of messages. */
const countedStream = { tokens_prompt: 15, tokens_completion: 17, tokens_total: 32 };
const { tokens_prompt: _p, tokens_completion: _c, tokens_total: _t, ...uncounted } = expected(callOf("chat-stream-tools"));
/** Of tools and pictures of the responses API it leaves an empty text. */
const nothing = { response_full_text: [{ ...message("assistant", text("")), finish_reason: "stop" }], response_finish_reason: "stop" };

const image = (model: string, prompt: string, more: Row): Row => ({
  dialect: "semconv",
  operation_name: "image_generation",
  provider_name: "openai",
  model_name: model,
  prompt_full_text: [message("user", text(prompt))],
  prompt_format: "messages",
  generation_status: "success",
  content_state: "captured",
  ...more,
});

const CALLS: Readonly<Record<string, readonly Row[]>> = {
  ...Object.fromEntries(
    [
      "chat",
      "chat-multimodal",
      "chat-json-schema",
      "chat-parse",
      "chat-n2",
      "chat-reasoning",
      "chat-length",
      "chat-content-filter",
      "chat-429-retry-ok",
      "chat-10kb",
    ].map((name) => [name, [expected(callOf(name))]]),
  ),
  "chat-stream": [expected(callOf("chat-stream"), countedStream)],
  "chat-stream-nousage": [expected(callOf("chat-stream-nousage"), countedStream)],
  "chat-stream-tools": [uncounted],
  "chat-tools": [expected(callOf("chat-tools"))],
  "chat-tools.2": [expected(callOf("chat-tools", 1))],
  "chat-refusal": [
    expected(callOf("chat-refusal"), {
      response_full_text: [{ ...message("assistant", { type: "refusal", content: "I cannot help with that." }), finish_reason: "stop" }],
    }),
  ],
  responses: [expected(callOf("responses"), { prompt_full_text: [message("user", text("Define fox"))] })],
  "responses-tools": [expected(callOf("responses-tools"), nothing)],
  "responses-image-tool": [expected(callOf("responses-image-tool"), nothing)],
  // Its span of a stream of the responses API ends before the first answer: it has the question alone, as the JSON that was sent.
  "responses-stream": [
    {
      dialect: "semconv",
      operation_name: "chat",
      provider_name: "openai",
      model_name: "gpt-5-nano",
      prompt_full_text: [
        message("user", text(JSON.stringify(QUESTION.map(({ role, parts }) => ({ role, content: parts[0]?.["content"] }))))),
      ],
      prompt_format: "messages",
      generation_status: "success",
      content_state: "captured",
    },
  ],
  "manual-llm": [
    {
      dialect: "traceloop",
      operation_name: "chat",
      model_name: "m-1",
      response_model: "m-1",
      prompt_full_text: [message("user", text("hi"))],
      prompt_format: "messages",
      tokens_prompt: 1,
      tokens_completion: 2,
      tokens_total: 3,
      generation_status: "success",
      content_state: "captured",
    },
  ],
  "images.2": [
    image("gpt-image-1", "A cat playing with yarn", {
      tokens_prompt: 6,
      tokens_completion: 2112,
      tokens_total: 2118,
      model_parameters: { "image.size": "1024x1024", "image.quality": "low", "image.count": 2 },
      additional_metadata: { tokens_estimated: true },
    }),
  ],
  "images-dalle3.2": [
    image("dall-e-3", "A cat", {
      tokens_prompt: 2,
      tokens_completion: 1056,
      tokens_total: 1058,
      model_parameters: { "image.style": "vivid" },
      additional_metadata: { tokens_estimated: true, revised_prompt: "A photo of a cat, revised" },
    }),
  ],
  // Its status is unset and its model stands in its name only.
  "images-500": [
    {
      dialect: "semconv",
      operation_name: "image_generation",
      provider_name: "openai",
      model_name: "fake-500",
      generation_status: "failed",
      error_type: "Error",
      error_message: "500 The server had an error while processing your request",
      error_traceback: expect.stringContaining("at APIError.generate"),
      content_state: "absent",
    },
  ],
  workflow: [expected(plain, { user_id: "u1", additional_metadata: { definitie_id: "456" } })],
};

export const TRACELOOP: ClientCases = {
  client: "traceloop",
  instrumentation: "@traceloop/node-server-sdk 0.27.0, openai 7.55",
  bodies: {
    ...Object.fromEntries(Object.entries(CALLS).map(([name, rows]) => [name, calls(...rows)])),
    "workflow.2": noCalls("build_prompt.task"),
    "workflow.3": noCalls("define_term.workflow"),
    "workflow-agent-tool": noCalls("tool_b.tool"),
    "workflow-agent-tool.2": noCalls("agent_a.agent"),
    // Its pictures go to the vendor's own address.
    images: UNKNOWN_PATH,
    "images-dalle3": UNKNOWN_PATH,
  },
};

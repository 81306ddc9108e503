import { expect } from "vitest";
import { type Asked, message, OPENAI_CASES, type Part, text } from "../../../support/openai-cases.ts";
import { type ClientCases, calls, type Expected, metrics, type Row, told } from "./client-cases.ts";

/** Settings that OpenTelemetry's instrumentation sends on; it has no content on its spans, and counts neither reasoning nor what was cached. */
const SENT = [
  "model_temperature",
  "model_max_tokens",
  "model_top_p",
  "model_frequency_penalty",
  "model_presence_penalty",
  "model_stop_sequences",
];

function answered(asked: Asked): Row {
  const counts = { tokens_prompt: asked.input, tokens_completion: asked.output, tokens_total: asked.input + asked.output };
  return {
    dialect: "semconv",
    operation_name: "chat",
    provider_name: "openai",
    model_name: asked.model,
    ...Object.fromEntries(Object.entries(asked.settings).filter(([name]) => SENT.includes(name))),
    response_model: asked.answeredBy,
    response_id: expect.stringMatching(asked.api === "chat" ? /^chatcmpl-fake/ : /^resp-fake/),
    ...(asked.streamed && asked.parameters["stream_options"] === undefined ? {} : counts),
    response_finish_reason: asked.finish,
    generation_status: "success",
    content_state: "absent",
  };
}

const failed = (model: string, type: string, said: string, more: Row = {}): Row => ({
  dialect: "semconv",
  operation_name: "chat",
  provider_name: "openai",
  model_name: model,
  generation_status: "failed",
  error_type: type,
  error_message: said,
  content_state: "absent",
  ...more,
});
const BROKEN = "500 The server had an error while processing your request";
const all = (name: string): Row[] => OPENAI_CASES[name]!.map(answered);

const EMBEDDING = {
  dialect: "semconv",
  operation_name: "embeddings",
  provider_name: "openai",
  model_name: "text-embedding-3-small",
  response_model: "text-embedding-3-small",
  tokens_prompt: 3,
  tokens_total: 3,
  generation_status: "success",
  content_state: "absent",
};

/** The cases whose spans differ from what the provider did, or that ended badly. */
const OWN_CALLS: Readonly<Record<string, readonly Row[]>> = {
  // The instructions of the responses API are an attribute of its spans whatever is captured.
  responses: [{ ...answered(OPENAI_CASES["responses"]![0]!), system_instructions: "Be terse" }],
  // The helper's stream follows the parse of the case before, whose span was left open.
  "chat-stream-helper": [...all("chat-parse"), ...all("chat-stream-nousage")],
  "chat-429": [failed("fake-429", "RateLimitError", "429 You exceeded your current quota")],
  "chat-400": [failed("fake-400", "BadRequestError", "400 Invalid value for 'temperature'", { model_temperature: 9 })],
  "chat-500": [failed("fake-500", "InternalServerError", BROKEN)],
  "chat-timeout": [failed("fake-timeout", "APIConnectionTimeoutError", "Request timed out.", { generation_status: "timeout" })],
  "chat-abort": [failed("fake-timeout", "APIUserAbortError", "Request was aborted.")],
  "responses-500": [failed("fake-500", "InternalServerError", BROKEN)],
  embeddings: [EMBEDDING],
};

const callsOf = (names: readonly string[]): Record<string, Expected> =>
  Object.fromEntries(names.map((name) => [name, calls(...(OWN_CALLS[name] ?? all(name)))]));

const prompted = ({ prompt }: Pick<Asked, "prompt">): Row => ({ prompt_full_text: prompt, prompt_format: "messages" });
const ended = (finish: string, ...answers: readonly (readonly Part[])[]): Row => ({
  ...(answers.every((parts) => parts.length === 0)
    ? {}
    : {
        response_full_text: answers.map((parts) => ({ ...message("assistant", ...parts), finish_reason: finish })),
        response_format: "messages",
      }),
  response_finish_reason: finish,
});

/** What the log events of a call tell: of chat completions neither reasoning, pictures nor refusals. */
function eventsOf(asked: Asked): Row {
  const shown = asked.answers.map((parts) => parts.filter(({ type }) => asked.api === "responses" || type !== "reasoning"));
  const thought = shown.flat().find(({ type }) => type === "reasoning")?.["content"];
  return { ...prompted(asked), ...ended(asked.finish, ...shown), ...(thought === undefined ? {} : { reasoning_content: thought }) };
}
const events = (name: string, more: Row = {}): Expected => told(...OPENAI_CASES[name]!.map((asked) => ({ ...eventsOf(asked), ...more })));
const asked = (name: string): Asked => OPENAI_CASES[name]![0]!;
const question = prompted(asked("chat"));
/** Items of the responses API are told in the instrumentation's own words. */
const drawn: Part[] = [
  { type: "tool_call", id: expect.stringMatching(/^ig-fake/), name: "image_generation_call" },
  {
    type: "tool_call_response",
    id: expect.stringMatching(/^ig-fake/),
    response: expect.stringMatching(/^genspan-blob:[0-9a-f]{64}$/),
    mime_type: "image/png",
  },
];
const weatherCall: Part = {
  type: "tool_call",
  id: expect.stringMatching(/^fc-fake/),
  name: "get_weather",
  arguments: '{"city":"Utrecht","unit":"celsius"}',
  call_id: expect.stringMatching(/^call-fake/),
};

const EVENTS: Readonly<Record<string, Expected>> = {
  ...Object.fromEntries(
    [
      "chat-10kb",
      "chat-429-retry-ok",
      "chat-content-filter",
      "chat-json-schema",
      "chat-length",
      "chat-n2",
      "chat-reasoning",
      "chat-stream-nousage",
      "chat-stream-tools",
      "chat-stream",
      "chat-tools",
      "chat",
      "responses",
      "responses-stream",
    ].map((name) => [`${name}.2`, events(name)]),
  ),
  "chat-multimodal.2": events("chat-multimodal", prompted({ prompt: [message("user", text("What is this?"))] })),
  "chat-refusal.2": told({ ...question, response_finish_reason: "stop" }),
  "chat-400.2": told(question),
  "chat-429.2": told(question),
  "chat-500.2": told(question),
  "chat-abort.2": told(question),
  "chat-timeout.2": told(question),
  // Streams that were left: their spans never ended, their questions are told all the same.
  "chat-parse": told(question),
  "chat-stream-break": told(question),
  "chat-stream-cut": told(question),
  "chat-stream-helper.2": told(ended("stop", asked("chat-parse").answers[0]!), eventsOf(asked("chat-stream-nousage"))),
  "responses-500.2": told(prompted({ prompt: [message("user", text("x"))] })),
  "responses-image-tool.2": told({ ...prompted(asked("responses-image-tool")), ...ended("stop", drawn) }),
  "responses-tools.2": told({ ...prompted(asked("responses-tools")), ...ended("tool_call", [weatherCall]) }),
};

const INSTRUMENTATION = "@opentelemetry/instrumentation-openai 0.22.0, openai 6.49";

export const OTEL_OPENAI: ClientCases = {
  client: "otel-openai",
  instrumentation: INSTRUMENTATION,
  bodies: {
    ...callsOf([...Object.keys(OPENAI_CASES).filter((name) => name !== "chat-parse"), ...Object.keys(OWN_CALLS)]),
    ...EVENTS,
    "_shutdown-metrics": metrics(35),
  },
};

/** Without content the events are frames: how a call ended, and no more. */
const WITHOUT_CONTENT: Readonly<Record<string, Expected>> = {
  "chat-tools.2": told({ response_finish_reason: "tool_call" }, { response_finish_reason: "stop" }),
  "responses.2": told({ response_finish_reason: "stop" }),
  "responses-stream.2": told({ response_finish_reason: "stop" }),
  "responses-tools.2": told({ response_finish_reason: "tool_call" }),
  "responses-image-tool.2": told({ response_finish_reason: "stop" }),
  "responses-500.2": told({}),
};

export const OTEL_OPENAI_NO_CONTENT: ClientCases = {
  client: "otel-openai-nocontent",
  instrumentation: `${INSTRUMENTATION}, no content`,
  bodies: {
    ...callsOf(["chat-tools", "responses", "responses-stream", "responses-tools", "responses-image-tool", "responses-500"]),
    ...WITHOUT_CONTENT,
    "_shutdown-metrics": metrics(3),
    "_shutdown-metrics.2": metrics(10),
  },
};

/** Its spans of HTTP requests are no model calls, however many tries they show. */
export const AUTO_INSTRUMENTATIONS: ClientCases = {
  client: "autoinst-openai6",
  instrumentation: `@opentelemetry/auto-instrumentations-node 0.82, @opentelemetry/instrumentation-undici 0.34.0, ${INSTRUMENTATION}`,
  bodies: callsOf(["chat", "chat-stream", "chat-429-retry-ok", "chat-500"]),
};

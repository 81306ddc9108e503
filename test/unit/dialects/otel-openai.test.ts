import { describe, expect, it } from "vitest";
import { type Asked, OPENAI_CASES } from "../../support/openai-cases.ts";
import { recordingsOf } from "../../support/recordings.ts";
import { toldBy } from "../../support/told.ts";

type Row = Record<string, unknown>;

/** Settings that OpenTelemetry's instrumentation sends on; it has no content on its spans, and counts neither reasoning nor what was cached. */
const SENT = [
  "model_temperature",
  "model_max_tokens",
  "model_top_p",
  "model_frequency_penalty",
  "model_presence_penalty",
  "model_stop_sequences",
];

function expected(asked: Asked, more: Row = {}): Row {
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
    ...more,
  };
}

const failed = (model: string, status: string, type: string, said: string, more: Row = {}): Row => ({
  dialect: "semconv",
  operation_name: "chat",
  provider_name: "openai",
  model_name: model,
  generation_status: status,
  error_type: type,
  error_message: said,
  content_state: "absent",
  ...more,
});
const BROKEN = "500 The server had an error while processing your request";
const all = (name: string): Row[] => OPENAI_CASES[name]!.map((asked) => expected(asked));

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

/** The cases that differ from what the provider did, or ended badly. */
const OWN: Readonly<Record<string, readonly Row[]>> = {
  // The instructions of the responses API are an attribute of its spans whatever is captured.
  responses: [expected(OPENAI_CASES["responses"]![0]!, { system_instructions: "Be terse", content_state: "absent" })],
  // The helper's stream follows the parse of the case before, whose span was left open.
  "chat-stream-helper": [...all("chat-parse"), ...all("chat-stream-nousage")],
  "chat-429": [failed("fake-429", "failed", "RateLimitError", "429 You exceeded your current quota")],
  "chat-400": [failed("fake-400", "failed", "BadRequestError", "400 Invalid value for 'temperature'", { model_temperature: 9 })],
  "chat-500": [failed("fake-500", "failed", "InternalServerError", BROKEN)],
  "chat-timeout": [failed("fake-timeout", "timeout", "APIConnectionTimeoutError", "Request timed out.")],
  "chat-abort": [failed("fake-timeout", "failed", "APIUserAbortError", "Request was aborted.")],
  "responses-500": [failed("fake-500", "failed", "InternalServerError", BROKEN)],
  embeddings: [EMBEDDING],
};

describe.each(["otel-openai", "otel-openai-nocontent", "autoinst-openai6"])("every traces body of %s", (client) => {
  const names = recordingsOf(client)
    .filter(({ path }) => path.endsWith("/v1/traces"))
    .map(({ name }) => name);

  it("has its case", () => {
    expect(names.length).toBeGreaterThan(3);
    expect(names.filter((name) => OWN[name] === undefined && OPENAI_CASES[name] === undefined)).toEqual([]);
  });

  it.each(names)("%s says what was asked and answered, and nothing else", (name) => {
    expect(toldBy(client, name)).toEqual(OWN[name] ?? all(name));
  });
});

describe("the HTTP spans of an auto-instrumentation", () => {
  it("are no model calls, however many tries they show", () => {
    expect(toldBy("autoinst-openai6", "chat-429-retry-ok")).toHaveLength(1);
  });
});

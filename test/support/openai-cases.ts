import { expect } from "vitest";

/**
 * What the recorded cases of the OpenAI client asked for and what the provider answered, whatever instrumentation looked on. The provider was a
 * fixed one: it counts a token per four characters of JSON, and reasoning models think for 128 (chat) or 192 (responses) tokens.
 */
export interface Asked {
  readonly api: "chat" | "responses";
  readonly model: string;
  readonly answeredBy: string;
  readonly prompt: readonly Message[];
  readonly answers: readonly (readonly Part[])[];
  readonly finish: string;
  readonly input: number;
  readonly output: number;
  readonly reasoning: number;
  readonly cached: number;
  /** By column. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** model_parameters: settings without a column. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly tools: readonly unknown[];
  readonly streamed: boolean;
}

export interface Part {
  readonly type: string;
  readonly [key: string]: unknown;
}
export interface Message {
  readonly role: string;
  readonly parts: readonly Part[];
}

export const text = (content: string): Part => ({ type: "text", content });
export const message = (role: string, ...parts: readonly Part[]): Message => ({ role, parts });
export const ANSWER = text("The quick brown fox answers politely. Grüße, 你好, emoji 🎉 included.");
export const QUESTION = [message("system", text("You are a terse assistant.")), message("user", text('Define "fox". Grüße 你好 🎉'))];
export const THOUGHT = { type: "reasoning", content: "**Considering the fox**\n\nI weigh two readings of the sentence." };
export const toolCall = (prefix = "call"): Part => ({
  type: "tool_call",
  id: expect.stringMatching(`^${prefix}-fake`) as unknown,
  name: "get_weather",
  arguments: { city: "Utrecht", unit: "celsius" },
});
/** A picture that was taken out of a message. */
export const picture = (sizeBytes: number): Part => ({
  type: "uri",
  modality: "image",
  mime_type: "image/png",
  uri: expect.stringMatching(/^genspan-blob:[0-9a-f]{64}$/) as unknown,
  size_bytes: sizeBytes,
});

const SCHEMA = { type: "object", properties: { city: { type: "string" }, unit: { type: "string" } }, required: ["city"] };
export const WEATHER = { type: "function", function: { name: "get_weather", description: "Weather for a city", parameters: SCHEMA } };
const JSON_ANSWER = text('{"name":"Fox","count":3,"tags":["a","b"]}');

const asked = (more: Partial<Asked>): Asked => ({
  api: "chat",
  model: "gpt-4o-mini",
  answeredBy: "gpt-4o-mini-2024-07-18",
  prompt: QUESTION,
  answers: [[ANSWER]],
  finish: "stop",
  input: 29,
  output: 18,
  reasoning: 0,
  cached: 0,
  settings: {},
  parameters: {},
  tools: [],
  streamed: false,
  ...more,
});
const fake = (model: string, more: Partial<Asked> = {}): Asked => asked({ model, answeredBy: model, ...more });
const streamed = (more: Partial<Asked> = {}): Asked => asked({ streamed: true, ...more, parameters: { stream: true, ...more.parameters } });
const thinking = (more: Partial<Asked>): Asked =>
  asked({
    api: "responses",
    model: "gpt-5-nano",
    answeredBy: "gpt-5-nano-2025-08-07",
    answers: [[THOUGHT, ANSWER]],
    output: 287,
    reasoning: 192,
    ...more,
  });

const firstOfTools = asked({ tools: [WEATHER], answers: [[toolCall()]], finish: "tool_call", output: 34 });
const secondOfTools = asked({
  tools: [WEATHER],
  input: 102,
  prompt: [
    ...QUESTION,
    message("assistant", toolCall()),
    message("tool", { type: "tool_call_response", id: expect.stringMatching(/^call-fake/), response: '{"temp":12}' }),
  ],
});
const EVERY_SETTING = {
  model_temperature: 0.7,
  model_max_tokens: 200,
  model_top_p: 0.9,
  model_frequency_penalty: 0.1,
  model_presence_penalty: 0.2,
  model_seed: 7,
  model_stop_sequences: ["\n\n"],
};
const SCHEMA_FORMAT = {
  type: "json_schema",
  json_schema: {
    name: "x",
    strict: true,
    schema: { type: "object", properties: { name: { type: "string" } }, required: ["name"], additionalProperties: false },
  },
};

/** The cases that ended well, by name; the calls of each in order. */
export const OPENAI_CASES: Readonly<Record<string, readonly Asked[]>> = {
  chat: [asked({ settings: EVERY_SETTING, parameters: { user: "u-1" } })],
  "chat-stream": [streamed({ parameters: { stream_options: { include_usage: true } } })],
  "chat-stream-nousage": [streamed()],
  "chat-stream-tools": [streamed({ tools: [WEATHER], answers: [[toolCall()]], finish: "tool_call", output: 34 })],
  "chat-tools": [firstOfTools, secondOfTools],
  "chat-multimodal": [asked({ prompt: [message("user", text("What is this?"), picture(8))], input: 37 })],
  "chat-json-schema": [asked({ answers: [[JSON_ANSWER]], output: 14, parameters: { response_format: SCHEMA_FORMAT } })],
  "chat-parse": [asked({ answers: [[JSON_ANSWER]], output: 14, parameters: { response_format: { type: "json_object" } } })],
  "chat-n2": [asked({ answers: [[ANSWER], [ANSWER]], output: 36, parameters: { n: 2 } })],
  "chat-reasoning": [
    asked({
      model: "gpt-5-nano-reason",
      answeredBy: "gpt-5-nano-2025-08-07",
      answers: [[{ type: "reasoning", content: "First I consider the fox, then the dog." }, ANSWER]],
      output: 146,
      reasoning: 128,
      settings: { model_max_tokens: 4000, model_reasoning_level: "medium" },
    }),
  ],
  "chat-length": [fake("fake-length", { answers: [[text("The quick")]], finish: "length", output: 3, settings: { model_max_tokens: 2 } })],
  "chat-content-filter": [fake("fake-filter", { answers: [[]], finish: "content_filter", output: 1 })],
  "chat-refusal": [fake("fake-refuse", { answers: [[text("I cannot help with that.")]], output: 1 })],
  "chat-429-retry-ok": [fake("fake-429-then-ok")],
  "chat-10kb": [asked({ prompt: [message("user", text("Regel. ".repeat(1500)))], input: 2633, cached: 512 })],
  responses: [
    thinking({
      prompt: [message("system", text("Be terse")), message("user", text("Define fox"))],
      input: 3,
      settings: { model_max_tokens: 500, model_reasoning_level: "medium" },
      parameters: { reasoning: { effort: "medium", summary: "auto" } },
    }),
  ],
  "responses-stream": [
    thinking({
      settings: { model_reasoning_level: "low" },
      parameters: { stream: true, reasoning: { effort: "low", summary: "auto" } },
    }),
  ],
  "responses-tools": [
    fake("gpt-4o-mini", {
      api: "responses",
      prompt: [message("user", text("Weather?"))],
      tools: [{ type: "function", name: "get_weather", parameters: SCHEMA, strict: false }],
      answers: [[toolCall()]],
      finish: "tool_call",
      input: 3,
      output: 44,
    }),
  ],
  "responses-image-tool": [
    fake("gpt-4o", {
      api: "responses",
      prompt: [message("user", text("Draw a cat"))],
      tools: [{ type: "image_generation" }],
      answers: [[picture(70)]],
      input: 3,
      output: 46,
    }),
  ],
};

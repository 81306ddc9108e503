import { expect } from "vitest";
import { ANSWER, type Message, message, type Part, picture, THOUGHT, text, toolCall } from "../../../support/openai-cases.ts";
import type { Row } from "./client-cases.ts";

/** One call that a case of the AI SDK made, and what the provider answered to it. */
export interface Call {
  readonly model: string;
  readonly answeredBy: string;
  readonly system?: string;
  readonly prompt: readonly Message[];
  readonly answer: readonly Part[];
  readonly finish: string;
  readonly input: number;
  readonly output: number;
  readonly reasoning: number;
  readonly tools: boolean;
  readonly settings: Row;
}

export const user = (...parts: Part[]): Message => message("user", ...parts);
export const call = (more: Partial<Call>): Call => ({
  model: "gpt-4o-mini",
  answeredBy: "gpt-4o-mini-2024-07-18",
  prompt: [user(text("Define fox"))],
  answer: [ANSWER],
  finish: "stop",
  input: 10,
  output: 18,
  reasoning: 0,
  tools: false,
  settings: {},
  ...more,
});

const thinking = call({
  model: "gpt-5-nano",
  answeredBy: "gpt-5-nano-2025-08-07",
  answer: [THOUGHT, ANSWER],
  input: 18,
  output: 287,
  reasoning: 192,
});
const object = call({
  prompt: [user(text("Give a thing"))],
  answer: [text('{"name":"Fox","count":3,"tags":["a","b"]}')],
  input: 11,
  output: 14,
});
const RESULT = { city: "Utrecht", temp: 12 };

/** A question that needs the weather: the first answer asks for it, the second has it. */
function twoSteps(question: string, [first, second]: readonly [number, number], more: { result?: unknown; system?: string } = {}): Call[] {
  const { result = RESULT, ...rest } = more;
  const asked = user(text(question));
  const told = message("tool", { type: "tool_call_response", id: expect.stringMatching(/^call-fake/), response: result });
  return [
    call({ ...rest, tools: true, prompt: [asked], answer: [toolCall()], finish: "tool_call", input: first, output: 34 }),
    call({ ...rest, tools: true, prompt: [asked, message("assistant", toolCall()), told], input: second }),
  ];
}

/** The cases whose calls were answered, by name. */
export const ANSWERED: Readonly<Record<string, readonly Call[]>> = {
  generateText: [
    call({
      system: "You are terse",
      input: 21,
      settings: {
        model_temperature: 0.7,
        model_max_tokens: 200,
        model_top_p: 0.9,
        model_frequency_penalty: 0.1,
        model_presence_penalty: 0.2,
        model_stop_sequences: ["END"],
      },
    }),
  ],
  "generateText-responses": [thinking],
  "streamText-responses": [thinking],
  "generateText-tools-multistep": twoSteps("Weather in Utrecht?", [13, 83]),
  "generateText-tool-error": twoSteps("Weather in Utrecht?", [13, 84], { result: "Error: tool exploded" }),
  "streamText-tools": twoSteps("Weather?", [10, 80]),
  agent: twoSteps("Weather?", [20, 91], { system: "Be an agent" }),
  streamText: [call({})],
  generateObject: [object],
  "generateText-output": [object],
  "generateText-429-retry-ok": [call({ model: "fake-429-then-ok", answeredBy: "fake-429-then-ok", prompt: [user(text("x"))], input: 8 })],
  "generateText-image-input": [call({ prompt: [user(text("what"), picture(70))], input: 56 })],
  "generateText-norecord": [call({ prompt: [], answer: [], input: 9 })],
};

const SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: { city: { type: "string" }, unit: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const TOOLS = [{ type: "function", name: "get_weather", description: "weather", inputSchema: SCHEMA }];

/** What both kinds of its spans tell of a call. */
export function answered(each: Call): Row {
  const recorded = each.answer.length > 0;
  const thought = each.answer.find(({ type }) => type === "reasoning");
  return {
    operation_name: "chat",
    provider_name: "openai",
    model_name: each.model,
    ...each.settings,
    ...(each.tools ? { tool_definitions: TOOLS } : {}),
    response_model: each.answeredBy,
    ...(recorded
      ? {
          prompt_full_text: each.prompt,
          prompt_format: "messages",
          response_full_text: [{ ...message("assistant", ...each.answer), finish_reason: each.finish }],
          response_format: "messages",
        }
      : {}),
    ...(thought === undefined ? {} : { reasoning_content: thought["content"] }),
    tokens_prompt: each.input,
    tokens_completion: each.output,
    tokens_total: each.input + each.output,
    tokens_cache_read: 0,
    response_finish_reason: each.finish,
    response_id: expect.stringMatching(each.model === "gpt-5-nano" ? /^resp-fake/ : /^chatcmpl-fake/),
    generation_status: "success",
    content_state: recorded ? "captured" : "absent",
  };
}

/** A call without an answer. */
const unanswered = (model: string, question: string, more: Row): Row => ({
  operation_name: "chat",
  provider_name: "openai",
  model_name: model,
  prompt_full_text: [user(text(question))],
  prompt_format: "messages",
  generation_status: "failed",
  content_state: "captured",
  ...more,
});
const error = (type: string, said: string): Row => ({
  error_type: type,
  error_message: said,
  error_traceback: expect.stringContaining(`${type}: ${said}`),
});
const RETRIED = "Failed after 2 attempts. Last error: AI_APICallError: The server had an error while processing your request";
export const UNANSWERED: Readonly<Record<string, Row>> = {
  "generateText-400": unanswered("fake-400", "x", error("AI_APICallError", "Invalid value for 'temperature'")),
  "generateText-500": unanswered("fake-500", "x", { ...error("AI_RetryError", RETRIED), attempts_count: 2 }),
  "generateText-timeout": unanswered("fake-timeout", "x", {
    ...error("TimeoutError", "The operation was aborted due to timeout"),
    generation_status: "timeout",
  }),
  "streamText-abort": unanswered("gpt-4o-mini", "Define fox", { error_type: "aborted" }),
};

export const embedding = (input: number, more: Row): Row => ({
  operation_name: "embeddings",
  provider_name: "openai",
  model_name: "text-embedding-3-small",
  tokens_prompt: input,
  tokens_total: input,
  generation_status: "success",
  ...more,
});

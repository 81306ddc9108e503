import { expect } from "vitest";
import { ANSWER, message, text, toolCall } from "../../../support/openai-cases.ts";
import { type ClientCases, calls, type Row } from "./client-cases.ts";

const QUESTION = message("user", text("Define fox"));

/** What each case asked for and what the provider answered: 900 tokens read from its cache, 100 written to it, the rest inside of neither. */
const asked = (more: Row, input = 1010, output = 24): Row => ({
  dialect: "semconv",
  operation_name: "chat",
  provider_name: "anthropic",
  model_name: "claude-sonnet-4-5",
  response_model: "claude-sonnet-4-5",
  model_max_tokens: 200,
  response_id: expect.stringMatching(/^msg-fake/),
  tokens_prompt: input,
  tokens_completion: output,
  tokens_total: input + output,
  tokens_cache_read: 900,
  tokens_cache_write: 100,
  response_finish_reason: "end_turn",
  generation_status: "success",
  ...more,
});
const failed = (model: string, type: string): Row => ({
  dialect: "semconv",
  operation_name: "chat",
  provider_name: "anthropic",
  model_name: model,
  model_max_tokens: 10,
  attempts_count: 2,
  generation_status: "failed",
  error_type: type,
});
const THINKING = { thinking: { type: "enabled", budget_tokens: 2000 } };
const TOOL_ASKED = { response_finish_reason: "tool_call" };

const CASES: Readonly<Record<string, readonly Row[]>> = {
  messages: [asked({})],
  "messages-thinking": [asked({ model_max_tokens: 4000, model_parameters: THINKING }, 1010, 45)],
  "messages-stream": [asked({ model_parameters: { stream: true, ...THINKING } }, 1010, 45)],
  "messages-stream-helper": [asked({ model_parameters: { stream: true } })],
  "messages-tools": [asked(TOOL_ASKED, 1010, 37), asked({}, 1080)],
  "messages-429": [failed("fake-429", "rate_limit_error")],
  "messages-529": [failed("fake-529", "overloaded_error")],
};

const prompt = (...messages: readonly object[]): Row => ({ prompt_full_text: messages, prompt_format: "messages" });
const answer = (...parts: readonly { readonly type: string }[]): Row => ({
  response_full_text: [message("assistant", ...parts)],
  response_format: "messages",
});
const calling = message("assistant", text("I'll check."), toolCall("toolu"));
const result = { type: "tool_call_response", id: expect.stringMatching(/^toolu-fake/), response: [{ type: "text", text: "12C" }] };
const thought = { type: "reasoning", content: "Let me think about the fox." };

/** What the client adds when it captures content: a stream that was not gathered has no answer. */
const CONTENT: Readonly<Record<string, readonly Row[]>> = {
  messages: [{ ...prompt(QUESTION), ...answer(ANSWER), system_instructions: [text("Be terse")] }],
  "messages-thinking": [{ ...prompt(QUESTION), ...answer(thought, ANSWER), reasoning_content: thought.content }],
  "messages-stream": [prompt(QUESTION)],
  "messages-stream-helper": [{ ...prompt(QUESTION), ...answer(ANSWER) }],
  "messages-tools": [
    { ...prompt(QUESTION), ...answer(...calling.parts) },
    { ...prompt(QUESTION, calling, message("user", result)), ...answer(ANSWER) },
  ],
  "messages-429": [prompt(QUESTION)],
  "messages-529": [prompt(QUESTION)],
};

/** What the client itself tells of each case. */
export const toldByItself = (name: string, state: "captured" | "absent"): Row[] =>
  CASES[name]!.map((row, i) => ({ ...row, ...(state === "captured" ? CONTENT[name]?.[i] : {}), content_state: state }));

export const ANTHROPIC_NATIVE: ClientCases = {
  client: "anthropic-native-content",
  instrumentation: "@anthropic-ai/sdk 1.11.0",
  bodies: Object.fromEntries(Object.keys(CASES).map((name) => [name, calls(...toldByItself(name, "captured"))])),
};

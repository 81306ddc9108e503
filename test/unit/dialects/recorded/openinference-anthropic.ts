import { expect } from "vitest";
import { ANSWER, message, text, toolCall } from "../../../support/openai-cases.ts";
import { toldByItself } from "./anthropic.ts";
import { type ClientCases, calls, type Row } from "./client-cases.ts";

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

const CASES: Readonly<Record<string, readonly Row[]>> = {
  ...ANTHROPIC,
  "messages-429": [failed("fake-429", "RateLimitError", "Number of requests has exceeded your rate limit")],
  "messages-529": [failed("fake-529", "OverloadedError", "Overloaded")],
};

/** Each call is told a second time by the client itself; both are folded once they are in the database. */
export const OPENINFERENCE_ANTHROPIC: ClientCases = {
  client: "anthropic-openinference",
  instrumentation: "@arizeai/openinference-instrumentation-anthropic 0.2.8, @anthropic-ai/sdk 1.11.0",
  bodies: Object.fromEntries(Object.entries(CASES).map(([name, rows]) => [name, calls(...rows, ...toldByItself(name, "absent"))])),
};

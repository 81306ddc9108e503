import type { GenerationResult } from "../../../sdk/index.ts";

/** One answer of a provider in both of its forms. */
export interface ProviderAnswer {
  readonly whole: unknown;
  readonly chunks: readonly unknown[];
  readonly expected: GenerationResult;
  /** Where the stream says less or otherwise. */
  readonly expectedOfStream?: GenerationResult;
}

const CALL_ARGUMENTS = '{"city":"Ulm"}';

const chatChunk = (delta: object, more: object = {}): object => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1_763_000_000,
  model: "gpt-5-nano-2025-08-07",
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
});

const CHAT_USAGE = {
  prompt_tokens: 20,
  completion_tokens: 12,
  total_tokens: 32,
  prompt_tokens_details: { cached_tokens: 8 },
  completion_tokens_details: { reasoning_tokens: 4 },
};

const chatCall = (id: string | undefined) => ({
  ...(id === undefined ? {} : { id }),
  function: { name: "weather", arguments: CALL_ARGUMENTS },
});

export const OPENAI_CHAT: ProviderAnswer = {
  whole: {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_763_000_000,
    model: "gpt-5-nano-2025-08-07",
    choices: [
      { index: 0, message: { role: "assistant", content: "It rains.", tool_calls: [chatCall("call_1")] }, finish_reason: "tool_calls" },
    ],
    usage: CHAT_USAGE,
  },
  chunks: [
    chatChunk({ role: "assistant", content: "" }),
    chatChunk({ content: "It " }),
    chatChunk({ content: "rains." }),
    chatChunk({ tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: "" } }] }),
    chatChunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
    chatChunk({ tool_calls: [{ index: 0, function: { arguments: '"Ulm"}' } }] }),
    chatChunk({}, { finish_reason: "tool_calls" }),
    {
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1_763_000_000,
      model: "gpt-5-nano-2025-08-07",
      choices: [],
      usage: CHAT_USAGE,
    },
  ],
  expected: {
    provider: "openai",
    messages: [{ role: "assistant", content: "It rains.", tool_calls: [chatCall("call_1")], finish_reason: "tool_calls" }],
    finishReasons: ["tool_calls"],
    responseId: "chatcmpl-1",
    responseModel: "gpt-5-nano-2025-08-07",
    createdAt: 1_763_000_000,
    usage: { input: 20, output: 12, total: 32, reasoning: 4, cacheRead: 8 },
  },
};

const RESPONSE_OUTPUT = [
  { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "Look." }] },
  { type: "message", id: "msg_1", role: "assistant", content: [{ type: "output_text", text: "It rains.", annotations: [] }] },
];

const RESPONSE = {
  id: "resp_1",
  object: "response",
  created_at: 1_763_000_000,
  model: "gpt-5-nano-2025-08-07",
  status: "completed",
  incomplete_details: null,
  output: RESPONSE_OUTPUT,
  usage: {
    input_tokens: 20,
    output_tokens: 12,
    total_tokens: 32,
    input_tokens_details: { cached_tokens: 8 },
    output_tokens_details: { reasoning_tokens: 4 },
  },
};

export const OPENAI_RESPONSES: ProviderAnswer = {
  whole: RESPONSE,
  chunks: [
    { type: "response.created", response: { ...RESPONSE, status: "in_progress", output: [], usage: null } },
    { type: "response.output_item.done", output_index: 0, item: RESPONSE_OUTPUT[0] },
    { type: "response.output_text.delta", output_index: 1, delta: "It " },
    { type: "response.output_text.delta", output_index: 1, delta: "rains." },
    { type: "response.output_item.done", output_index: 1, item: RESPONSE_OUTPUT[1] },
    { type: "response.completed", response: RESPONSE },
  ],
  expected: {
    provider: "openai",
    messages: [{ role: "assistant", content: [RESPONSE_OUTPUT[0], { type: "output_text", text: "It rains.", annotations: [] }] }],
    finishReason: "stop",
    responseId: "resp_1",
    responseModel: "gpt-5-nano-2025-08-07",
    createdAt: 1_763_000_000,
    usage: { input: 20, output: 12, total: 32, reasoning: 4, cacheRead: 8 },
  },
};

const MESSAGE = { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-5-20260101", stop_sequence: null };

export const ANTHROPIC: ProviderAnswer = {
  whole: {
    ...MESSAGE,
    stop_reason: "tool_use",
    content: [
      { type: "thinking", thinking: "Look.", signature: "s" },
      { type: "text", text: "It rains." },
      { type: "tool_use", id: "toolu_1", name: "weather", input: CALL_ARGUMENTS },
    ],
    usage: { input_tokens: 5, output_tokens: 12, cache_read_input_tokens: 100, cache_creation_input_tokens: 7 },
  },
  chunks: [
    {
      type: "message_start",
      message: {
        ...MESSAGE,
        content: [],
        stop_reason: null,
        usage: { input_tokens: 5, output_tokens: 1, cache_read_input_tokens: 100, cache_creation_input_tokens: 7 },
      },
    },
    { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "s" } },
    { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Look." } },
    { type: "content_block_stop", index: 0 },
    { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "It " } },
    { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "rains." } },
    { type: "content_block_start", index: 2, content_block: { type: "tool_use", id: "toolu_1", name: "weather", input: {} } },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"city":' } },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '"Ulm"}' } },
    { type: "message_delta", delta: { stop_reason: "tool_use", stop_sequence: null }, usage: { output_tokens: 12 } },
    { type: "message_stop" },
  ],
  expected: {
    provider: "anthropic",
    messages: [
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Look.", signature: "s" },
          { type: "text", text: "It rains." },
          { type: "tool_use", id: "toolu_1", name: "weather", input: CALL_ARGUMENTS },
        ],
      },
    ],
    finishReason: "tool_use",
    responseId: "msg_1",
    responseModel: "claude-sonnet-5-20260101",
    usage: { input: 5, output: 12, cacheRead: 100, cacheWrite: 7, cacheInInput: false },
  },
};

const geminiChunk = (parts: readonly object[], more: object = {}): object => ({
  candidates: [{ index: 0, content: { role: "model", parts } }],
  modelVersion: "gemini-3-flash",
  responseId: "g-1",
  ...more,
});

const GEMINI_USAGE = { promptTokenCount: 13, candidatesTokenCount: 32, thoughtsTokenCount: 64, totalTokenCount: 109 };

export const GEMINI: ProviderAnswer = {
  whole: {
    candidates: [
      { index: 0, content: { role: "model", parts: [{ text: "Look.", thought: true }, { text: "It rains." }] }, finishReason: "STOP" },
    ],
    modelVersion: "gemini-3-flash",
    responseId: "g-1",
    usageMetadata: GEMINI_USAGE,
  },
  chunks: [
    geminiChunk([{ text: "Look.", thought: true }]),
    geminiChunk([{ text: "It " }]),
    geminiChunk([{ text: "rains." }]),
    { ...geminiChunk([]), candidates: [{ index: 0, finishReason: "STOP" }], usageMetadata: GEMINI_USAGE },
  ],
  expected: {
    provider: "gcp.gemini",
    messages: [{ role: "assistant", parts: [{ text: "Look.", thought: true }, { text: "It rains." }] }],
    finishReasons: ["stop"],
    responseId: "g-1",
    responseModel: "gemini-3-flash",
    usage: { input: 13, output: 32, total: 109, reasoning: 64, reasoningInOutput: false },
  },
};

const TOOL_CALL = { type: "tool-call", toolCallId: "c1", toolName: "weather", input: { city: "Ulm" } };
const VERCEL_USAGE = { inputTokens: 20, outputTokens: 12, totalTokens: 32, reasoningTokens: 4, cachedInputTokens: 8 };

export const VERCEL: ProviderAnswer = {
  whole: {
    text: "It rains.",
    reasoningText: "Look.",
    toolCalls: [TOOL_CALL],
    finishReason: "tool-calls",
    response: { id: "r-1", modelId: "gpt-5-nano", timestamp: new Date(1_763_000_000_000) },
    totalUsage: VERCEL_USAGE,
    usage: { inputTokens: 1 },
  },
  chunks: [
    { type: "start" },
    { type: "reasoning-delta", id: "1", text: "Look." },
    { type: "text-delta", id: "2", text: "It " },
    { type: "text-delta", id: "2", text: "rains." },
    TOOL_CALL,
    {
      type: "finish-step",
      response: { id: "r-1", modelId: "gpt-5-nano", timestamp: new Date(1_763_000_000_000) },
      usage: { inputTokens: 1 },
    },
    { type: "finish", finishReason: "tool-calls", totalUsage: VERCEL_USAGE },
  ],
  expected: {
    messages: [
      {
        role: "assistant",
        content: [{ type: "reasoning", text: "Look." }, { type: "text", text: "It rains." }, TOOL_CALL],
      },
    ],
    finishReason: "tool-calls",
    responseId: "r-1",
    responseModel: "gpt-5-nano",
    createdAt: 1_763_000_000,
    usage: { input: 20, output: 12, total: 32, reasoning: 4, cacheRead: 8 },
  },
};

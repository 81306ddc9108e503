import { describe, expect, it } from "vitest";
import { createGenerationDraft } from "../../../collector/dialects/generation-draft.ts";
import { contentFromText, toMessageList } from "../../../collector/dialects/messages.ts";
import { answerSize, readProviderResponse, supplyResponseFacts } from "../../../collector/dialects/provider-answers.ts";
import { readProviderRequest } from "../../../collector/dialects/provider-requests.ts";
import { CONCEPT } from "../../../collector/model/concept.ts";

type Part = Readonly<Record<string, unknown>>;

const text = (content: string): Part => ({ type: "text", content });
const reasoning = (content: string): Part => ({ type: "reasoning", content });
const call = (id: string | null, args: unknown = { city: "Utrecht" }): Part => ({
  type: "tool_call",
  id,
  name: "get_weather",
  arguments: args,
});
const result = (id: string | null, response: unknown): Part => ({ type: "tool_call_response", id, response });
const blob = (mime: string, content: string, modality: string): Part => ({ type: "blob", modality, mime_type: mime, content });
const PNG = "iVBORw0KGgo=";

/** A user's content in the shape of each provider, and its parts. */
const CONTENTS: readonly (readonly [shape: string, content: unknown, parts: readonly Part[]])[] = [
  ["plain text", "Hi", [text("Hi")]],
  ["nothing", null, []],
  ["OpenAI text", [{ type: "text", text: "Hi" }], [text("Hi")]],
  [
    "OpenAI image with bytes",
    [{ type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } }],
    [blob("image/png", PNG, "image")],
  ],
  [
    "OpenAI image by address",
    [{ type: "image_url", image_url: { url: "https://example.org/fox.png" } }],
    [{ type: "uri", modality: "image", uri: "https://example.org/fox.png" }],
  ],
  ["OpenAI audio", [{ type: "input_audio", input_audio: { data: "UklG", format: "wav" } }], [blob("audio/wav", "UklG", "audio")]],
  ["OpenAI file", [{ type: "file", file: { file_id: "file-1" } }], [{ type: "file", modality: null, file_id: "file-1" }]],
  ["responses text", [{ type: "input_text", text: "Hi" }], [text("Hi")]],
  ["responses image", [{ type: "input_image", image_url: `data:image/png;base64,${PNG}` }], [blob("image/png", PNG, "image")]],
  [
    "Anthropic image",
    [{ type: "image", source: { type: "base64", media_type: "image/png", data: PNG } }],
    [blob("image/png", PNG, "image")],
  ],
  [
    "Anthropic image by address",
    [{ type: "image", source: { type: "url", url: "https://example.org/fox.png" } }],
    [{ type: "uri", modality: "image", uri: "https://example.org/fox.png" }],
  ],
  [
    "Anthropic document of text",
    [{ type: "document", source: { type: "text", media_type: "text/plain", data: "A fox." } }],
    [text("A fox.")],
  ],
  [
    "Anthropic document by id",
    [{ type: "document", source: { type: "file", file_id: "f1" } }],
    [{ type: "file", modality: "document", file_id: "f1" }],
  ],
  ["Anthropic thinking", [{ type: "thinking", thinking: "Hm.", signature: "s" }], [reasoning("Hm.")]],
  ["Anthropic hidden thinking, kept", [{ type: "redacted_thinking", data: "x" }], [{ type: "redacted_thinking", data: "x" }]],
  ["Anthropic tool use", [{ type: "tool_use", id: "t1", name: "get_weather", input: { city: "Utrecht" } }], [call("t1")]],
  ["Anthropic tool result", [{ type: "tool_result", tool_use_id: "t1", content: "12C" }], [result("t1", "12C")]],
  ["Vercel tool call", [{ type: "tool-call", toolCallId: "t1", toolName: "get_weather", input: { city: "Utrecht" } }], [call("t1")]],
  ["Vercel image", [{ type: "image", image: PNG, mediaType: "image/png" }], [blob("image/png", PNG, "image")]],
  ["Gemini text", [{ text: "Hi" }], [text("Hi")]],
  ["Gemini thought", [{ text: "Hm.", thought: true }], [reasoning("Hm.")]],
  ["Gemini call", [{ functionCall: { id: "t1", name: "get_weather", args: { city: "Utrecht" } } }], [call("t1")]],
  ["Gemini result in snake case", [{ function_response: { name: "get_weather", response: { temp: 12 } } }], [result(null, { temp: 12 })]],
  ["Gemini image", [{ inlineData: { mimeType: "image/png", data: PNG } }], [blob("image/png", PNG, "image")]],
  [
    "Gemini file",
    [{ file_data: { file_uri: "gs://b/fox.png", mime_type: "image/png" } }],
    [{ type: "uri", modality: "image", mime_type: "image/png", uri: "gs://b/fox.png" }],
  ],
  ["Bedrock call", [{ toolUse: { toolUseId: "t1", name: "get_weather", input: { city: "Utrecht" } } }], [call("t1")]],
  ["Bedrock result", [{ toolResult: { toolUseId: "t1", content: [{ text: "12C" }] } }], [result("t1", [{ text: "12C" }])]],
  ["Bedrock reasoning", [{ reasoningContent: { reasoningText: { text: "Hm.", signature: "s" } } }], [reasoning("Hm.")]],
  ["a piece of an unknown type, kept", [{ type: "hologram", depth: 3 }], [{ type: "hologram", depth: 3 }]],
  ["a piece without a type, kept", [{ depth: 3 }], [{ depth: 3, type: "unknown" }]],
  ["pieces that are no objects", ["Hi", 3, null], [text("Hi"), text("3")]],
  ["an object that is no piece", { city: "Utrecht" }, [text('{"city":"Utrecht"}')]],
];

describe("the content of a message", () => {
  it.each(CONTENTS)("%s", (_shape, content, parts) => {
    expect(toMessageList([{ role: "user", content }], "user")).toEqual([{ role: "user", parts }]);
  });

  it("in the conventions' shape stays as it is, foreign parts between are read", () => {
    const current = [
      text("Hi"),
      { ...blob("image/png", PNG, "image"), note: 1 },
      { type: "file", modality: "image", mime_type: "image/png", file_id: "f" },
    ];
    expect(toMessageList([{ role: "user", parts: [...current, { type: "thinking", thinking: "Hm." }] }], "user")).toEqual([
      { role: "user", parts: [...current, reasoning("Hm.")] },
    ]);
  });
});

const assistant = (...parts: readonly Part[]) => ({ role: "assistant", parts });
const lc = (kind: string, kwargs: object) => ({ lc: 1, type: "constructor", id: ["langchain_core", "messages", kind], kwargs });

/** Whole messages, as lists and alone. */
const MESSAGES: readonly (readonly [shape: string, value: unknown, messages: readonly object[]])[] = [
  [
    "OpenAI tool calls with arguments as text",
    [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "function", function: { name: "get_weather", arguments: '{"city":"Utrecht"}' } }],
      },
    ],
    [assistant(call("c1"))],
  ],
  [
    "arguments that were cut stay text",
    [{ role: "assistant", tool_calls: [{ id: "c1", function: { name: "get_weather", arguments: '{"city":"Utr' } }] }],
    [assistant(call("c1", '{"city":"Utr'))],
  ],
  [
    "the result of a tool",
    [{ role: "tool", tool_call_id: "c1", content: '{"temp":12}' }],
    [{ role: "tool", parts: [result("c1", '{"temp":12}')] }],
  ],
  ["a refusal", [{ role: "assistant", content: null, refusal: "No." }], [assistant(text("No."))]],
  [
    "reasoning beside the content",
    [{ role: "assistant", content: "Fox", reasoning_content: "Hm." }],
    [assistant(reasoning("Hm."), text("Fox"))],
  ],
  ["a function call of old", [{ role: "assistant", function_call: { name: "get_weather", arguments: "{}" } }], [assistant(call(null, {}))]],
  ["Gemini's role", [{ role: "model", parts: [{ text: "Fox" }] }], [assistant(text("Fox"))]],
  [
    "a reason in a provider's words",
    { role: "assistant", content: "x", stop_reason: "tool_use" },
    [{ ...assistant(text("x")), finish_reason: "tool_call" }],
  ],
  [
    "LangChain, nested once more",
    { messages: [[lc("SystemMessage", { content: "Be terse" }), lc("HumanMessage", { content: "Hi" })]] },
    [
      { role: "system", parts: [text("Be terse")] },
      { role: "user", parts: [text("Hi")] },
    ],
  ],
  [
    "LangChain's call of a tool",
    [lc("AIMessage", { content: "", tool_calls: [{ type: "tool_call", id: "c1", name: "get_weather", args: { city: "Utrecht" } }] })],
    [assistant(call("c1"))],
  ],
  ["LlamaIndex's blocks", [{ role: "user", blocks: [{ block_type: "text", text: "Hi" }] }], [{ role: "user", parts: [text("Hi")] }]],
  [
    "items of the responses API",
    [
      { role: "user", content: "Weather?" },
      { type: "function_call", call_id: "c1", name: "get_weather", arguments: '{"city":"Utrecht"}' },
      { type: "function_call_output", call_id: "c1", output: "12C" },
    ],
    [{ role: "user", parts: [text("Weather?")] }, assistant(call("c1")), { role: "tool", parts: [result("c1", "12C")] }],
  ],
  [
    "a request with its system prompt",
    { system: "Be terse", messages: [{ role: "user", content: "Hi" }] },
    [
      { role: "system", parts: [text("Be terse")] },
      { role: "user", parts: [text("Hi")] },
    ],
  ],
  [
    "Gemini's request with its instruction",
    { systemInstruction: { parts: [{ text: "Be terse" }] }, contents: [{ role: "user", parts: [{ text: "Hi" }] }] },
    [
      { role: "system", parts: [text("Be terse")] },
      { role: "user", parts: [text("Hi")] },
    ],
  ],
  [
    "a text list",
    ["Hi", "Ho"],
    [
      { role: "user", parts: [text("Hi")] },
      { role: "user", parts: [text("Ho")] },
    ],
  ],
  ["an answer as bare text", { text: "Fox", finish_reason: "stop" }, [{ role: "user", parts: [text("Fox")], finish_reason: "stop" }]],
  ["an object that is no message, kept as JSON", [{ city: "Utrecht" }], [{ role: "user", parts: [text('{"city":"Utrecht"}')] }]],
  ["a message without content", [{ role: "assistant", content: null }], [assistant()]],
];

it.each(MESSAGES)("messages: %s", (_shape, value, messages) => {
  expect(toMessageList(value, "user")).toEqual(messages);
});

describe("content that came as text", () => {
  it("is messages where it is JSON", () => {
    expect(contentFromText('[{"role":"user","content":"Hi"}]', "user")).toMatchObject({
      format: "messages",
      text: JSON.stringify([{ role: "user", parts: [text("Hi")] }]),
    });
  });

  it.each(["Hi", "", '[{"role":"user","content":"cut of', "{not JSON}", "[1, 2", "user: Hi\nassistant: Ho"])("%j stays as it is", (raw) => {
    expect(contentFromText(raw, "user")).toEqual({ text: raw, format: "text" });
  });

  it("keys of prototypes do no harm and are not lost", () => {
    const content = contentFromText(
      '[{"role":"user","content":"Hi","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]',
      "user",
    );
    expect(content.text).toContain("Hi");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(contentFromText('[{"__proto__":{"polluted":1}}]', "user").text).toContain("polluted");
  });

  it.each([2_000, 20_000, 300_000])("JSON of %i levels stays text", (levels) => {
    const deep = `[{"role":"user","content":${'{"a":'.repeat(levels)}1${"}".repeat(levels)}}]`;
    expect(contentFromText(deep, "user")).toEqual({ text: deep, format: "text" });
  });
});

/** A provider's answer as a whole. */
const ANSWERS: readonly (readonly [shape: string, body: unknown, messages: readonly object[] | undefined, reason?: string])[] = [
  [
    "chat completion with two choices",
    {
      choices: [
        { message: { role: "assistant", content: "a" }, finish_reason: "stop" },
        { message: { role: "assistant", content: "b" }, finish_reason: "length" },
      ],
    },
    [
      { ...assistant(text("a")), finish_reason: "stop" },
      { ...assistant(text("b")), finish_reason: "length" },
    ],
    "stop,length",
  ],
  ["text completion", { choices: [{ text: "a", finish_reason: "stop" }] }, [{ ...assistant(text("a")), finish_reason: "stop" }], "stop"],
  [
    "responses",
    {
      status: "completed",
      output: [
        { type: "reasoning", summary: [{ type: "summary_text", text: "Hm." }] },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "a" }] },
      ],
    },
    [assistant(reasoning("Hm."), text("a"))],
    "stop",
  ],
  [
    "responses that were cut",
    {
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output: [{ type: "message", content: [{ type: "output_text", text: "a" }] }],
    },
    [assistant(text("a"))],
    "length",
  ],
  [
    "Anthropic",
    { type: "message", role: "assistant", content: [{ type: "text", text: "a" }], stop_reason: "end_turn" },
    [{ ...assistant(text("a")), finish_reason: "end_turn" }],
    "end_turn",
  ],
  [
    "Gemini",
    { candidates: [{ content: { role: "model", parts: [{ text: "a" }] }, finishReason: "STOP" }] },
    [{ ...assistant(text("a")), finish_reason: "stop" }],
    "stop",
  ],
  [
    "images",
    { data: [{ b64_json: PNG, revised_prompt: "A fox, revised" }, { url: "https://example.org/fox.png" }] },
    [
      assistant(
        { ...blob("image/png", PNG, "image"), revised_prompt: "A fox, revised" },
        { type: "uri", modality: "image", uri: "https://example.org/fox.png" },
      ),
    ],
  ],
  ["vectors", { data: [{ embedding: [0.1, 0.2] }] }, undefined],
  ["another object", { answer: 42 }, undefined],
  ["text", "a", undefined],
];

it.each(ANSWERS)("a provider's answer: %s", (_shape, body, messages, reason) => {
  const answer = readProviderResponse(body);
  expect(answer).toEqual(messages);
  const atMost = answerSize(body);
  expect(atMost === undefined).toBe(answer === undefined);
  expect(atMost ?? 0).toBeGreaterThanOrEqual((answer ?? []).flatMap(({ parts }) => parts).length);
  const draft = createGenerationDraft();
  supplyResponseFacts(draft, body, "body");
  expect(draft.built?.scalars?.get(CONCEPT.finishReasons)).toBe(reason);
});

describe("a provider's request", () => {
  it.each([
    ["plain text", { prompt: "Hi" }, "Hi"],
    [
      "text with instructions",
      { input: "Hi", instructions: "Be terse" },
      [
        { role: "system", parts: [text("Be terse")] },
        { role: "user", parts: [text("Hi")] },
      ],
    ],
    ["a bare list of messages", [{ role: "user", parts: [text("Hi")] }], [{ role: "user", parts: [text("Hi")] }]],
    ["a list of something else", [{ city: "Utrecht" }], undefined],
    ["another object", { city: "Utrecht" }, undefined],
  ])("%s", (_shape, body, prompt) => {
    expect(readProviderRequest(body)).toEqual(prompt);
  });
});

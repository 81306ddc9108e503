import { describe, expect, it } from "vitest";
import { createContent, truncationMark } from "../../../../sdk/core/content.ts";
import { type ContentPolicy, resolveContent } from "../../../../sdk/core/content-policy.ts";
import { isDeferred } from "../../../../sdk/core/deferred-text.ts";
import { createProblems } from "../../../../sdk/core/problems.ts";
import { messagesText, toMessages } from "../../../../sdk/generation/messages.ts";

const contentOf = (policy: ContentPolicy) =>
  createContent({ policy: resolveContent(policy, 10_000), redact: undefined, problems: createProblems(() => {}) });

const convert = (messages: readonly unknown[], policy: ContentPolicy = "full", role: "user" | "assistant" = "user") =>
  toMessages(messages, role, contentOf(policy));

const HELLO = "aGVsbG8=";
const HELLO_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

describe("messages of providers in the conventions' shape", () => {
  it.each([
    ["plain text", { role: "user", content: "hi" }, { role: "user", parts: [{ type: "text", content: "hi" }] }],
    ["a bare text", "hi", { role: "user", parts: [{ type: "text", content: "hi" }] }],
    [
      "the conventions' own",
      { role: "user", parts: [{ type: "text", content: "hi" }] },
      { role: "user", parts: [{ type: "text", content: "hi" }] },
    ],
    [
      "OpenAI: developer and a name",
      { role: "developer", name: "ann", content: [{ type: "input_text", text: "hi" }] },
      { role: "system", name: "ann", parts: [{ type: "text", content: "hi" }] },
    ],
    [
      "OpenAI: tool calls",
      { role: "assistant", content: null, tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: '{"a":1}' } }] },
      { role: "assistant", parts: [{ type: "tool_call", id: "c1", name: "f", arguments: { a: 1 } }] },
    ],
    [
      "OpenAI: a tool's answer",
      { role: "tool", tool_call_id: "c1", content: "12 °C" },
      { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: "12 °C" }] },
    ],
    [
      "OpenAI responses: a call among the messages",
      { type: "function_call", id: "fc_1", call_id: "c1", name: "f", arguments: "{}" },
      { role: "assistant", parts: [{ type: "tool_call", id: "c1", name: "f", arguments: {} }] },
    ],
    [
      "OpenAI responses: its answer",
      { type: "function_call_output", call_id: "c1", output: '["a"]' },
      { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: ["a"] }] },
    ],
    [
      "OpenAI responses: reasoning as summaries",
      {
        type: "reasoning",
        summary: [
          { type: "summary_text", text: "one" },
          { type: "summary_text", text: "two" },
        ],
      },
      { role: "assistant", parts: [{ type: "reasoning", content: "one\n\ntwo" }] },
    ],
    [
      "Anthropic: thinking, text, a tool's use",
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "s" },
          { type: "text", text: "hi" },
          { type: "tool_use", id: "t1", name: "f", input: { a: 1 } },
        ],
      },
      {
        role: "assistant",
        parts: [
          { type: "reasoning", content: "hm" },
          { type: "text", content: "hi" },
          { type: "tool_call", id: "t1", name: "f", arguments: { a: 1 } },
        ],
      },
    ],
    [
      "Anthropic: a tool's result",
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: [{ type: "text", text: "12" }] }] },
      { role: "user", parts: [{ type: "tool_call_response", id: "t1", response: [{ type: "text", text: "12" }] }] },
    ],
    [
      "Gemini: parts without types",
      { role: "model", parts: [{ text: "hm", thought: true }, { text: "hi" }, { functionCall: { name: "f", args: { a: 1 } } }] },
      {
        role: "assistant",
        parts: [
          { type: "reasoning", content: "hm" },
          { type: "text", content: "hi" },
          { type: "tool_call", name: "f", arguments: { a: 1 } },
        ],
      },
    ],
    [
      "Gemini: a function's answer",
      { role: "function", parts: [{ functionResponse: { name: "f", response: { t: 12 } } }] },
      { role: "tool", parts: [{ type: "tool_call_response", response: { t: 12 } }] },
    ],
    [
      "the AI SDK: tool calls and results",
      { role: "tool", content: [{ type: "tool-result", toolCallId: "c1", toolName: "f", output: { type: "text", value: "12" } }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: { type: "text", value: "12" } }] },
    ],
    [
      "a type that nobody knows",
      { role: "user", content: [{ type: "hologram", light: 7 }] },
      { role: "user", parts: [{ type: "hologram", light: 7 }] },
    ],
  ])("%s", (_, message, expected) => {
    expect(convert([message])).toEqual([expected]);
  });

  it("a message without anything recorded is left out", () => {
    expect(convert([{ role: "user", content: "" }, { role: "user", content: null }, null])).toEqual([]);
  });
});

describe("pictures and files", () => {
  const reference = { type: "uri", modality: "image", mime_type: "image/png", uri: `genspan-blob:${HELLO_SHA256}`, size_bytes: 5 };

  it.each([
    ["OpenAI", { type: "image_url", image_url: { url: `data:image/png;base64,${HELLO}` } }],
    ["OpenAI responses", { type: "input_image", image_url: `data:image/png;base64,${HELLO}` }],
    ["Anthropic", { type: "image", source: { type: "base64", media_type: "image/png", data: HELLO } }],
    ["Gemini", { inlineData: { mimeType: "image/png", data: HELLO } }],
    ["the AI SDK, bytes", { type: "image", image: new Uint8Array(Buffer.from("hello")), mediaType: "image/png" }],
    ["the conventions", { type: "blob", modality: "image", mime_type: "image/png", content: HELLO }],
  ])("of %s are named by their hash and never sent", (_, piece) => {
    expect(convert([{ role: "user", content: [piece] }])).toEqual([{ role: "user", parts: [reference] }]);
  });

  it("are sent where that is asked for", () => {
    const [message] = convert([{ role: "user", content: [{ type: "image", source: { media_type: "image/png", data: HELLO } }] }], {
      images: "bytes",
    });
    expect(message!.parts).toEqual([{ type: "blob", modality: "image", mime_type: "image/png", content: HELLO }]);
  });

  it("leave nothing but their kind where that is asked for", () => {
    const [message] = convert([{ role: "user", content: [{ type: "image", source: { media_type: "image/png", data: HELLO } }] }], {
      images: "none",
    });
    expect(message!.parts).toEqual([{ type: "omitted", modality: "image", mime_type: "image/png" }]);
  });

  it.each([
    [
      "an address",
      { type: "image_url", image_url: { url: "https://a.example/p.png" } },
      { type: "uri", modality: "image", mime_type: null, uri: "https://a.example/p.png" },
    ],
    [
      "a file's id",
      { type: "file", file: { file_id: "file-1" } },
      { type: "file", modality: "document", mime_type: null, file_id: "file-1" },
    ],
    [
      "Gemini's file",
      { fileData: { fileUri: "gs://b/f.mp3", mimeType: "audio/mpeg" } },
      { type: "uri", modality: "audio", mime_type: "audio/mpeg", uri: "gs://b/f.mp3" },
    ],
  ])("by %s stay as they are", (_, piece, part) => {
    expect(convert([{ role: "user", content: [piece] }])[0]!.parts).toEqual([part]);
  });
});

describe("the content policy within messages", () => {
  const answer = [
    {
      role: "assistant",
      content: "secret",
      reasoning_content: "thought",
      tool_calls: [{ id: "c", function: { name: "f", arguments: "{}" } }],
    },
  ];

  it("leaves out reasoning, or everything else of an answer", () => {
    expect(convert(answer, { reasoning: false }, "assistant")[0]!.parts.map(({ type }) => type)).toEqual(["text", "tool_call"]);
    expect(convert(answer, { outputs: false }, "assistant")[0]!.parts).toEqual([{ type: "reasoning", content: "thought" }]);
    expect(convert(answer, "metadata", "assistant")).toEqual([]);
  });

  it("bounds all messages together: the oldest texts go first, the newest stay whole", () => {
    const texts = convert(
      ["a", "b", "c"].map((letter) => ({ role: "user", content: letter.repeat(60) })),
      { maxBytes: 100 },
    );
    expect(texts.map(({ parts }) => parts[0]!["content"])).toEqual([
      truncationMark(60),
      `${"b".repeat(40)}${truncationMark(20)}`,
      "c".repeat(60),
    ]);
  });

  it("SDK-05 cuts a text of 50 MB, and the JSON around it stays whole", () => {
    const [message] = convert([{ role: "user", content: "x".repeat(50_000_000) }], { maxBytes: 100 });
    expect(message!.parts).toEqual([{ type: "text", content: `${"x".repeat(100)}${truncationMark(49_999_900)}` }]);
  });
});

describe("the JSON text of messages", () => {
  const textOf = (messages: readonly unknown[]) => messagesText(convert(messages), contentOf("full"));

  it("is written later, of the messages as they were, and its size is known before", () => {
    const message = { role: "user", content: 'žluťoučký "kůň"\n\u0000\ud800' };
    const text = textOf([message]);
    message.content = "changed since";
    if (!isDeferred(text)) throw new Error("the text was written at once");
    expect(text.sizeBytes()).toBe(26);
    expect(JSON.parse(text.text())).toEqual([{ role: "user", parts: [{ type: "text", content: 'žluťoučký "kůň"\n\u0000\ud800' }] }]);
  });

  it.each([
    ["with a tool call", [{ role: "assistant", tool_calls: [{ id: "c1", function: { name: "f", arguments: '{"a":1}' } }] }]],
    ["so long that something may have been cut", [{ role: "user", content: "x".repeat(4_000) }]],
  ])("%s is written at once", (_, messages) => {
    expect(textOf(messages)).toBe(JSON.stringify(convert(messages)));
  });

  it("is none without messages", () => {
    expect(textOf([])).toBeUndefined();
  });
});

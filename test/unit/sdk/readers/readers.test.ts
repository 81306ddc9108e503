import { describe, expect, it } from "vitest";
import type { Reader } from "../../../../sdk/index.ts";
import { read } from "../../../../sdk/index.ts";
import { readAny } from "../../../../sdk/readers/any.ts";
import * as answers from "../../../support/sdk/provider-answers.ts";

const streamed = (reader: Reader, chunks: readonly unknown[]) => {
  const stream = reader.stream();
  for (const chunk of chunks) stream.chunk(chunk);
  return stream.result();
};

/** Each provider's answer, whole and as its chunks, and what must be read from both. */
const CASES = [
  ["OpenAI chat", read.openaiChat, answers.OPENAI_CHAT],
  ["OpenAI responses", read.openaiResponses, answers.OPENAI_RESPONSES],
  ["Anthropic", read.anthropic, answers.ANTHROPIC],
  ["Gemini", read.gemini, answers.GEMINI],
  ["the AI SDK", read.vercel, answers.VERCEL],
] as const;

describe.each(CASES)("answers of %s", (_, reader, { whole, chunks, expected, expectedOfStream }) => {
  it("are read whole", () => {
    expect(reader.response(whole)).toEqual(expected);
  });

  it("are read chunk by chunk to the same result", () => {
    expect(streamed(reader, chunks)).toEqual({ ...expected, ...expectedOfStream });
  });

  it("are known by their structure", () => {
    expect(readAny.response(whole)).toEqual(expected);
    expect(streamed(readAny, chunks)).toEqual({ ...expected, ...expectedOfStream });
  });

  it("that break off give what had come", () => {
    const half = streamed(reader, chunks.slice(0, Math.ceil(chunks.length / 2)));
    expect(JSON.stringify(half.messages)).toContain("It");
    expect(half.finishReason ?? half.finishReasons).toBeUndefined();
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a number", 7],
    ["an empty object", {}],
    [
      "lists of nonsense",
      { choices: [null, 7], output: [null], content: [null], candidates: [null, {}], usage: 3, usageMetadata: [], toolCalls: [null] },
    ],
    [
      "indexes without bounds",
      { choices: [{ index: 1e9, delta: { content: "a" } }], index: 1e9, type: "content_block_delta", delta: { text: "a" } },
    ],
  ])("cannot be %s, and that does no harm", (_name, value) => {
    expect(() => [reader.response(value), streamed(reader, [value, value])]).not.toThrow();
    expect(() => [readAny.response(value), streamed(readAny, [value, value])]).not.toThrow();
  });
});

describe("an answer of no known provider", () => {
  it("is a text where it is one", () => {
    expect(readAny.response("plain")).toEqual({ text: "plain" });
  });

  it("of pieces of text is their sum", () => {
    expect(streamed(readAny, ["pla", "in"]).messages).toEqual([{ role: "assistant", content: [{ type: "text", text: "plain" }] }]);
  });

  it("is read as none otherwise", () => {
    expect([readAny.response({ weather: "fine" }), streamed(readAny, [{ weather: "fine" }])]).toEqual([{}, {}]);
  });
});

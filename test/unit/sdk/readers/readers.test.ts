import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Reader } from "../../../../sdk/index.ts";
import { generate, read } from "../../../../sdk/index.ts";
import { readAny } from "../../../../sdk/readers/any.ts";
import * as answers from "../../../support/sdk/provider-answers.ts";
import { messagesOf, recorded } from "../../../support/sdk/recorded.ts";

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

/** As a provider sends them, with all that the format allows. */
const asEvents = (chunks: readonly unknown[], lineEnd: string): Buffer =>
  Buffer.from(
    [
      "\uFEFF: a comment",
      "",
      ...chunks.flatMap((chunk) => ["event: piece", "id: 1", `data: ${JSON.stringify(chunk)}`, ""]),
      "data: [DONE]",
      "",
      "",
    ].join(lineEnd),
  );

describe.each(CASES)("answers of %s", (_, reader, { whole, chunks, expected, expectedOfStream }) => {
  const objects = chunks.filter((chunk) => typeof chunk === "object").map((chunk) => JSON.parse(JSON.stringify(chunk)) as unknown);

  it("are read from the bytes of server-sent events, wherever these are cut", () => {
    const cuts = fc.array(fc.nat({ max: 60 }), { minLength: 1 });
    fc.assert(
      fc.property(cuts, fc.constantFrom("\n", "\r\n", "\r"), (sizes, lineEnd) => {
        const bytes = asEvents(objects, lineEnd);
        const pieces: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = i < sizes.length ? sizes[i]! : bytes.length;
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        for (const each of [reader, readAny]) expect(streamed(each, pieces)).toEqual(streamed(each, objects));
      }),
    );
  });

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

describe("answers that are failures", () => {
  it.each([
    [
      "of OpenAI chat",
      { error: { message: "Bad key", type: "invalid_request_error", code: "invalid_api_key" } },
      "invalid_api_key",
      "Bad key",
    ],
    ["of Anthropic", { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }, "overloaded_error", "Overloaded"],
    [
      "of OpenAI responses",
      { id: "r", object: "response", status: "failed", error: { code: "server_error", message: "Oops" }, output: [] },
      "server_error",
      "Oops",
    ],
    [
      "of OpenAI responses without a word",
      { object: "response", status: "failed", output: [] },
      "failed",
      expect.stringContaining("failed"),
    ],
    [
      "of a run of OpenAI's",
      { object: "thread.run", status: "failed", last_error: { code: "rate_limit", message: "Slow" } },
      "rate_limit",
      "Slow",
    ],
    ["of Gemini", { error: { code: 429, message: "Too many", status: "RESOURCE_EXHAUSTED" } }, "RESOURCE_EXHAUSTED", "Too many"],
    ["of a server that says a text", { error: "Out of memory" }, "_OTHER", "Out of memory"],
  ])("end the generation as failed: %s", async (_, answer, type, message) => {
    const { generations } = await recorded(async () => expect(await generate({ model: "m" }, () => answer as object)).toBe(answer));
    expect(generations.map(({ status }) => status)).toEqual([{ code: 2, message }]);
    expect(generations[0]!.attributes["error.type"]).toBe(type);
  });

  it.each([
    ["of OpenAI chat", [{ choices: [{ index: 0, delta: { content: "It" } }] }, { error: { code: "server_error", message: "Oops" } }]],
    [
      "of OpenAI responses",
      [
        { type: "response.output_text.delta", output_index: 0, delta: "It" },
        { type: "response.failed", response: { status: "failed", error: { code: "server_error", message: "Oops" } } },
      ],
    ],
    [
      "of Anthropic",
      [
        { type: "message_start", message: { role: "assistant" } },
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "It" } },
        { type: "error", error: { type: "server_error", message: "Oops" } },
      ],
    ],
    [
      "of the AI SDK",
      [
        { type: "text-delta", text: "It" },
        { type: "error", error: Object.assign(new Error("Oops"), { code: "server_error" }) },
      ],
    ],
  ])("end the generation as failed with what had come: %s", async (_, chunks) => {
    const { generations } = await recorded(async () => {
      const stream = await generate({ model: "m" }, async function* () {
        yield* chunks as object[];
      });
      for await (const _each of stream);
    });
    expect(generations.map(({ status }) => status)).toEqual([{ code: 2, message: "Oops" }]);
    expect(generations[0]!.attributes["error.type"]).toBe("server_error");
    expect(JSON.stringify(messagesOf(generations[0], "output"))).toContain("It");
  });

  it.each([[null], [undefined], [""], [false], [0]])("are not those whose error is %j", (error) => {
    expect(readAny.response({ choices: [{ message: { content: "a" } }], error })).not.toHaveProperty("error");
  });
});

describe("answers of OpenAI that are no messages", () => {
  it.each([
    [
      "embeddings",
      { object: "list", model: "text-embedding-3-small", data: [{ embedding: [0.1] }], usage: { prompt_tokens: 8, total_tokens: 8 } },
      { input: 8, total: 8 },
    ],
    [
      "runs",
      { object: "thread.run", id: "run_1", status: "completed", usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
      { input: 1, output: 2, total: 3 },
    ],
  ])("are counted and have no text: %s", (_, answer, usage) => {
    expect(readAny.response(answer)).toMatchObject({ provider: "openai", usage, messages: [] });
  });

  it("are not what the AI SDK made of an answer, be it a text", () => {
    const answer = { object: "sunny", finishReason: "stop", usage: { inputTokens: 3, outputTokens: 1 } };
    expect(readAny.response(answer)).toMatchObject({ usage: { input: 3, output: 1 }, finishReason: "stop" });
    expect(JSON.stringify(readAny.response(answer).messages)).toContain("sunny");
  });
});

describe("bytes of a stream", () => {
  const hello = { choices: [{ index: 0, delta: { content: "Grüße" } }] };
  const bytesOf = (text: string): Uint8Array => Buffer.from(text);

  it("are an event also where the last line does not end, and where its data stand in several lines", () => {
    const lines = JSON.stringify(hello, undefined, 1).split("\n");
    const text = lines.map((line) => `data:${line}`).join("\n");
    expect(streamed(readAny, [bytesOf(text)])).toEqual(streamed(readAny, [hello]));
  });

  it.each(["It rains.", "<html>", '{"not": "an event"}', "data: {broken", "", "data", "\u0000\u0001"])(
    "say nothing where they are no events: %j",
    (text) => {
      expect(streamed(readAny, [bytesOf(text)])).toEqual({});
    },
  );

  it("tell of a failure among the events", () => {
    const failure = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    expect(streamed(read.anthropic, [bytesOf(`event: error\ndata: ${JSON.stringify(failure)}\n\n`)]).error).toEqual(failure.error);
  });

  it("are given up where an event never ends", () => {
    const stream = readAny.stream();
    stream.chunk(bytesOf("data: "));
    const mebibyte = new Uint8Array(1024 * 1024).fill(0x61);
    for (let i = 0; i < 34; i++) stream.chunk(mebibyte);
    stream.chunk(bytesOf(`\n\ndata: ${JSON.stringify(hello)}\n\n`));
    expect(stream.result()).toEqual({});
  });
});

import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { rowsFromTraces } from "../../support/encoding.ts";
import { type SpanSpec, tracesOf } from "../../support/otlp-json.ts";

type Value = NonNullable<SpanSpec["attributes"]>[string];

const json = JSON.stringify;
const text = (content: string) => ({ type: "text", content });

function stored(messages: Value, side: "input" | "output") {
  const name = `gen_ai.${side}.messages`;
  const attributes = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", [name]: messages };
  const { generations, spans } = rowsFromTraces(transcodeJson(Buffer.from(json(tracesOf({ id: "s", attributes }))), "traces"));
  const row = generations[0] ?? {};
  const content = String(row[side === "input" ? "prompt_full_text" : "response_full_text"]);
  return { row, content, kept: (spans[0]!["attributes"] as Record<string, unknown>)[name] };
}

const asked = [{ role: "user", parts: [text("Hi")] }];

/** What may stand under the name of the conventions' messages. */
const ASKED: Readonly<Record<string, Value>> = {
  "Gemini's contents": json([{ role: "user", parts: [{ text: "Hi" }] }]),
  "parts with their text as text": json([{ role: "user", parts: [{ type: "text", text: "Hi" }] }]),
  "the same, structured": [{ role: "user", parts: [{ type: "text", text: "Hi" }] }],
  "JSON of JSON": json(json(asked)),
  "a list of JSON texts": asked.map((message) => json(message)),
  "JSON of a list of JSON texts": json([json({ role: "user", content: "Hi" })]),
};

describe("messages under the name of the conventions", () => {
  it.each(Object.entries(ASKED))("are normalised: %s", (_, sent) => {
    const { content, row, kept } = stored(sent, "input");
    expect(JSON.parse(content)).toEqual(asked);
    expect(row["prompt_format"]).toBe("messages");
    expect(kept).toEqual(sent);
  });

  it("thinking is reasoning, Gemini's model is the assistant, and its calls are calls", () => {
    const thought = stored(
      json([{ role: "assistant", parts: [{ type: "thinking", content: "hm" }, text("Ho")], finish_reason: "stop" }]),
      "output",
    );
    expect(thought.row).toMatchObject({ reasoning_content: "hm", response_finish_reason: "stop" });
    const called = stored(json([{ role: "model", parts: [{ functionCall: { name: "f", args: { a: 1 } } }] }]), "output");
    expect(JSON.parse(called.content)).toEqual([
      { role: "assistant", parts: [{ type: "tool_call", id: null, name: "f", arguments: { a: 1 } }] },
    ]);
  });

  it.each([
    ["plain", asked],
    [
      "with a call whose arguments have a text",
      [{ role: "assistant", parts: [{ type: "tool_call", id: "1", name: "f", arguments: { text: "Hi" } }] }],
    ],
    ["with a part that nobody knows", [{ role: "user", parts: [{ type: "sticker", text: "Hi" }] }]],
  ])("that have its shape go over byte for byte and leave the span: %s", (_, messages) => {
    const sent = JSON.stringify(messages, undefined, 1);
    expect(stored(sent, "input")).toMatchObject({ content: sent, kept: undefined });
  });
});

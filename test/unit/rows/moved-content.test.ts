import { describe, expect, it } from "vitest";
import { messagesOfText, textOfMessages } from "../../../collector/rows/content-moved.ts";
import { rowsFromTraces } from "../../support/encoding.ts";
import { any, keyValue, span, tracesRequest } from "../../support/wire-builder.ts";

const call = (name: string, value: Buffer) => {
  const attributes = [
    keyValue("gen_ai.operation.name", any.string("chat")),
    keyValue("gen_ai.request.model", any.string("gpt-5")),
    keyValue(name, value),
  ];
  const { spans, generations } = rowsFromTraces(tracesRequest([span({ attributes })]));
  return { onSpan: (spans[0]!["attributes"] as Record<string, unknown>)[name], moved: spans[0]?.["content_moved"], row: generations[0] };
};

describe("what a generation row cannot hold stays on its span", () => {
  it.each([
    ["gen_ai.tool.definitions", "tool_definitions"],
    ["gen_ai.system_instructions", "system_instructions"],
  ])("binary %s", (attribute, column) => {
    const { onSpan, moved, row } = call(attribute, any.bytes(Buffer.from("tools")));
    expect([onSpan, moved, row?.[column]]).toEqual(["dG9vbHM=", null, null]);
  });

  it.each(["gen_ai.tool.definitions", "gen_ai.system_instructions"])("an empty %s", (attribute) => {
    expect(call(attribute, any.empty())).toMatchObject({ onSpan: null, moved: null });
  });

  it("a structure moves as JSON", () => {
    const { onSpan, moved, row } = call("gen_ai.tool.definitions", any.array(any.int(7)));
    expect([onSpan, moved, row?.["tool_definitions"]]).toEqual([undefined, 8 | (8 << 4), "[7]"]);
  });
});

describe("a prompt that was one plain text", () => {
  const prompt = (messages: string, format?: string) => {
    const attributes = [
      keyValue("gen_ai.request.model", any.string("gpt-5")),
      keyValue("gen_ai.operation.name", any.string("chat")),
      keyValue("gen_ai.input.messages", any.string(messages)),
      ...(format === undefined ? [] : [keyValue("genspan.prompt.format", any.string(format))]),
    ];
    const { spans, generations } = rowsFromTraces(tracesRequest([span({ attributes })]));
    const { prompt_full_text, prompt_format } = generations[0]!;
    const kept = (spans[0]!["attributes"] as Record<string, unknown>)["gen_ai.input.messages"];
    return [prompt_full_text, prompt_format, spans[0]!["content_moved"], kept];
  };
  const text = 'Say "hi"\n\u0007 \u00e9 \u{1f389}';

  it("stands in its row as that text, once", () => {
    expect(prompt(messagesOfText(text), "text")).toEqual([text, "text", 1 | 256, undefined]);
  });

  it("stays a message where the sender does not say so", () => {
    expect(prompt(messagesOfText(text))).toEqual([messagesOfText(text), "messages", 1, undefined]);
  });

  it.each([
    ["more messages", messagesOfText("a").replace("}]}]", '}]},{"role":"user","parts":[]}]')],
    ["another spelling of the JSON", messagesOfText("a").replace('"a"', '"\\u0061"')],
    ["broken JSON", '[{"role":"user","parts":[{"type":"text","content":"a}]}]'],
  ])("stays a message where the text would not give it back: %s", (_, messages) => {
    expect(prompt(messages, "text")).toEqual([messages, "messages", 1, undefined]);
  });

  it("is put back to the same bytes", () => {
    expect(messagesOfText(textOfMessages(messagesOfText(text))!)).toBe(messagesOfText(text));
  });
});

import { describe, expect, it } from "vitest";
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

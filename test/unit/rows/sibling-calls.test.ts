import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { MARK_CALL, MARK_SECOND_CALL } from "../../../collector/rows/trace-marks.ts";
import { encodeBody } from "../../support/encoding.ts";
import { type SpanSpec, tracesOf } from "../../support/otlp-json.ts";

const marksOf = (...spans: SpanSpec[]): number[] =>
  encodeBody(transcodeJson(Buffer.from(JSON.stringify(tracesOf(...spans))), "traces"), "traces").traces.map(({ bits }) => bits);

const call = (id: string, tokens: readonly [number, number], more: Partial<SpanSpec> = {}): SpanSpec => ({
  id,
  parent: "root",
  ...more,
  attributes: {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": tokens[0],
    "gen_ai.usage.output_tokens": tokens[1],
    ...more.attributes,
  },
});
const answer = (id: string) => ({ attributes: { "gen_ai.response.id": id } });

describe("calls of one trace in one request", () => {
  it.each<[string, SpanSpec[]]>([
    ["two beside each other", [call("a", [10, 1]), call("b", [11, 1])]],
    ["two of which a span between them may come", [call("a", [10, 1]), call("b", [11, 1], { parent: "missing" })]],
    ["two with answers of their own", [call("a", [10, 1], answer("r1")), call("b", [10, 2], answer("r2"))]],
    ["several of about the same size", [call("a", [10, 4]), call("b", [11, 4]), call("c", [12, 5]), call("d", [13, 4])]],
    ["several of which none said as much as two others", [call("a", [10, 4]), call("b", [11, 5]), call("c", [900, 6])]],
  ])("are no reason to look at it: %s", (_, spans) => {
    expect(marksOf({ id: "root" }, ...spans)).toEqual([MARK_CALL]);
  });

  it.each<[string, SpanSpec[]]>([
    ["one directly below the other", [call("a", [10, 1]), call("b", [11, 1], { parent: "a" })]],
    ["the same, sent the other way round", [call("b", [11, 1], { parent: "a" }), call("a", [10, 1])]],
    ["the same tokens", [call("a", [10, 1]), call("b", [10, 1])]],
    ["the same answer", [call("a", [10, 1], answer("r1")), call("b", [11, 1], answer("r1"))]],
    ["one that failed", [call("a", [10, 1]), call("b", [11, 1], { error: "no answer" })]],
    [
      "one without tokens",
      [call("a", [10, 1]), { id: "b", attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o" } }],
    ],
    ["one that may have told the sum of the others", [call("a", [10, 1]), call("b", [11, 1]), call("c", [21, 2])]],
    [
      "an answer's name that is no text",
      [call("a", [10, 1], answer("r1")), call("b", [11, 1], { attributes: { "gen_ai.response.id": 7 } })],
    ],
    ["more than are compared here", Array.from({ length: 33 }, (_, i) => call(`a${i}`, [1_000 + i, 1]))],
  ])("are one: %s", (_, spans) => {
    expect(marksOf({ id: "root" }, ...spans)).toEqual([MARK_CALL | MARK_SECOND_CALL]);
  });
});

import { describe, expect, it } from "vitest";
import { mappedAttribute } from "../../../collector/app/mapped-attribute.ts";
import { loadConfig } from "../../../collector/config/index.ts";
import { CONCEPTS } from "../../../collector/model/concept.ts";
import { createGenaiMapping, type MappingRule } from "../../../collector/processors/genai-mapping.ts";
import { createTraceEncoder } from "../../../collector/rows/encode-traces.ts";
import { createRequestBuilder } from "../../../collector/rows/request-builder.ts";
import { RECEIVED_AT_MS, rowsOf } from "../../support/encoding.ts";
import { any, keyValue, span, tracesRequest } from "../../support/wire-builder.ts";

const HOUSE: readonly MappingRule[] = [
  { attribute: "house.kind", concept: "operation" },
  { attribute: "house.vendor", concept: "provider" },
  { attribute: "house.llm", concept: "model" },
  { attribute: "house.in", concept: "inputTokens" },
  { attribute: "house.out", concept: "outputTokens" },
  { attribute: "house.prompt", concept: "inputMessages" },
  { attribute: "house.answer", concept: "outputMessages" },
];

/** Rows of one span after the rules. */
function rowsAfter(rules: readonly MappingRule[], attributes: Readonly<Record<string, Buffer>>) {
  const raw = tracesRequest([span({ attributes: Object.entries(attributes).map(([key, value]) => keyValue(key, value)) })]);
  const encoder = createTraceEncoder();
  const builder = createRequestBuilder({ signal: "traces", projectId: 1, raw, receivedAtMs: RECEIVED_AT_MS });
  const map = createGenaiMapping(rules, mappedAttribute);
  encoder.open(builder);
  while (encoder.next() !== "end") {
    map(encoder.view);
    encoder.encode();
  }
  const request = builder.finish();
  return { span: rowsOf(request, "spans")[0], call: rowsOf(request, "generation_logs")[0] };
}

const message = (role: string, content: string): string => JSON.stringify([{ role, parts: [{ type: "text", content }] }]);
const house = {
  "house.kind": any.string("chat"),
  "house.vendor": any.string("acme"),
  "house.llm": any.string("acme-7b"),
  "house.in": any.int(13),
  "house.out": any.int(5),
  "house.prompt": any.string(message("user", "hello")),
  "house.answer": any.string(message("assistant", "hi")),
};

describe("a house dialect", () => {
  it("becomes a row of generation_logs without code", () => {
    const { call, span: stored } = rowsAfter(HOUSE, house);
    expect(call).toMatchObject({
      operation_name: "chat",
      provider_name: "acme",
      model_name: "acme-7b",
      tokens_prompt: 13,
      tokens_completion: 5,
      prompt_format: "messages",
    });
    expect([call?.["prompt_full_text"], call?.["response_full_text"]].map((text) => JSON.parse(String(text)))).toMatchObject([
      [{ role: "user" }],
      [{ role: "assistant" }],
    ]);
    expect(stored?.["attributes"]).toMatchObject({ "house.llm": "acme-7b", "house.in": 13 });
  });

  it("is an ordinary span without the rules", () => {
    const { call, span: stored } = rowsAfter([], house);
    expect([call, stored?.["name"] === undefined]).toEqual([undefined, false]);
  });
});

describe("rules", () => {
  const model = (rules: readonly MappingRule[], attributes: Readonly<Record<string, Buffer>>): unknown =>
    rowsAfter([{ attribute: "house.kind", concept: "operation" }, ...rules], { "house.kind": any.string("chat"), ...attributes }).call?.[
      "model_name"
    ];

  it("the first whose attribute is there decides", () => {
    const rules = [
      { attribute: "a", concept: "model" },
      { attribute: "b", concept: "model" },
    ];
    expect(model(rules, { b: any.string("second"), a: any.string("first") })).toBe("first");
    expect(model(rules, { b: any.string("second") })).toBe("second");
  });

  it("what the span says in the convention stays", () => {
    const own = { "gen_ai.request.model": any.string("own"), a: any.string("mapped") };
    expect(model([{ attribute: "a", concept: "model" }], own)).toBe("own");
  });

  it.each([
    ["the value", { attribute: "type", value: "llm" }, any.string("llm"), "m"],
    ["another value", { attribute: "type", value: "llm" }, any.string("db"), undefined],
    ["a number", { attribute: "type", value: 3 }, any.int(3), "m"],
    ["any value", { attribute: "type" }, any.string("x"), "m"],
    ["no such attribute", { attribute: "other" }, any.string("x"), undefined],
  ])("when: %s", (_, when, type, expected) => {
    expect(model([{ attribute: "a", concept: "model", when }], { a: any.string("m"), type })).toBe(expected);
  });
});

it("every concept that the configuration accepts has an attribute, and nothing else is accepted", () => {
  const accepts = (concept: string): boolean => {
    const text = `receivers: {otlp: {protocols: {http: }}}
processors: {genai_mapping: {rules: [{attribute: a, concept: ${concept}}]}}
exporters: {postgres: }
service: {pipelines: {traces: {receivers: [otlp], processors: [genai_mapping], exporters: [postgres]}}}`;
    try {
      return loadConfig({ files: [{ name: "t", text }], env: {} }).config.processors.size === 1;
    } catch {
      return false;
    }
  };
  const hasAttribute = (concept: string): boolean => {
    try {
      return mappedAttribute(concept) !== "";
    } catch {
      return false;
    }
  };
  expect(CONCEPTS.filter((concept) => accepts(concept) !== hasAttribute(concept))).toEqual([]);
});

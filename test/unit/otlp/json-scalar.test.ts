import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { rowsFromTraces } from "../../support/encoding.ts";

const stored = (member: string, text: string): unknown => {
  const json = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${"ab".repeat(16)}","spanId":"${"cd".repeat(8)}","attributes":[{"key":"k","value":{"${member}":${text}}}]}]}]}]}`;
  const [row] = rowsFromTraces(transcodeJson(Buffer.from(json), "traces")).spans;
  return (row!["attributes"] as Record<string, unknown>)["k"];
};

describe("a value that does not fit its member stays the text it is", () => {
  const NAMES_OF_EVERY_OBJECT = ["__proto__", "constructor", "toString", "hasOwnProperty"];

  it.each(["boolValue", "intValue", "doubleValue"])("names that every object has, as %s", (member) => {
    for (const name of NAMES_OF_EVERY_OBJECT) expect(stored(member, JSON.stringify(name))).toBe(name);
  });

  it.each<[string, unknown]>([
    ["true", true],
    ['"true"', true],
    ["1", true],
    ['"0"', false],
    ["false", false],
    ["1.0", "1.0"],
    ["2", "2"],
    ['"yes"', "yes"],
    ['"TRUE"', "TRUE"],
  ])("boolValue %s", (text, expected) => {
    expect(stored("boolValue", text)).toBe(expected);
  });

  it.each<[string, unknown]>([
    ['"AAEC/w=="', "AAEC/w=="],
    ['"AAEC_w"', "AAEC/w=="],
    ['""', ""],
    ['"AAEC/w="', "AAEC/w="],
    ['"A"', "A"],
    ['"a b="', "a b="],
    ["7", "7"],
  ])("bytesValue %s", (text, expected) => {
    expect(stored("bytesValue", text)).toBe(expected);
  });
});

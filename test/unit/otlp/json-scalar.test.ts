import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { rowsFromTraces } from "../../support/encoding.ts";

const bodyWith = (member: string, text: string): Buffer => {
  const json = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${"ab".repeat(16)}","spanId":"${"cd".repeat(8)}","attributes":[{"key":"k","value":{"${member}":${text}}}]}]}]}]}`;
  return transcodeJson(Buffer.from(json), "traces");
};
const stored = (member: string, text: string): unknown => {
  const [row] = rowsFromTraces(bodyWith(member, text)).spans;
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
    ['{"low":7,"high":0,"unsigned":false}', 7],
    ['{ "high" : 1 , "low" : -1 }', 8_589_934_591],
    ['{"low":-5,"high":-1,"unsigned":false}', -5],
    ['{"low":4294967295,"high":2097151}', Number.MAX_SAFE_INTEGER],
    ['{"low":0,"high":-2147483648,"more":{"low":[1]}}', -(2 ** 63)],
  ])("intValue in halves: %s", (text, expected) => {
    expect(stored("intValue", text)).toBe(expected);
  });

  it("times in halves are times", () => {
    const json = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${"ab".repeat(16)}","spanId":"${"cd".repeat(8)}","startTimeUnixNano":{"low":1500000000,"high":417990000,"unsigned":true}}]}]}]}`;
    const [row] = rowsFromTraces(transcodeJson(Buffer.from(json), "traces")).spans;
    const nanos = 417_990_000n * 2n ** 32n + 1_500_000_000n;
    expect(row).toMatchObject({ start_time: nanos / 1_000n, start_nano: Number(nanos % 1_000n) });
  });

  it.each(["{}", '{"low":1}', '{"low":1,"high":"x"}', '{"low":1,"high":4294967296}', '{"low":1,}', '{"low":1 "high":2}', "[1]"])(
    "intValue %s is refused",
    (text) => {
      expect(() => bodyWith("intValue", text)).toThrow(/intValue must hold|invalid JSON/);
    },
  );

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

import { describe, expect, it } from "vitest";
import { DecodeError } from "../../../collector/otlp/decode-error.ts";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { rowsFromTraces } from "../../support/encoding.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

/** A request of one span with these members; `text` is put in as it stands. */
const withSpan = (text: string): string =>
  `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${TRACE}","spanId":"${SPAN}","name":"n","startTimeUnixNano":"1763676000123456789","endTimeUnixNano":"1763676000123456789"${text === "" ? "" : `,${text}`}}]}]}]}`;
const rows = (json: string) => rowsFromTraces(transcodeJson(Buffer.from(json), "traces"));
const spanRow = (text: string): Record<string, unknown> => rows(withSpan(text)).spans[0]!;
const attribute = (value: string): unknown =>
  (spanRow(`"attributes":[{"key":"k","value":${value}}]`)["attributes"] as Record<string, unknown>)["k"];
const refusal = (json: string | Buffer): string => {
  try {
    transcodeJson(Buffer.from(json), "traces");
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
  throw new Error("accepted");
};

describe("names and fields", () => {
  it("J2 unknown fields at any depth are skipped", () => {
    expect(spanRow('"future":{"deep":[1,{"x":[null,true,"}"]}]},"kind":2')["kind"]).toBe(2);
  });

  it("J1 snake_case names are understood as well", () => {
    const json = `{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"${TRACE}","span_id":"${SPAN}","start_time_unix_nano":"5"}]}]}]}`;
    expect(rows(json).spans).toHaveLength(1);
  });

  it("J9 null is absent", () => {
    expect(spanRow('"parentSpanId":null,"attributes":null,"status":null,"kind":null')).toMatchObject({
      parent_span_id: null,
      attributes: {},
      kind: 0,
    });
    expect(attribute('{"doubleValue":null}')).toBeNull();
  });

  it("J14 no resource, scope, status or kind is legal", () => {
    expect(spanRow("")).toMatchObject({ service_name: "unknown_service", status_code: 0, kind: 0 });
  });

  it.each(["{}", '{"resourceSpans":[]}', '{"resourceSpans":[{}]}', '{"resourceSpans":[{"scopeSpans":[{}]}]}'])(
    "H12 SIZ-13 %s is an empty request",
    (json) => {
      expect(rows(json).request.received).toBe(0);
    },
  );
});

describe("ids", () => {
  it("J3 IDS-05 hexadecimal of any case", () => {
    expect(rows(withSpan("").replace(TRACE, TRACE.toUpperCase())).spans[0]!["trace_id"]).toBe(TRACE);
  });

  it("IDS-04 base64 of the right length, padded or not", () => {
    const base64 = Buffer.from(TRACE, "hex").toString("base64");
    for (const id of [base64, base64.replaceAll("=", "")]) expect(rows(withSpan("").replace(TRACE, id)).spans[0]!["trace_id"]).toBe(TRACE);
  });

  it.each(["", "abc", "0af76519-16cd-43dd-8448-eb211c80319c", "zz".repeat(16), `${TRACE}00`])(
    "J15 the trace id %j refuses its span, not the request",
    (id) => {
      const { spans, request } = rows(withSpan("").replace(TRACE, id));
      expect([spans.length, request.refusedItems.length]).toEqual([0, 1]);
    },
  );
});

describe("numbers", () => {
  it.each([
    ['{"intValue":"5"}', 5],
    ['{"intValue":5}', 5],
    ['{"intValue":-5}', -5],
    ['{"intValue":1e2}', 100],
    ['{"intValue":1.5}', 1.5],
    ['{"intValue":1e300}', 1e300],
    ['{"doubleValue":1}', 1],
    ['{"doubleValue":"2.5"}', 2.5],
    ['{"doubleValue":"NaN"}', "NaN"],
    ['{"doubleValue":"-Infinity"}', "-Infinity"],
    ['{"boolValue":true}', true],
    ['{"stringValue":""}', ""],
    ["{}", null],
    ['{"bytesValue":"3q2-7w"}', "3q2+7w=="],
  ])("J5 J7 J8 J10 J11 %s", (json, expected) => {
    expect(attribute(json)).toEqual(expected);
  });

  it.each(["9007199254740993", "9223372036854775807", "-9223372036854775808"])(
    "ENC-11 %s keeps its digits as number and as text",
    (digits) => {
      for (const form of [digits, `"${digits}"`]) {
        const { request } = rows(withSpan(`"attributes":[{"key":"k","value":{"intValue":${form}}}]`));
        expect(request.fresh[0]!.bytes.view().includes(`{"k":${digits}}`)).toBe(true);
      }
    },
  );

  it.each([
    ['"1763676000123456789"', 1763676000123456n, 789],
    ["1763676000123456789", 1763676000123456n, 789],
    ["1.763676e18", 1763676000000000n, 0],
    ['"18446744073709551615"', 18446744073709551n, 615],
  ])("J6 TIM-09 the time %s is exact", (time, micros, nanos) => {
    expect(rows(withSpan("").replace('"startTimeUnixNano":"1763676000123456789"', `"startTimeUnixNano":${time}`)).spans[0]).toMatchObject({
      start_time: micros,
      start_nano: nanos,
    });
  });

  it.each(['"kind":"SPAN_KIND_SERVER"', '"kind":"SERVER"', '"kind":2', '"kind":"2"'])("J4 ENC-23 %s is 2", (text) => {
    expect(spanRow(text)["kind"]).toBe(2);
  });

  it("J4 an unknown enum name is refused rather than stored as 0", () => {
    expect(refusal(withSpan('"kind":"SPAN_KIND_MAGIC"'))).toContain("kind");
  });
});

describe("text", () => {
  it("escapes become what they mean", () => {
    expect(attribute('{"stringValue":"a\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u00e9\\ud83c\\udf89"}')).toBe('a"b\\c/d\b\f\n\r\té🎉');
  });

  it.each(['"x\\ud800y"', '"x\\udc00y"', '"x\\ud800\\u0041y"'])("ENC-07 the lone surrogate in %s becomes U+FFFD", (text) => {
    expect(attribute(`{"stringValue":${text}}`)).toMatch(/^x\uFFFDA?y$/);
  });

  it("ENC-01 \\u0000 becomes U+FFFD and is noted", () => {
    expect(spanRow('"attributes":[{"key":"k","value":{"stringValue":"a\\u0000b"}}]')).toMatchObject({
      attributes: { k: "a\uFFFDb" },
      ingest_notes: { sanitized: { nul: ["attributes.k"] } },
    });
  });
});

describe("what is no request", () => {
  it.each([
    ["SIZ-13 an empty body", ""],
    ["J20 an array", "[]"],
    ["J20 trailing garbage", "{} x"],
    ["J20 a number", "7"],
    ["a cut body", '{"resourceSpans":[{'],
    ["ENC-08 a raw control character", '{"a":"\u0001"}'],
    ["a bad escape", '{"a":"\\x"}'],
    ["a leading zero", '{"a":01}'],
    ["SIZ-14 resourceSpans as object", '{"resourceSpans":{}}'],
    ["SIZ-14 spans as text", '{"resourceSpans":[{"scopeSpans":[{"spans":"x"}]}]}'],
    ["SIZ-14 attributes as object", withSpan('"attributes":{"a":"b"}')],
    ["a value that is no object", withSpan('"attributes":[{"key":"k","value":"plain"}]')],
  ])("%s", (_, json) => {
    expect(refusal(json).length).toBeLessThan(200);
  });

  it("the message never quotes the body", () => {
    expect(refusal('{"resourceSpans":"canary-4711"}')).not.toContain("canary");
  });
});

describe("depth", () => {
  const nested = (levels: number): string => `${'{"arrayValue":{"values":['.repeat(levels)}{"intValue":1}${"]}}".repeat(levels)}`;

  it.each([60, 1_000, 20_000])("SIZ-06 a value nested %i levels is stored or cut, never fatal", (levels) => {
    expect(rows(withSpan(`"attributes":[{"key":"k","value":${nested(levels)}}]`)).spans).toHaveLength(1);
  });

  it("a cut value says so", () => {
    expect(spanRow(`"attributes":[{"key":"k","value":${nested(100)}}]`)["ingest_notes"]).toEqual({
      sanitized: { depth: ["attributes.k"] },
    });
  });

  it("unknown fields nested 100,000 levels are skipped without recursion", () => {
    expect(spanRow(`"x":${"[".repeat(100_000)}${"]".repeat(100_000)},"kind":3`)["kind"]).toBe(3);
  });
});
